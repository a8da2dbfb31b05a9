import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  byBearer,
  type Claims,
  LONG_NAMESPACE,
  type OpenedScope,
  type RunDoors,
  startRunDoors,
} from '../support/run-doors.ts';
import type { KeyName, Part } from '../support/token-forge.ts';

let doors: RunDoors;
beforeAll(async () => {
  doors = await startRunDoors();
});
afterAll(() => doors?.close());

const here = (section: unknown) => ({ services: { 'context-store': section } });
const flat = (section: Claims) => ({ aud: 'context-store', services: undefined, ...section });
const now = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const times = (iat: number, exp: number) => ({ iat: now(iat), exp: now(exp) });

const scope = (changes: Partial<OpenedScope> = {}): OpenedScope => ({
  orgId: 'acme',
  namespace: 'atlas',
  filters: { session: 's-1' },
  write: true,
  ...changes,
});

/** The verifier for other services and the context store, by each of its headers, open as is expected. */
async function expectBoth(token: string, expected: OpenedScope | number): Promise<void> {
  expect(await doors.verify(token)).toEqual(expected);
  const outcome = typeof expected === 'number' ? expected : doors.served(expected);
  expect(await doors.knock(token)).toEqual([outcome, outcome]);
}

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 'v']));
const filtered = (scope_filters: unknown) => here({ namespace: 'atlas', scope_filters });

