import { deepStrictEqual, ok as holds, strictEqual } from 'node:assert';
import { z } from 'zod';
import type { UpstreamRequest } from '../../../functions/core/ports.ts';
import { ok } from '../../../functions/core/result.ts';
import { createFrontDoor, LISTED, SERVERS, type ServerName } from '../front-door.ts';
import { type Posted, postedMessage, smallerPosts } from '../grammar-message.ts';
import { bytesOf } from '../mutate.ts';
import { readStrictly, readTree, type Tree, writeTree } from '../oracle/json-tree.ts';
import { EXACT_READERS, textOf } from '../oracle/lenient-readers.ts';
import { type Expected, expectedMessage, headerOf, idOf } from '../oracle/posted-message.ts';
import { createTarget, type Verdict } from '../target.ts';
import { POSTED, toHeaders } from './header-body.ts';

type Knock = Posted & { readonly server: ServerName };

const sent: UpstreamRequest[] = [];
const ANSWER = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}');
const door = createFrontDoor({
  async send(request) {
    sent.push(request);
    const headers = new Map([['content-type', 'application/json']]);
    return ok({ status: 200, headers, body: new Blob([ANSWER]).stream() });
  },
});
const member = EXACT_READERS[0]?.member ?? (() => undefined);
const MIRRORED = ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-param-region'];
/** JSON-RPC codes that a client of the stateless revision knows for its own era's (mcp 2026-07-28 §basic). */
const MODERN_CODES = [-32700, -32600, -32602, -32020, -32022];

/**
 * A POST to the gateway's own handler. Refused: no byte goes upstream, and whatever is 400 says so as a JSON-RPC error, with the id of
 * the request where it has one. Let through: exactly one request goes upstream, to that server, with exactly the bytes that were decided on and the
 * headers that mirror them. Policy is asked about what an independent reader finds in the body.
 */
export const gateway = createTarget<Knock>({
  name: 'gateway',
  input: POSTED.extend({ server: z.enum(SERVERS) }),
  generate: (random) => ({ ...postedMessage(random), server: random.pick(SERVERS) }),
  check,
  smaller: smallerPosts,
});

async function check({ server, headers: given, body }: Knock): Promise<Verdict> {
  const headers = toHeaders([
    ...given,
    ['authorization', `Bearer ${door.token}`],
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ]);
  if (headers === undefined) return 'refused';
  sent.length = 0;
  door.records.length = 0;
  const response = await door.knock(server, headers, bytesOf(body));
  const answer = await response.text();
  const tree = readStrictly(bytesOf(body));
  const message = tree === undefined ? undefined : expectedMessage(tree, given);

  if (message === undefined) {
    strictEqual(sent.length, 0, 'nothing goes upstream');
    strictEqual(response.status, 400);
    const error = errorOf(answer);
    holds(MODERN_CODES.includes(error.code), `an error code of the protocol: ${error.code}`);
    strictEqual(error.id, (tree && idOf(tree)) ?? 'null', 'the id of the request');
    return 'refused';
  }
  const [decision] = door.records;
  const isAllowedAtAll = isAllowed(server, message);
  if (isAllowedAtAll && !pointsAtSomething(message.method, tree)) {
    strictEqual(sent.length, 0, 'nothing goes upstream');
    deepStrictEqual([response.status, errorOf(answer).code, decision?.decision], [400, -32602, 'deny']);
    return 'refused';
  }
  deepStrictEqual(
    [decision?.method, decision?.server],
    [message.method ?? 'POST', server],
    'recorded as decided',
  );
  if (!isAllowedAtAll) {
    strictEqual(sent.length, 0, 'nothing goes upstream');
    strictEqual(decision?.decision, 'deny');
    strictEqual(response.status, message.kind === 'request' ? 200 : 403);
    if (message.method !== 'tools/call' || message.kind !== 'request')
      strictEqual(errorOf(answer).code, -31001);
    return 'refused';
  }
  strictEqual(decision?.decision, 'allow');
  strictEqual(response.status, 200, answer);
  strictEqual(sent.length, 1, 'one request goes upstream');
  const [request] = sent;
  strictEqual(request?.url.href, `https://${server}.example.com/mcp`);
  strictEqual(
    Buffer.from(request.body ?? []).toString(),
    tree && writeTree(tree),
    'the bytes that were decided on',
  );
  const mirrored = MIRRORED.flatMap((name) => {
    const value = headerOf(given, name);
    return value === null ? [] : [[name, value] as const];
  });
  const own = [
    ['accept', 'application/json, text/event-stream'],
    ['content-type', 'application/json'],
    ['user-agent', 'sallyport/0.1.0'],
  ] as const;
  deepStrictEqual(
    [...request.headers].sort(),
    [...own, ...mirrored].sort(),
    'the headers of MCP and no others',
  );
  return 'accepted';
}

/** What the policy of {@link createFrontDoor} says, by its words. */
function isAllowed(server: ServerName, { kind, method, name }: Expected): boolean {
  if (server === 'open' || method === undefined || method === 'ping') return true;
  if (kind === 'notification' && method.startsWith('notifications/')) return true;
  const methods: readonly string[] = LISTED.methods;
  const tools: readonly string[] = LISTED.tools;
  if (method === 'tools/call') return name !== undefined && tools.includes(name);
  return methods.includes(method === 'server/discover' ? 'initialize' : method);
}

/** Does a completion say what it completes, and a subscription what it watches? Both are decided on, within bounds. */
function pointsAtSomething(method: string | undefined, tree: Tree | undefined): boolean {
  const at = (...path: readonly string[]) => path.reduce<Tree | undefined>(member, tree);
  if (method === 'completion/complete') {
    const holder = { 'ref/prompt': 'name', 'ref/resource': 'uri' }[textOf(at('params', 'ref', 'type')) ?? ''];
    return holder !== undefined && isAddress(textOf(at('params', 'ref', holder)));
  }
  const watched =
    method === 'subscriptions/listen' ? at('params', 'notifications', 'resourceSubscriptions') : undefined;
  return (
    watched === undefined ||
    (watched.kind === 'array' &&
      watched.items.length <= 100 &&
      watched.items.every((uri) => isAddress(textOf(uri))))
  );
}

function isAddress(text: string | undefined): boolean {
  return text !== undefined && text !== '' && text.length <= 2_048;
}

function errorOf(answer: string): { readonly code: number; readonly id: string | undefined } {
  const tree = readTree(answer);
  strictEqual(textOf(member(tree, 'jsonrpc')), '2.0', `a JSON-RPC answer: ${answer}`);
  const error = member(tree, 'error');
  const code = member(error, 'code');
  const id = member(tree, 'id');
  holds((textOf(member(error, 'message')) ?? '') !== '', 'words for people');
  return { code: Number(code && writeTree(code)), id: id && writeTree(id) };
}
