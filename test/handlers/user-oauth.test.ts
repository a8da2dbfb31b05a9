import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import type { Provider } from '../../functions/core/provider.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';
import type {
  ConnectionFailure,
  Connections,
  ConnectionToken,
} from '../../functions/handlers/connections/connections.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { CARRIER } from '../support/carrier.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const issuer = new TestIssuer();

const policy = policyOf({
  clients: [clientEntry('courier')],
  idps: [identityProvider('corp')],
});

function callerOf(claims: Readonly<Record<string, unknown>>): Caller {
  const caller = Caller.fromToken(issuer.verified(claims), policy);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  return caller.value;
}

const user = () => callerOf({ sub: 'corp:ana' });
const agent = () => callerOf({ sub: 'courier' });

const TOKEN: ConnectionToken = {
  token: new Secret('provider-token-0123456789'),
  version: 'consent.1',
  cloudIds: ['site-1', 'site-2'],
};

type Setting = {
  readonly mode?: 'user_oauth' | 'hybrid';
  readonly caller?: Caller;
  readonly answer?: Result<ConnectionToken, ConnectionFailure>;
  readonly provider?: Provider | undefined;
  readonly scopes?: readonly string[];
  readonly refused?: string;
  readonly isPreparation?: boolean;
  readonly headers?: readonly (readonly [string, string])[];
  readonly canSign?: boolean;
  readonly canSeal?: boolean;
};

/** What is put on, and what was asked for. */
async function put(setting: Setting = {}) {
  const {
    mode = 'user_oauth',
    caller = user(),
    answer = ok(TOKEN),
    canSign = true,
    canSeal = true,
  } = setting;
  const asked: Parameters<Connections['accessToken']>[] = [];
  const down = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
  const credentials = createCredentials({
    ...NO_TOKEN_ENDPOINT,
    secrets: { read: async () => err({ reason: 'missing', detail: 'none' }) },
    identityKey: {
      publicKey: async () => (canSign ? ok(issuer.identity.published) : down),
      sign: async () => ok('signature'),
    },
    connections: {
      async accessToken(...question) {
        asked.push(question);
        return answer;
      },
    },
    sealer: async () => (canSeal ? new Sealer(['a-sealing-secret-of-the-tests-0123456789']) : undefined),
    stage: 'test',
    now: () => NOW_SECONDS * 1_000,
  });
  const { scopes } = setting;
  const egress = {
    mode,
    key: 'client',
    fallback: 'none',
    provider: 'carrier',
    ...(scopes && { scopes }),
  } as const;
  const outgoing = { url: new URL('https://orders.example/mcp'), headers: new Map(setting.headers ?? []) };
  const done = await credentials.put({
    caller,
    target: serverEntry('orders', { egress }),
    provider: 'provider' in setting ? setting.provider : CARRIER,
    outgoing,
    origin: ORIGIN,
    callerAuthorization: null,
    refused: setting.refused,
    ...(setting.isPreparation === undefined ? {} : { isPreparation: setting.isPreparation }),
  });
  return { done, asked, headers: Object.fromEntries(outgoing.headers) };
}

describe('user_oauth', () => {
  test('puts on the token of the calling user’s own connection, which must not come back', async () => {
    const { done, asked, headers } = await put({ refused: 'consent.0' });
    expect(headers).toEqual({ authorization: 'Bearer provider-token-0123456789' });
    expect(done).toEqual({ ok: true, value: { hidden: [TOKEN.token], version: 'consent.1' } });
    expect(asked).toEqual([
      [{ orgId: 'acme', subject: 'corp:ana' }, CARRIER, { scopes: ['parcels.read'], refused: 'consent.0' }],
    ]);
  });

  test('needs the scopes of the server where it has any', async () => {
    const { asked } = await put({ scopes: ['parcels.write'] });
    expect(asked[0]?.[2]).toMatchObject({ scopes: ['parcels.write'] });
  });
});

describe('hybrid', () => {
  test('puts on who calls, and the token beside it', async () => {
    const { done, headers } = await put({ mode: 'hybrid' });
    expect(headers).toEqual({
      authorization: expect.stringMatching(/^Bearer ey.*\.signature$/),
      'x-provider-authorization': 'Bearer provider-token-0123456789',
    });
    const [, claims = ''] = headers['authorization']?.split('.') ?? [];
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      sub: 'corp:ana',
      aud: 'https://orders.internal.example.com/mcp',
    });
    expect(done.ok && done.value.hidden).toHaveLength(2);
    expect(done.ok && done.value.version).toBe('consent.1');
  });

  test('sends nothing where there is no identity', async () => {
    const { done, headers } = await put({ mode: 'hybrid', canSign: false });
    expect(done).toMatchObject({ error: { reason: 'unavailable' } });
    expect(headers).toEqual({});
  });
});

