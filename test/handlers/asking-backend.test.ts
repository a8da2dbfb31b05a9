import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { readMessage } from '../../functions/core/action.ts';
import { Caller } from '../../functions/core/caller.ts';
import type { ConnectionRequired, Denial } from '../../functions/core/denial.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { askForConnections } from '../../functions/handlers/connect/asking-backend.ts';
import type { McpBackend, McpCall } from '../../functions/handlers/mcp.ts';
import { memoryCounter } from '../support/counters.ts';
import { invocationOf } from '../support/invocation.ts';
import { callerOf, clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const policy = policyOf({
  servers: [serverEntry('maps'), serverEntry('other')],
  clients: [clientEntry('courier', { scopes: ['a'] }), clientEntry('chief', { scopes: ['a'] })],
});
const courier = callerOf(issuer, policy, ['a']);
const chief = callerFor('chief');
const sealer = new Sealer(['0'.repeat(64)]);
const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

function callerFor(clientId: string): Caller {
  const caller = Caller.fromToken(
    issuer.verified({ client_id: clientId, sub: clientId, scope: 'a' }),
    policy,
  );
  if (!caller.ok) throw new Error(caller.error.reason);
  return caller.value;
}

const missing: ConnectionRequired = {
  reason: 'connection_required',
  url: `${ORIGIN}/connect/track?t=abc`,
  displayName: 'Track',
  detail: 'not_connected at track',
};
const answered = ok({ response: { status: 200, headers: new Map(), body: new Blob([]).stream() } });

/** What the server behind answers, the last for ever; and what it was sent. */
let script: Awaited<ReturnType<McpBackend['send']>>[] = [];
let sent: string[] = [];
let nowSeconds = NOW_SECONDS;
/** By how much the clock goes on with each look. */
let lookMs = 1;
let passedMs = 0;
let holds: Result<unknown, Denial> = ok(undefined);
let seals: Sealer | undefined = sealer;
let counter = memoryCounter();

beforeEach(() => {
  script = [err(missing)];
  sent = [];
  nowSeconds = NOW_SECONDS;
  lookMs = 1;
  passedMs = 0;
  holds = ok(undefined);
  seals = sealer;
  counter = memoryCounter();
});

const backend = askForConnections(
  {
    sealer: () => Promise.resolve(seals),
    nonce: () => randomBytes(12),
    get counter() {
      return counter;
    },
    now: () => nowSeconds * 1_000 + passedMs,
    connectWait: { everyMs: 1, forMs: 5 },
  },
  {
    accepts: (_, server) => server === 'maps',
    send(call) {
      sent.push(Buffer.from(call.body ?? []).toString());
      passedMs += lookMs;
      const next = script.length > 1 ? script.shift() : script[0];
      return Promise.resolve(next ?? answered);
    },
  },
);

type Changes = Partial<Omit<McpCall, 'message' | 'body'>> & {
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly elicitation?: unknown;
};

function callOf({ method = 'tools/call', params, elicitation = { url: {} }, ...changes }: Changes): McpCall {
  const meta = { [VERSION]: '2026-07-28', [CAPABILITIES]: { elicitation } };
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method,
    params: { name: 'draw', arguments: { x: 1.0 }, _meta: meta, ...params },
  });
  const headers = new Headers({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method });
  if (method !== 'tools/list') headers.set('mcp-name', String(params?.['name'] ?? 'draw'));
  const read = readMessage(Buffer.from(body), headers);
  if (!read.ok) throw new Error(read.error.message);
  return {
    caller: courier,
    policy,
    tokenHeader: 'authorization',
    server: 'maps',
    httpMethod: 'POST',
    message: read.value,
    body: Buffer.from(body),
    era: 'modern',
    headers,
    invocation: invocationOf(),
    stillHolds: () => Promise.resolve(holds),
    ...changes,
  };
}

/** The state that the client is given. */
async function stateOf(changes: Changes = {}): Promise<string> {
  const answer = await backend.send(callOf(changes));
  if (answer.ok || answer.error.reason !== 'connection_required') throw new Error('not asked');
  sent = [];
  return answer.error.requestState ?? '';
}

const retried = (requestState: string, action?: string) => ({
  params: {
    requestState,
    ...(action === undefined ? {} : { inputResponses: { sallyport_connect: { action } } }),
  },
});

