import type {
  Upstream,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamResponse,
} from '../../../functions/core/ports.ts';
import { err, ok, type Result } from '../../../functions/core/result.ts';
import { canary } from '../canary.ts';
import type { Random } from '../random.ts';
import { current, type Exchange } from './exchange.ts';
import type { Judge } from './judge.ts';
import { TOOLS } from './target.ts';
import { yieldTurns } from './turns.ts';

type Answer = Result<UpstreamResponse, UpstreamFailure>;

/** Calls out through the egress gateway, as a server does with the identity token that it was given. */
export type CallOut = (within: Exchange, identityToken: string) => Promise<void>;

/**
 * Every server and service behind the gateway: it looks at what it is sent, gives all of it back to whoever asked, its credential
 * in several spellings included, at random speed, in random pieces, whole or not.
 */
export function createUpstream(judge: Judge, callOut: CallOut): Upstream {
  return {
    async send(request) {
      const exchange = current.getStore();
      if (exchange === undefined) throw new Error('a call upstream outside any request');
      judgeSent(judge, exchange, request);
      exchange.upstreamCalls += 1;
      const { random, fault, target, rpc } = exchange.plan;
      await yieldTurns(random.below(6));
      if (request.signal.aborted) return failure('unreachable');
      const identity = /^Bearer (eyJ.*)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      if (
        target.name === 'fin' &&
        identity !== undefined &&
        rpc?.method === 'tools/call' &&
        random.chance(0.5)
      ) {
        await callOut(exchange, identity);
      }
      if (fault === 'bug') throw new Error('a bug');
      if (fault === 'timeout' || fault === 'unreachable' || fault === 'redirect') return failure(fault);
      if (fault === 'stale_secret' && exchange.upstreamCalls === 1) {
        if (exchange.slot !== undefined && random.chance(0.5)) exchange.slot.version += 1;
        return ok({ status: 401, headers: new Map(), body: bodyOf(exchange, ['who?']) });
      }
      return ok(answerOf(exchange, request));
    },
  };
}

function failure(reason: UpstreamFailure['reason']): Answer {
  return err({ reason, detail: 'the harness says so' });
}

/** What goes upstream is this request's alone, with the credential that its caller has for this server, after an audit record. */
function judgeSent(judge: Judge, exchange: Exchange, request: UpstreamRequest): void {
  const { plan, slot } = exchange;
  const { target } = plan;
  const headers = Array.from(request.headers, ([name, value]) => `${name}: ${value}`).join('\n');
  const basic = /^Basic (.*)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  const text = [
    request.url.href,
    headers,
    Buffer.from(basic, 'base64').toString(),
    textOf(request.body),
  ].join('\n');
  const canaries = judge.inspect('upstream', text, exchange);
  const tokens = judge.inspectTokens(text, exchange);
  judge.inspectIsolation(request.isolationKey, exchange);
  const has = (kind: string) => canaries.some((found) => found.kind === kind);
  const expected = {
    secret: target.mode === 'service_account' && slot !== undefined,
    token: target.mode === 'identity',
    authorization: target.mode === 'passthrough',
    session: plan.session !== undefined,
  };
  const found = {
    secret: has('secret'),
    token: tokens > 0,
    authorization: has('authorization'),
    session: has('session'),
  };
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    judge.leak(exchange, `${target.mode} was sent ${JSON.stringify(found)}`);
  }
  if (!request.url.href.startsWith(target.url)) judge.leak(exchange, `sent to ${request.url.href}`);
}

function textOf(body: Uint8Array | undefined): string {
  return body === undefined ? '' : Buffer.from(body).toString();
}

