import { deepStrictEqual, ok as holds, strictEqual } from 'node:assert';
import { z } from 'zod';
import { toRequest } from '../../../functions/aws/lambda.ts';
import { isPlainPath, matchesPath } from '../../../functions/core/path-pattern.ts';
import { err } from '../../../functions/core/result.ts';
import { NAME, parseRoute, type Route } from '../../../functions/core/route.ts';
import { createGateway } from '../../../functions/handlers/gateway.ts';
import { createIngress } from '../../../functions/handlers/ingress.ts';
import { ROUTES } from '../../../infra/routes.ts';
import { toProxyEvent } from '../../../local/api-gateway/proxy-event.ts';
import { type RouteMatch, RouteTable } from '../../../local/api-gateway/routes.ts';
import { UNASKED } from '../../support/counters.ts';
import { invocationOf } from '../../support/invocation.ts';
import { readApiTemplate } from '../api-template.ts';
import { type Asked, askedPath, METHODS } from '../grammar-path.ts';
import { shorterTexts, smallerMember } from '../mutate.ts';
import { decodeOnce, type Matched, matchRoute } from '../oracle/request-path.ts';
import { createTarget, type Verdict } from '../target.ts';

const ORIGIN = 'https://gate.example.com';
/** First segments of our own: no server has such a name (contract §2). */
const OWN_SEGMENTS = [
  ...['.well-known', 'oauth', 'connect', 'healthz', 'egress', 'context', 'runs', 'servers', 'me'],
  ...['connections', 'tokens', 'admin'],
];

const table = new RouteTable(readApiTemplate(), 'Api');
const [ANY_MATCH] = METHODS.flatMap((method) => table.match(method, '/me') ?? []);

/**
 * A path from the request line to what is served. API Gateway's emulation, an independent matcher, the authorizer's reading and the
 * gateway's own router take it for the same route and the same server, or it is served by none: one decoding, no dot segment, no encoded
 * slash, no other case. The gateway alone, as if API Gateway let everything through, serves no other spelling either. A path that is plain
 * for an allow-list is the same to the URL parser, and stays so when it is decoded again.
 */
export const requestPath = createTarget<Asked>({
  name: 'path',
  input: z.object({ method: z.enum(METHODS), path: z.string() }),
  generate: askedPath,
  check,
  smaller: (asked) => smallerMember(asked, 'path', shorterTexts(asked.path)),
});

async function check({ method, path }: Asked): Promise<Verdict> {
  checkPlainPath(path);
  const isSent = REQUEST_TARGET.test(path);
  const match = isSent ? matchOf(method, path) : undefined;
  const expected = isSent ? matchRoute(path) : undefined;
  const methods = ROUTES.find((route) => route.path === expected?.path)?.methods ?? [];
  const isExpected = methods.some((one) => one === method || one === 'ANY');
  deepStrictEqual(
    match && { path: match.route.resourcePath, parameters: match.pathParameters },
    isExpected ? expected : undefined,
  );

  const authorized = parseRoute(path);
  if (expected !== undefined) checkAuthorizer(authorized, expected);
  const served = await serveBy(method, path, match);
  if (served === 'another path') return 'refused';
  if (served?.kind === 'mcp' && NAME.test(served.server)) {
    strictEqual(decodeOnce(path), `/${served.server}/mcp`, 'one decoding leads to the server');
    if (authorized.kind === 'mcp')
      holds(authorized.server === served.server || !NAME.test(authorized.server));
    if (!OWN_SEGMENTS.includes(served.server))
      holds(authorized.kind === 'mcp' || authorized.kind === 'gateway');
  }
  if (match?.route.resourcePath === '/{server}/mcp' && served !== undefined) {
    deepStrictEqual(served, { kind: 'mcp', server: match.pathParameters['server'] });
  }
  return match === undefined ? 'refused' : 'accepted';
}