describe('a call whose connection is missing', () => {
  test('is answered with a state where the client can be asked, another each time', async () => {
    const states = [await stateOf(), await stateOf()];
    expect(states[0]).toMatch(/^[A-Za-z0-9_-]{40,}$/);
    expect(states[0]).not.toBe(states[1]);
  });

  test.for([
    ['the client cannot be asked', { elicitation: { form: {} } }],
    ['the method takes no answer', { method: 'tools/list', params: { name: undefined } }],
  ] as const)('is answered without one where %s', async ([, changes]) => {
    expect(await stateOf(changes)).toBe('');
  });

  test('is answered without one where nothing can be sealed', async () => {
    seals = undefined;
    expect(await backend.send(callOf({}))).toEqual(err(missing));
  });

  test('is answered without one where there is no message', async () => {
    const { message: _, body: __, ...bare } = callOf({});
    expect(await backend.send({ ...bare, message: undefined, body: undefined })).toEqual(err(missing));
  });

  test('another denial is none of this', async () => {
    script = [err({ reason: 'unreachable', detail: 'x' })];
    expect(await backend.send(callOf({}))).toEqual(script[0]);
  });

  test('what the server behind accepts is its own', () => {
    expect([backend.accepts(policy, 'maps', 'POST'), backend.accepts(policy, 'other', 'POST')]).toEqual([
      true,
      false,
    ]);
  });
});

describe('the call that is sent again', () => {
  test('goes on without our state and without the answer to what we asked', async () => {
    const state = await stateOf();
    script = [answered];
    expect(await backend.send(callOf(retried(state, 'accept')))).toBe(answered);
    expect(sent).toHaveLength(1);
    const [first = ''] = sent;
    expect(JSON.parse(first)).toEqual(JSON.parse(Buffer.from(callOf({}).body ?? []).toString()));
    expect(first).toContain('{"x":1}');
    expect(first).not.toMatch(/requestState|inputResponses|sallyport_connect/);
  });

  test('waits for a user who agreed, and goes on when the connection is there', async () => {
    const state = await stateOf();
    script = [err(missing), err(missing), answered];
    expect(await backend.send(callOf(retried(state, 'accept')))).toBe(answered);
    expect(sent).toHaveLength(3);
  });

  test('is asked for again where the user takes longer', async () => {
    const state = await stateOf();
    const answer = await backend.send(callOf(retried(state, 'accept')));
    expect(answer).toMatchObject({ ok: false, error: { requestState: expect.any(String) } });
    expect(sent).toHaveLength(6);
  });

  test('waits by the clock, however long each look takes', async () => {
    const state = await stateOf();
    lookMs = 4;
    expect(await backend.send(callOf(retried(state, 'accept')))).toMatchObject({ ok: false });
    expect(sent).toHaveLength(3);
  });

  test('waits ten times in half a minute for one user, whatever state it comes with', async () => {
    const state = await stateOf();
    const waits = () => backend.send(callOf(retried(state, 'accept')));
    const all = await Promise.all(Array.from({ length: 10 }, waits));
    expect(sent.length).toBeGreaterThan(10);
    sent = [];
    const another = await stateOf();
    const answer = await backend.send(callOf(retried(another, 'accept')));
    // It is asked again, and goes through as soon as there is a connection.
    expect([answer, sent.length]).toMatchObject([{ error: { requestState: expect.any(String) } }, 1]);
    script = [answered];
    expect(await backend.send(callOf(retried(state, 'accept')))).toBe(answered);
    expect(all).toHaveLength(10);
    // Another user waits, and so does this one afterwards.
    script = [err(missing), answered];
    sent = [];
    const of = await stateOf({ caller: chief });
    script = [err(missing), answered];
    expect(await backend.send(callOf({ ...retried(of, 'accept'), caller: chief }))).toBe(answered);
    nowSeconds += 30;
    script = [err(missing), answered];
    expect(await backend.send(callOf(retried(state, 'accept')))).toBe(answered);
  });

  test('does not wait where that cannot be counted', async () => {
    const state = await stateOf();
    counter = {
      ...memoryCounter(),
      count: () => Promise.resolve(err({ reason: 'unavailable', detail: 'x' })),
    };
    expect(await backend.send(callOf(retried(state, 'accept')))).toMatchObject({
      error: { requestState: expect.any(String) },
    });
    expect(sent).toHaveLength(1);
  });

  test('is not sent again and again to a server that refuses the connection', async () => {
    const state = await stateOf();
    script = [err({ ...missing, isRefused: true })];
    const answer = await backend.send(callOf(retried(state, 'accept')));
    expect(answer).toMatchObject({ ok: false, error: { requestState: expect.any(String) } });
    expect(sent).toHaveLength(1);
  });

  test('waits no longer than its caller may call', async () => {
    const state = await stateOf();
    holds = err({ reason: 'revoked' });
    script = [err(missing), answered];
    expect(await backend.send(callOf(retried(state, 'accept')))).toEqual(err({ reason: 'revoked' }));
    expect(sent).toHaveLength(1);
  });

  test('waits for nobody who has left', async () => {
    const state = await stateOf();
    const call = callOf(retried(state, 'accept'));
    const gone = { ...call, invocation: { ...call.invocation, signal: AbortSignal.abort() } };
    expect(await backend.send(gone)).toMatchObject({ ok: false });
    expect(sent).toHaveLength(1);
  });

  test.for(['decline', 'cancel'])('is not asked for again after %s', async (action) => {
    const state = await stateOf();
    expect(await backend.send(callOf(retried(state, action)))).toEqual(err(missing));
    expect(sent).toHaveLength(1);
  });

  test('is asked for again where the client says nothing', async () => {
    const answer = await backend.send(callOf(retried(await stateOf())));
    expect(answer).toMatchObject({ ok: false, error: { requestState: expect.any(String) } });
    expect(sent).toHaveLength(1);
  });
});

