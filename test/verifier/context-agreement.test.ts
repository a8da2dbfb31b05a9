import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { createContextStore } from '../../functions/handlers/context-store.ts';
import { createRunTokenVerifier } from '../../verifier/index.ts';
import { UNASKED } from '../support/counters.ts';
import { ingressOver } from '../support/ingress.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { makeKey, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
let server: Server;
let jwksUri: string;

beforeAll(async () => {
  const { keyId, n, e } = issuer.access.published;
  const keys = [{ kty: 'RSA', n, e, kid: keyId, alg: 'RS256', use: 'sig' }];
  server = createServer((_request, response) => response.end(JSON.stringify({ keys })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  jwksUri = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks.json`;
});
afterAll(() => server.close());

const NAMESPACES = ['atlas', 'n', 'x'.repeat(128)];

/** The context store, over documents that only say who asks. */
function openStore() {
  const seen: ContextCaller[] = [];
  const policy = policyOf({
    clients: [clientEntry('coordinator', { scopes: ['runs/issue'], runNamespaces: NAMESPACES })],
  });
  const list: DocumentStore['list'] = async (caller) => {
    seen.push(caller);
    return ok({ documents: [], nextCursor: undefined, total: 0 });
  };
  const app = createContextStore({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    audit: { write: async () => ok(undefined) },
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1_000,
    log: () => {},
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: a list of documents asks for nothing else
    documents: () => ({ list }) as unknown as DocumentStore,
    sealer: async () => new Sealer(['0'.repeat(64)]),
    randomBytes,
    counter: UNASKED,
    clock: () => NOW_SECONDS,
  });
  return { app, seen };
}

type Scope = {
  readonly orgId: string;
  readonly namespace: string;
  readonly filters: object;
  readonly write: boolean;
};

async function ofStore(token: string): Promise<Scope | number> {
  const { app, seen } = openStore();
  const { signal } = new AbortController();
  const response = await app.fetch(
    new Request(`${ORIGIN}/context/documents`, { headers: { authorization: `Bearer ${token}` } }),
    { requestId: 'r-1', origin: ORIGIN, sourceIp: '192.0.2.1', signal, waitUntil: () => {} },
  );
  const [caller] = seen;
  if (caller === undefined) return response.status;
  const { orgId, namespace, scopeFilters, permissions } = caller;
  return { orgId, namespace, filters: Object.fromEntries(scopeFilters), write: permissions === 'write' };
}

async function ofVerifier(token: string): Promise<Scope | number> {
  const verifier = createRunTokenVerifier({
    issuer: ORIGIN,
    service: 'context-store',
    jwksUri,
    clock: () => NOW_SECONDS,
  });
  const verified = await verifier.verify(`Bearer ${token}`);
  if (!verified.ok) return verified.refusal.status;
  const { orgId, namespace, scopeFilters, permissions } = verified.scope;
  return { orgId, namespace, filters: scopeFilters, write: permissions.write };
}

function runToken(changes: Record<string, unknown>, key = issuer.access): string {
  const claims = {
    iss: ORIGIN,
    sub: 'run-1',
    aud: ['context-store'],
    org_id: 'acme',
    client_id: 'coordinator',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 3600,
    jti: 'j-1',
    token_kind: 'run',
    permissions: ['read', 'write'],
    services: { 'context-store': { namespace: 'atlas', scope_filters: { session: 's-1' } } },
    ...changes,
  };
  const header = JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: key.published.keyId });
  return issuer.sign(header, JSON.stringify(claims), key);
}

const here = (section: unknown) => ({ services: { 'context-store': section } });
const flat = { aud: 'context-store', services: undefined };
const scope = (changes: Partial<Scope> = {}): Scope => ({
  orgId: 'acme',
  namespace: 'atlas',
  filters: { session: 's-1' },
  write: true,
  ...changes,
});

// What the shipped verifier cannot know is left out: revocation, and what the coordinator has lost since.
test.for<readonly [string, Record<string, unknown>, Scope | 401 | 403]>([
  ['with filters', {}, scope()],
  [
    'in the flat shape',
    { ...flat, namespace: 'n', scope_filters: { a: '1' } },
    scope({ namespace: 'n', filters: { a: '1' } }),
  ],
  ['without filters', here({ namespace: 'atlas' }), scope({ filters: {} })],
  ['with empty filters', here({ namespace: 'atlas', scope_filters: {} }), scope({ filters: {} })],
  [
    'with the longest namespace',
    here({ namespace: 'x'.repeat(128) }),
    scope({ namespace: 'x'.repeat(128), filters: {} }),
  ],
  ['to read', { permissions: ['read'] }, scope({ write: false })],
  ['without permissions', { permissions: undefined }, scope()],
  ['within the tolerance of its end', { iat: NOW_SECONDS - 60, exp: NOW_SECONDS - 4 }, scope()],
  ['within the tolerance of its beginning', { iat: NOW_SECONDS + 5 }, scope()],
  ['for another service', { aud: ['charts'], services: { charts: { namespace: 'atlas' } } }, 403],
  ['whose audience leaves the store out', { aud: ['charts'] }, 403],
  [
    'for a service of a name that only begins alike',
    { aud: ['context-store-2'], services: { 'context-store-2': { namespace: 'n' } } },
    403,
  ],
  ['without a namespace', here({}), 403],
  ['with a namespace that is a number', here({ namespace: 7 }), 401],
  ['with a namespace with a #', here({ namespace: 'atlas#x' }), 401],
  ['with an empty namespace', here({ namespace: '' }), 401],
  ['with filters that are null', here({ namespace: 'atlas', scope_filters: null }), 401],
  ['with filters that are a list', here({ namespace: 'atlas', scope_filters: ['session'] }), 401],
  ['with a filter that is a list', here({ namespace: 'atlas', scope_filters: { session: ['s-1'] } }), 401],
  ['with a filter that is a number', here({ namespace: 'atlas', scope_filters: { session: 1 } }), 401],
  ['with services that are a list', { services: [] }, 401],
  ['in both shapes', { namespace: 'atlas' }, 401],
  [
    'in the flat shape for two services',
    { services: undefined, aud: ['context-store', 'b'], namespace: 'n' },
    401,
  ],
  ['without an organisation', { org_id: undefined }, 401],
  ['without a jti', { jti: undefined }, 401],
  ['of another issuer', { iss: 'https://evil.example.com' }, 401],
  ['of another kind', { token_kind: 'identity' }, 401],
  ['of no kind', { token_kind: undefined }, 401],
  ['with a permission that is none', { permissions: ['read', 'admin'] }, 401],
  ['that is expired', { iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 6 }, 401],
  ['that is not valid yet', { iat: NOW_SECONDS + 6 }, 401],
  ['that lives for two hours', { exp: NOW_SECONDS + 7200 }, 401],
  ['bound to a key', { cnf: { jkt: 'x' } }, 401],
])(
  'a run token %s is the same to the store and to the verifier for other services',
  async ([, changes, expected]) => {
    const token = runToken(changes);
    expect([await ofStore(token), await ofVerifier(token)]).toEqual([expected, expected]);
  },
);

test.for(['access', 'identity'] as const)(
  'one of an unknown key of purpose %s is refused by both',
  async (purpose) => {
    const token = runToken({}, makeKey(purpose));
    expect([await ofStore(token), await ofVerifier(token)]).toEqual([401, 401]);
  },
);

test('one that the gateway’s key signed is refused by both', async () => {
  const token = runToken({}, issuer.identity);
  expect([await ofStore(token), await ofVerifier(token)]).toEqual([401, 401]);
});