describe('a run token', () => {
  test.for<readonly [string, () => Claims, OpenedScope | 401 | 403]>([
    ['with filters', () => ({}), scope()],
    [
      'with two filters',
      () => filtered({ session: 's-1', a: '1' }),
      scope({ filters: { session: 's-1', a: '1' } }),
    ],
    ['with a filter that no document has', () => filtered({ b: '2' }), scope({ filters: { b: '2' } })],
    [
      'in the flat shape',
      () => flat({ namespace: 'n', scope_filters: { a: '1' } }),
      scope({ namespace: 'n', filters: { a: '1' } }),
    ],
    [
      'in the flat shape for a list of one',
      () => ({ ...flat({ namespace: 'n' }), aud: ['context-store'] }),
      scope({ namespace: 'n', filters: {} }),
    ],
    [
      'of which another service has a section too',
      () => ({
        aud: ['charts', 'context-store'],
        services: { charts: { namespace: 'n' }, ...here({ namespace: 'atlas' }).services },
      }),
      scope({ filters: {} }),
    ],
    ['without filters', () => here({ namespace: 'atlas' }), scope({ filters: {} })],
    ['with empty filters', () => filtered({}), scope({ filters: {} })],
    ['with as many filters as there may be', () => filtered(many(32)), scope({ filters: many(32) })],
    [
      'with the longest namespace',
      () => here({ namespace: LONG_NAMESPACE }),
      scope({ namespace: LONG_NAMESPACE, filters: {} }),
    ],
    [
      'with members of the service’s own',
      () => here({ namespace: 'atlas', theme: 'dark' }),
      scope({ filters: {} }),
    ],
    [
      'of another organisation',
      () => ({ org_id: 'globex', client_id: 'globex-coordinator' }),
      scope({ orgId: 'globex' }),
    ],
    ['to read', () => ({ permissions: ['read'] }), scope({ write: false })],
    ['to write and read', () => ({ permissions: ['write', 'read'] }), scope()],
    ['without permissions', () => ({ permissions: undefined }), scope()],
    ['that has a minute to live', () => times(-3540, 60), scope()],
    ['for another service', () => ({ aud: ['charts'], services: { charts: { namespace: 'atlas' } } }), 403],
    [
      'for another service in the flat shape',
      () => ({ ...flat({ namespace: 'atlas' }), aud: 'charts' }),
      403,
    ],
    ['whose audience leaves the store out', () => ({ aud: ['charts'] }), 403],
    [
      'for a service of a name that only begins alike',
      () => ({ aud: ['context-store-2'], services: { 'context-store-2': { namespace: 'n' } } }),
      403,
    ],
    ['for no service', () => ({ services: {} }), 403],
    ['without a namespace', () => here({}), 403],
    ['with filters and without a namespace', () => here({ scope_filters: { session: 's-1' } }), 403],
    ['with a namespace that is a number', () => here({ namespace: 7 }), 401],
    ['with a namespace that is null', () => here({ namespace: null }), 401],
    ['with a namespace with a #', () => here({ namespace: 'atlas#x' }), 401],
    ['with an empty namespace', () => here({ namespace: '' }), 401],
    ['with a namespace that is too long', () => here({ namespace: `${LONG_NAMESPACE}x` }), 401],
    ['with filters that are null', () => filtered(null), 401],
    ['with filters that are a list', () => filtered(['session']), 401],
    ['with filters that are text', () => filtered('session=s-1'), 401],
    ['with too many filters', () => filtered(many(33)), 401],
    ['with a filter without a name', () => filtered({ '': 's-1' }), 401],
    ['with a filter that is a list', () => filtered({ session: ['s-1'] }), 401],
    ['with a filter that is a number', () => filtered({ session: 1 }), 401],
    ['with a filter that is too long', () => filtered({ session: 's'.repeat(1025) }), 401],
    ['with a section that is a list', () => here([]), 401],
    [
      'with a malformed section for another service',
      () => ({ services: { ...here({ namespace: 'atlas' }).services, charts: 1 } }),
      401,
    ],
    ['with services that are a list', () => ({ services: [] }), 401],
    ['in both shapes', () => ({ namespace: 'atlas' }), 401],
    [
      'in the flat shape for two services',
      () => ({ ...flat({ namespace: 'n' }), aud: ['context-store', 'b'] }),
      401,
    ],
    ['without an audience', () => ({ aud: undefined }), 401],
    ['without an organisation', () => ({ org_id: undefined }), 401],
    ['without a client', () => ({ client_id: undefined }), 401],
    ['without a run', () => ({ sub: undefined }), 401],
    ['with a run id with a colon', () => ({ sub: 'okta:sam' }), 401],
    ['without a jti', () => ({ jti: undefined }), 401],
    ['with a jti that is too long', () => ({ jti: 'j'.repeat(256) }), 401],
    ['of another issuer', () => ({ iss: 'https://evil.example.com' }), 401],
    ['of our issuer with a slash', () => ({ iss: `${doors.cloud.origin}/` }), 401],
    ['of another kind', () => ({ token_kind: 'identity' }), 401],
    ['of no kind', () => ({ token_kind: undefined }), 401],
    ['with a permission that is none', () => ({ permissions: ['read', 'admin'] }), 401],
    ['with permissions as text', () => ({ permissions: 'read' }), 401],
    ['to write and not to read', () => ({ permissions: ['write'] }), 401],
    ['that is expired', () => times(-600, -60), 401],
    ['that is not valid yet', () => times(60, 120), 401],
    ['that lives for two hours', () => times(0, 7200), 401],
    ['that ends before it begins', () => times(0, -1), 401],
    ['with an expiry as text', () => ({ exp: String(now(60)) }), 401],
    ['without an expiry', () => ({ exp: undefined }), 401],
    ['that is not to be used before a time', () => ({ nbf: now(-60) }), 401],
    ['bound to a key', () => ({ cnf: { jkt: 'x' } }), 401],
  ])('%s is the same to the store and to the verifier for other services', async ([, changes, expected]) => {
    await expectBoth(await doors.token(changes()), expected);
  });

  test.for<readonly [string, (header: Claims) => Part]>([
    ['of access by its type', (header) => ({ ...header, typ: 'at+jwt' })],
    ['of no type', (header) => ({ ...header, typ: undefined })],
    ['of another algorithm', (header) => ({ ...header, alg: 'RS512' })],
    ['without a key id', (header) => ({ ...header, kid: undefined })],
    ['with a key of its own', (header) => ({ ...header, jwk: {} })],
    [
      'with a header that is twice what it says',
      (header) => JSON.stringify(header).replace('{', '{"typ":"JWT",'),
    ],
    ['with a header that is a list', () => '[]'],
  ])('%s is refused by both', async ([, change]) => {
    await expectBoth(
      await doors.forge.sign({ header: change(doors.forge.header), payload: doors.claims() }),
      401,
    );
  });

  test.for<readonly [string, (payload: string) => Part]>([
    ['says its scope twice', (payload) => payload.replace('{', '{"services":{},')],
    ['is no JSON', () => 'claims'],
    ['is a list', (payload) => `[${payload}]`],
    ['has its expiry as a fraction', (payload) => payload.replace(/("exp":\d+)/, '$1.5')],
  ])('whose payload %s is refused by both', async ([, change]) => {
    await expectBoth(await doors.forge.sign({ payload: change(JSON.stringify(doors.claims())) }), 401);
  });

  test.for<readonly [string, (token: string) => string]>([
    ['without a signature', (token) => token.replace(/[^.]+$/, '')],
    ['with another’s signature', (token) => token.replace(/[^.]+$/, 'A'.repeat(342))],
    ['with a payload that was changed', (token) => token.replace(/\.(.{8})/, '.AAAAAAAA')],
    ['with something after it', (token) => `${token}=`],
    ['of two parts', (token) => token.replace(/\.[^.]+$/, '')],
  ])('%s is refused by both', async ([, change]) => {
    await expectBoth(change(await doors.token()), 401);
  });

  test.for<readonly [string, KeyName, string | undefined]>([
    ['of an unknown key', 'issuer', 'A'.repeat(43)],
    ['of the gateway’s key', 'identity', undefined],
    ['of the gateway’s key in the name of the issuer’s', 'identity', 'issuer'],
    ['of the issuer’s key in the name of the gateway’s', 'issuer', 'identity'],
  ])('%s is refused by both', async ([, key, named]) => {
    const kid =
      named === 'issuer' || named === 'identity'
        ? doors.forge.keyIds[named]
        : (named ?? doors.forge.keyIds[key]);
    const token = await doors.forge.sign({
      header: { ...doors.forge.header, kid },
      payload: doors.claims(),
      key,
    });
    await expectBoth(token, 401);
  });
});