/** The authorizer's route opens nothing but what is served: it is the same, or one that no token and no server is for. */
function checkAuthorizer(route: Route, { path, parameters }: Matched): void {
  const server =
    path === '/context-store/mcp'
      ? 'context-store'
      : path === '/{server}/mcp'
        ? parameters['server']
        : undefined;
  if (route.kind === 'mcp') {
    holds(
      route.server === server || !NAME.test(route.server) || OWN_SEGMENTS.includes(route.server),
      `${route.server} for ${server}`,
    );
  }
  if (route.kind === 'context') holds(path.startsWith('/context/') || server === 'context', path);
  if (route.kind === 'egress') holds(path.startsWith('/egress/') || server === 'egress', path);
}

function checkPlainPath(path: string): void {
  const isPlain = isPlainPath(path);
  strictEqual(matchesPath('/**', path), isPlain);
  if (!isPlain) return;
  const decoded = decodeOnce(path);
  const { pathname } = new URL(`https://h${path}`);
  strictEqual(decodeOnce(pathname), decoded, 'the URL parser only encodes');
  holds(
    decoded !== undefined && !/[%\\\p{Cc}]/u.test(decoded.replace(/[\u0080-\u009f]/g, '')),
    'nothing is left to decode',
  );
  strictEqual(decoded.split('/').length, path.split('/').length, 'no segment is won or lost');
  holds(!decoded.split('/').some((one) => one === '.' || one === '..'), 'no dot segment');
  if (matchesPath('/alpha/**', path)) holds(pathname.startsWith('/alpha/'), 'it stays where it was let in');
}

/** White space and control characters in a request line end it, or the connection. */
const REQUEST_TARGET = /^[^\s\p{Cc}]+$/u;

function matchOf(method: string, path: string): RouteMatch | undefined {
  try {
    return table.match(method, path);
  } catch {
    strictEqual(
      path.split('/').every((segment) => decodeOnce(segment) !== undefined),
      false,
      'broken encoding',
    );
    return undefined;
  }
}

let asked: Route | undefined;
const never = () => Promise.reject(new Error('a refused request goes no further'));
const ingress = createIngress({
  rulebook: { read: never },
  revocations: { isRevoked: never, revoke: never },
  foreignKeys: { find: never },
  clock: () => 0,
});
const gateway = createGateway({
  ingress: {
    ...ingress,
    async authenticate(_headers, route) {
      asked = route;
      return err({ reason: 'no_token' });
    },
  },
  audit: { write: async () => ({ ok: true, value: undefined }) },
  credentials: { put: never },
  upstream: { send: never },
  sealer: async () => undefined,
  nonce: () => new Uint8Array(12),
  counter: UNASKED,
  allowedOrigins: [],
  now: () => 0,
  log: (entry) => holds(entry['event'] !== 'bug', String(entry['detail'])),
});

/** What the gateway would serve, whether or not the API lets the path through; undefined where it answers that there is nothing. A path that is no URL's is refused before. */
async function serveBy(
  method: Asked['method'],
  path: string,
  match: RouteMatch | undefined,
): Promise<Route | 'another path' | undefined> {
  const route = match ?? ANY_MATCH;
  if (route === undefined) throw new Error('the route table has no /me');
  const request = toRequest(
    toProxyEvent(exchangeOf(method, path), route, undefined),
    new AbortController().signal,
  );
  if (request === undefined) return 'another path';
  asked = undefined;
  const response = await gateway.fetch(request, invocationOf({ signal: request.signal }));
  holds(response.status < 500, `answered ${response.status}`);
  return asked;
}

function exchangeOf(method: string, path: string): Parameters<typeof toProxyEvent>[0] {
  const api = {
    apiId: 'a',
    stage: 's',
    stageVariables: { origin: ORIGIN },
    domainName: 'd',
    binaryMediaTypes: ['*/*'],
  };
  const request = {
    method,
    path,
    query: new URLSearchParams(),
    headers: new Map(),
    body: Buffer.alloc(0),
    sourceIp: '127.0.0.1',
  };
  return {
    requestId: 'r-1',
    extendedRequestId: 'x-1',
    request,
    match: undefined,
    api,
    receivedAt: new Date(0),
  };
}