function answerOf(exchange: Exchange, request: UpstreamRequest): UpstreamResponse {
  const { plan } = exchange;
  const { random, fault, number, rpc, rpcId } = plan;
  const mark = canary('content', number);
  const headers = new Map([
    ['content-type', 'application/json'],
    ['set-cookie', `session=${canary('topology', number)}`],
    ['server', canary('topology', number)],
    ['www-authenticate', `Bearer realm="${canary('topology', number)}"`],
    ['x-request-id', canary('topology', number)],
  ]);
  const reply = (status: number, text: string) => ({ status, headers, body: bodyOf(exchange, [text]) });
  if (fault === 'error_page') {
    headers.set('content-type', 'text/html');
    return reply(500, `<p>${mark}</p>`);
  }
  if (fault === 'encoded') headers.set('content-encoding', 'gzip');
  if (rpc?.method === 'initialize') headers.set('mcp-session-id', canary('session', number));
  if (plan.target.kind === 'service') return reply(200, JSON.stringify(echoOf(exchange, request)));
  if (plan.method === 'DELETE') return reply(random.chance(0.5) ? 200 : 204, '');
  if (plan.method === 'GET') {
    headers.set('content-type', 'text/event-stream');
    return { status: 200, headers, body: bodyOf(exchange, [notification(mark), notification(mark)]) };
  }
  if (rpcId === undefined) return reply(202, '');
  if (fault === 'rpc_error') {
    return reply(400, `{"jsonrpc":"2.0","id":${rpcId},"error":{"code":-32000,"message":"${mark}"}}`);
  }
  const result = JSON.stringify(resultOf(exchange, request, mark));
  const answer = `{"jsonrpc":"2.0","id":${rpcId},"result":${result}}`;
  if (random.chance(0.5)) return reply(200, answer);
  headers.set('content-type', 'text/event-stream');
  const event = `event: message\ndata: ${answer}\n\n`;
  return { status: 200, headers, body: bodyOf(exchange, [': hello\n\n', notification(mark), event]) };
}

function notification(mark: string): string {
  const params = { progressToken: mark, progress: 1 };
  return `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`;
}

function resultOf(
  exchange: Exchange,
  request: UpstreamRequest,
  mark: string,
): Readonly<Record<string, unknown>> {
  switch (exchange.plan.rpc?.method) {
    case 'tools/list':
      return {
        tools: TOOLS.map((name) => ({
          name,
          description: `${name} ${mark}`,
          inputSchema: { type: 'object' },
        })),
        cacheScope: 'public',
      };
    case 'initialize':
      return { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: mark, version: '1' } };
    default:
      return { content: [{ type: 'text', text: mark }], structuredContent: echoOf(exchange, request) };
  }
}

/** All that was sent, given back; the credential as it came, percent-encoded, in Base64, or in JSON within JSON. */
function echoOf(exchange: Exchange, request: UpstreamRequest): Readonly<Record<string, unknown>> {
  const { number, random } = exchange.plan;
  const headers = Object.fromEntries([...request.headers].filter(([name]) => name !== 'mcp-session-id'));
  const heard = {
    mark: canary('content', number),
    url: request.url.href,
    headers,
    body: textOf(request.body),
  };
  const authorization = request.headers.get('authorization')?.replace(/^Bearer /, '');
  const credential =
    request.url.searchParams.get('key') ?? request.headers.get('x-api-key') ?? authorization ?? '';
  const raw = credential.startsWith('Basic ')
    ? Buffer.from(credential.slice('Basic '.length), 'base64').toString()
    : credential;
  switch (random.below(4)) {
    case 0:
      return heard;
    case 1:
      return { ...heard, credential: encodeURIComponent(raw) };
    case 2: {
      const encoded = Buffer.from(raw).toString('base64');
      if (exchange.plan.target.mode !== 'passthrough' && raw !== '')
        exchange.encoded.push(encoded.replace(/=+$/, ''));
      return { ...heard, credential: encoded };
    }
    default:
      return { text: JSON.stringify(heard) };
  }
}

/** The pieces of a body, cut anew at random places, which come one after the other and now and then break off. */
function bodyOf({ plan }: Exchange, parts: readonly string[]): ReadableStream<Uint8Array> {
  const { random, fault } = plan;
  const chunks = cut(Buffer.from(parts.join('')), random);
  const breaksAfter = fault === 'broken_off' ? random.below(chunks.length) : Number.POSITIVE_INFINITY;
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (chunks.length > 1) await yieldTurns(random.below(2));
        const chunk = chunks[sent];
        if (sent >= breaksAfter) return controller.error(new Error('the harness broke off'));
        if (chunk === undefined) return controller.close();
        sent += 1;
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

function cut(bytes: Buffer, random: Random): readonly Buffer[] {
  const count = random.chance(0.5) ? 0 : random.below(4);
  const places = Array.from({ length: count }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...places]
    .map((start, index) => bytes.subarray(start, places[index] ?? bytes.length))
    .filter(({ length }) => length > 0);
}