describe('the tokens of a run', () => {
  const about = {
    agent_name: 'pilot',
    context: { namespace: 'atlas', scope_filters: { session: 's-2' } },
    services: { charts: { namespace: 'n' } },
  };
  const opened = scope({ filters: { session: 's-2' } });

  test('are the same to both, joined', async () => {
    const { service_token: token } = await doors.coordinate('', { ...about, permissions: ['read'] });
    await expectBoth(token, { ...opened, write: false });
  });

  test('are the same to both, split, each for its service alone', async () => {
    const { service_tokens: tokens } = await doors.coordinate('', { ...about, split: true });
    await expectBoth(tokens['context-store'] ?? '', opened);
    await expectBoth(tokens['charts'] ?? '', 403);
  });

  test('are the same to both once they were refreshed', async () => {
    const { run_id: id } = await doors.coordinate('', about);
    const { service_token: token } = await doors.coordinate(`/${id}/token`);
    await expectBoth(token, opened);
  });
});

describe('what a service outside cannot know, the store does', () => {
  test.for<readonly [string, Claims, OpenedScope | number, number]>([
    ['an unknown coordinator', { client_id: 'ghost' }, scope(), 401],
    ['a coordinator of another organisation', { org_id: 'globex' }, scope({ orgId: 'globex' }), 401],
    ['a coordinator that may open no runs any more', { client_id: 'closed' }, scope(), 403],
    [
      'a namespace that its coordinator has lost',
      here({ namespace: 'lost' }),
      scope({ namespace: 'lost', filters: {} }),
      403,
    ],
    ['an unknown coordinator and no section', { client_id: 'ghost', services: {} }, 403, 401],
  ])('%s', async ([, changes, outside, inside]) => {
    const token = await doors.token(changes);
    expect(await doors.verify(token)).toEqual(outside);
    expect(await doors.knock(token)).toEqual([inside, inside]);
  });

  test('a run that was completed, whatever is in its token', async () => {
    const context = { namespace: 'n' };
    const { run_id: sub, service_token: token } = await doors.coordinate('', {
      agent_name: 'pilot',
      context,
    });
    const elsewhere = await doors.token({ sub, aud: ['charts'], services: { charts: context } });
    await expectBoth(token, scope({ namespace: 'n', filters: {} }));
    await expectBoth(elsewhere, 403);
    await doors.coordinate(`/${sub}/complete`);
    const url = `${doors.cloud.origin}/context/documents`;
    for (const one of [token, elsewhere]) {
      const status = async () => (await fetch(url, { headers: byBearer(one) })).status;
      await expect.poll(status, { timeout: 20_000, interval: 250 }).toBe(401);
    }
    expect(await doors.verify(token)).toEqual(scope({ namespace: 'n', filters: {} }));
    expect(await doors.verify(elsewhere)).toBe(403);
  });
});