describe('a state of ours', () => {
  test.for<readonly [string, (call: McpCall) => McpCall]>([
    ['of another caller', (call) => ({ ...call, caller: chief })],
    ['for another server', (call) => ({ ...call, server: 'other' })],
    [
      'for another tool',
      (call) => ({ ...call, message: call.message && { ...call.message, name: 'erase' } }),
    ],
    [
      'for another method',
      (call) => ({ ...call, message: call.message && { ...call.message, method: 'prompts/get' } }),
    ],
    [
      'past its time',
      (call) => {
        nowSeconds += 600;
        return call;
      },
    ],
  ])('%s is refused, and nothing is sent', async ([, change]) => {
    const call = callOf(retried(await stateOf(), 'accept'));
    script = [answered];
    expect(await backend.send(change(call))).toMatchObject({
      ok: false,
      error: { reason: 'malformed_message', code: -32602, id: call.message?.id },
    });
    expect(sent).toEqual([]);
  });

  test('cannot be looked at while the sealing secret cannot be read, and nothing is sent', async () => {
    const state = await stateOf();
    seals = undefined;
    expect(await backend.send(callOf(retried(state, 'accept')))).toMatchObject({
      error: { reason: 'unavailable' },
    });
    expect(sent).toEqual([]);
  });
});

describe('a state of the server behind', () => {
  test.for(['its-own', '', 'eyJhbGciOiJub25lIn0', 'A'.repeat(80)])(
    'travels untouched, with the answers to what it asked: %j',
    async (requestState) => {
      script = [answered];
      const inputResponses = { city: { action: 'accept', content: { name: 'Ulm' } }, sallyport_connect: 'x' };
      const call = callOf({ params: { requestState, inputResponses } });
      expect(await backend.send(call)).toBe(answered);
      expect(sent).toEqual([Buffer.from(call.body ?? []).toString()]);
    },
  );

  test('comes back with the answers to it where ours came between, also twice', async () => {
    const inputResponses = { city: { action: 'accept', content: { name: 'Ulm', size: 1.0 } } };
    const params = { requestState: 'its-own', inputResponses };
    const first = await stateOf({ params });
    const again = await stateOf(retried(first));
    script = [answered];
    await backend.send(callOf(retried(again, 'accept')));
    const [body = ''] = sent;
    expect(JSON.parse(body).params).toMatchObject(params);
    expect(body).not.toContain('sallyport_connect');
  });

  test('is not taken for ours where it is one that another purpose was sealed for', async () => {
    const other = sealer.seal('session', '', 'x', randomBytes(12));
    script = [answered];
    const call = callOf({ params: { requestState: other } });
    await backend.send(call);
    expect(sent).toEqual([Buffer.from(call.body ?? []).toString()]);
  });
});