describe.each(['user_oauth', 'hybrid'] as const)('%s sends nothing', (mode) => {
  const FAILURES: readonly ConnectionFailure[] = [
    { reason: 'not_connected' },
    { reason: 'broken', detail: '' },
    { reason: 'lacks_scopes', missing: ['parcels.write'] },
  ];
  test.for(FAILURES)(
    'without a connection that serves ($reason), and asks the user for one',
    async (failure) => {
      const { done, headers } = await put({ mode, answer: err(failure) });
      expect(done).toMatchObject({
        error: {
          reason: 'connection_required',
          displayName: 'The carrier',
          url: expect.stringMatching(/\/connect\/carrier\?/),
          detail: `${failure.reason} at carrier`,
        },
      });
      expect(headers).toEqual({});
    },
  );

  test('while the vault or the provider is out, or nothing can be sealed', async () => {
    const down = err({ reason: 'unavailable', detail: 'x' } as const);
    expect((await put({ mode, answer: down })).done).toMatchObject({ error: { reason: 'unavailable' } });
    const missing = err({ reason: 'not_connected' } as const);
    expect((await put({ mode, answer: missing, canSeal: false })).done).toMatchObject({
      error: { reason: 'unavailable' },
    });
  });

  test('for an agent, which has no connections', async () => {
    const { done, asked, headers } = await put({ mode, caller: agent() });
    expect(done).toMatchObject({
      error: { reason: 'missing_credential', detail: expect.stringContaining('courier is no user') },
    });
    expect(asked).toEqual([]);
    expect(headers).toEqual({});
  });

  test('where the policy has no provider any more', async () => {
    const { done, asked } = await put({ mode, provider: undefined });
    expect(done).toMatchObject({ error: { reason: 'missing_credential' } });
    expect(asked).toEqual([]);
  });
});

describe('what only prepares a call', () => {
  const none = err({ reason: 'not_connected' } as const);
  const lacks = expect.objectContaining({ reason: 'connection_required' });

  test('goes without a connection that is missing, and says so', async () => {
    const { done, headers } = await put({ answer: none, isPreparation: true });
    expect(done).toEqual({ ok: true, value: { hidden: [], version: undefined, lacks } });
    expect(headers).toEqual({});
  });

  test('goes with the identity alone, where that is asked for too', async () => {
    const { done, headers } = await put({ mode: 'hybrid', answer: none, isPreparation: true });
    expect(done).toMatchObject({ ok: true, value: { lacks } });
    expect(headers).toEqual({ authorization: expect.stringMatching(/^Bearer ey.*\.signature$/) });
    const unsigned = await put({ mode: 'hybrid', answer: none, isPreparation: true, canSign: false });
    expect(unsigned.done).toMatchObject({ error: { reason: 'unavailable' } });
  });

  test('goes with the connection that there is', async () => {
    const { done, headers } = await put({ isPreparation: true });
    expect(headers).toEqual({ authorization: 'Bearer provider-token-0123456789' });
    expect(done.ok && done.value.lacks).toBeUndefined();
  });

  test('goes nowhere for an agent, or while the vault is out', async () => {
    const down = err({ reason: 'unavailable', detail: 'x' } as const);
    for (const setting of [{ caller: agent() }, { answer: down }]) {
      const { done, headers } = await put({ ...setting, isPreparation: true });
      expect(done.ok).toBe(false);
      expect(headers).toEqual({});
    }
  });
});

describe.each(['user_oauth', 'hybrid'] as const)('%s names an Atlassian site', (mode) => {
  const provider = { ...CARRIER, sitesUrl: 'https://api.atlassian.com/oauth/token/accessible-resources' };
  const named = (id: string) => [['x-atlassian-cloud-id', id]] as const;

  test('the first, or the one that the caller names', async () => {
    expect((await put({ mode, provider })).headers).toMatchObject({ 'x-atlassian-cloud-id': 'site-1' });
    const second = await put({ mode, provider, headers: named('site-2') });
    expect(second.headers).toMatchObject({ 'x-atlassian-cloud-id': 'site-2' });
  });

  test('and sends nothing to one that the connection does not open', async () => {
    const { done, headers } = await put({ mode, provider, headers: named('site-9') });
    expect(done).toMatchObject({
      error: { reason: 'missing_credential', detail: expect.stringContaining('other sites') },
    });
    expect(headers).toEqual({ 'x-atlassian-cloud-id': 'site-9' });
    const none = await put({ mode, provider, answer: ok({ ...TOKEN, cloudIds: [] }) });
    expect(none.done).toMatchObject({ error: { detail: expect.stringContaining('no site') } });
  });
});
