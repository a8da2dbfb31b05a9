import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CALL_MS, type Dynamo } from '../../../functions/aws/dynamodb.ts';
import type { SecretStore } from '../../../functions/core/ports.ts';
import { LEASE_MS, REFRESH_MS, WRITE_MS } from '../../../functions/core/refresh-due.ts';
import { ok } from '../../../functions/core/result.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { CONNECT_REQUEST, type ConnectionCloud, startConnectionCloud } from '../../support/connection-app.ts';
import { type ScriptedProvider, send, startScriptedProvider } from '../../support/scripted-provider.ts';

const NEED = { scopes: ['parcels.read'] };
/** What a buffered function has (contract §2: `/connect`). */
const FUNCTION_MS = 29_000;

let cloud: ConnectionCloud;
let provider: ScriptedProvider;
let users = 0;

beforeAll(async () => {
  cloud = await startConnectionCloud();
});
afterAll(() => cloud.close());
beforeEach(async () => {
  provider = await startScriptedProvider();
  return () => provider.close();
});

const somebody = () => {
  users += 1;
  return { orgId: 'acme', subject: `office:slow-${users}` };
};

/** Secrets that have just been rotated, and take so long to be read. */
const rotated = (cachedMs: number, freshMs: number): SecretStore => ({
  async read(_, options) {
    cloud.time.ms += options?.fresh ? freshMs : cachedMs;
    const value = new Secret(`provider-client-secret-${options?.fresh ? 2 : 1}`);
    return ok({ value, versionId: 'v' });
  },
});

/** Every answer of the provider takes so long by the clock; the first one refuses our secret. */
function slow(ms: number, instead?: ScriptedProvider['instead']): () => number {
  let asked = 0;
  provider.instead = (request, answer) => {
    cloud.time.ms += ms;
    asked += 1;
    if (asked === 1) return send(answer, 401, { error: 'invalid_client' });
    return instead?.(request, answer) ?? false;
  };
  return () => asked;
}

describe('a refresh', () => {
  test('that takes as long as it may is made once, whoever else comes by then', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    cloud.time.ms += 3_600_000;
    const spent: (string | null)[] = [];
    let other: ReturnType<ReturnType<ConnectionCloud['environment']>['accessToken']> | undefined;
    slow(6_900, ({ body }, answer) => {
      spent.push(new URLSearchParams(body).get('refresh_token'));
      other ??= cloud.environment().accessToken(owner, provider.entry, NEED);
      const tokens = { access_token: 'access-of-one', token_type: 'Bearer', expires_in: 3_600 };
      setTimeout(() => send(answer, 200, { ...tokens, refresh_token: 'refresh-of-one' }), 200);
      return true;
    });
    const environment = cloud.environment({ secrets: rotated(900, 5_900) });
    const one = await environment.accessToken(owner, provider.entry, NEED);
    expect(spent).toEqual(['refresh-token-1']);
    for (const given of [one, await other]) {
      expect(given?.ok && given.value.token.reveal()).toBe('access-of-one');
    }
  });

  test('asks for nothing that it has no time left to wait for', async () => {
    const owner = somebody();
    await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
    cloud.time.ms += 3_600_000;
    const asked = slow(7_000);
    const environment = cloud.environment({ secrets: rotated(2_000, 5_900) });
    const startedAtMs = cloud.time.ms;
    expect(await environment.accessToken(owner, provider.entry, NEED)).toMatchObject({
      error: { reason: 'unavailable' },
    });
    expect(asked()).toBe(1);
    expect(cloud.time.ms - startedAtMs).toBeLessThanOrEqual(REFRESH_MS);
    // It is an outage: with our new secret the next one goes through.
    provider.instead = undefined;
    cloud.time.ms += 5_000;
    const next = await cloud.environment().accessToken(owner, provider.entry, NEED);
    expect(next.ok && next.value.token.reveal()).toBe('access-token-2');
  });
});

describe('storing what a refresh has brought', () => {
  test.for([CALL_MS, 1_000, 10])(
    'in a table that fails after %i ms each time is over before another holder can begin',
    async (takesMs) => {
      const owner = somebody();
      await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
      cloud.time.ms += 3_600_000;
      const startedAtMs = cloud.time.ms;
      const failedAtMs: number[] = [];
      const failing = (dynamo: Dynamo): Dynamo => ({
        async call(operation, input) {
          if (operation !== 'PutItem' || JSON.stringify(input).includes('holder'))
            return dynamo.call(operation, input);
          cloud.time.ms += takesMs;
          failedAtMs.push(cloud.time.ms - startedAtMs);
          return { ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } };
        },
      });
      // All the time that asking may take has gone by when it has its answer.
      provider.instead = () => {
        cloud.time.ms = startedAtMs + REFRESH_MS;
        return false;
      };
      const wait = async (ms: number) => {
        cloud.time.ms += ms;
      };
      const environment = cloud.environment({ wait }, failing);
      expect(await environment.accessToken(owner, provider.entry, NEED)).toMatchObject({
        error: { reason: 'unavailable' },
      });
      expect(failedAtMs.length).toBeGreaterThanOrEqual(2);
      expect(failedAtMs.at(-1)).toBeLessThanOrEqual(LEASE_MS);
    },
  );

  test('takes no longer for one write than is reckoned with', () => {
    expect(CALL_MS).toBeLessThanOrEqual(WRITE_MS);
  });
});

describe('while there is no data key', () => {
  const noDataKey = () =>
    cloud.faults.add({ service: 'kms', mode: 'error', operation: 'GenerateDataKey' }, Date.now());
  afterEach(() => cloud.faults.clear());

  test.for([
    ['at its end', 3_600_000, 'unavailable'],
    ['that still lives', 3_500_000, 'access-token-1'],
  ] as const)('the refresh of a token %s spends nothing, and is made afterwards', async ([, ageMs, then]) => {
    const owner = somebody();
    const environment = cloud.environment();
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    cloud.time.ms += ageMs;
    expect((await environment.find(owner, provider.entry)).ok).toBe(true);
    noDataKey();
    const given = await environment.accessToken(owner, provider.entry, NEED);
    expect(given.ok ? given.value.token.reveal() : given.error.reason).toBe(then);
    expect(provider.grants('refresh_token')).toEqual([]);
    expect(cloud.logged.at(-1)).toMatchObject({ event: 'connection_refresh_failed', provider: 'carrier' });
    cloud.faults.clear();
    cloud.time.ms += 60_000;
    const next = await environment.accessToken(owner, provider.entry, NEED);
    expect(next.ok && next.value.token.reveal()).toBe('access-token-2');
  });

  test('which is lost between the two, what a refresh has brought is stored all the same', async () => {
    const owner = somebody();
    const environment = cloud.environment();
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    cloud.time.ms += 3_600_000;
    provider.instead = () => {
      cloud.faults.add({ service: 'kms', mode: 'error' }, Date.now());
      return false;
    };
    const given = await environment.accessToken(owner, provider.entry, NEED);
    expect(given.ok && given.value.token.reveal()).toBe('access-token-2');
    cloud.faults.clear();
    const seen = await cloud.environment().accessToken(owner, provider.entry, NEED);
    expect(seen.ok && seen.value.token.reveal()).toBe('access-token-2');
  });

  test('no code is redeemed', async () => {
    const owner = somebody();
    const environment = cloud.environment();
    noDataKey();
    const failed = await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    expect(failed).toMatchObject({ error: { reason: 'unavailable' } });
    expect(provider.server.seen).toEqual([]);
    cloud.faults.clear();
    expect((await environment.connect(owner, provider.entry, CONNECT_REQUEST)).ok).toBe(true);
  });
});

describe('connecting', () => {
  const sites = { sitesUrl: '' };
  beforeEach(() => {
    sites.sitesUrl = `${provider.server.origin}/sites`;
  });

  test('ends while its function is there, and leaves nothing half stored', async () => {
    const owner = somebody();
    slow(6_900, ({ url }, answer) => url === '/sites' && send(answer, 200, [{ id: 's-1' }]));
    const startedAtMs = cloud.time.ms;
    const environment = cloud.environment({ secrets: rotated(900, 900) });
    const done = await environment.connect(owner, { ...provider.entry, ...sites }, CONNECT_REQUEST);
    expect(done).toMatchObject({ error: { reason: 'unavailable' } });
    expect(cloud.time.ms - startedAtMs).toBeLessThan(FUNCTION_MS);
    // The tokens and the account were there; the sites were not asked for any more.
    expect(provider.server.seen.map(({ url }) => url)).toEqual(['/token', '/token', '/me']);
    expect(await environment.find(owner, provider.entry)).toEqual(ok(undefined));
    expect(provider.server.seen.some(({ url }) => url === '/revoke')).toBe(false);
  });

  test('leaves the connection that there is as it was', async () => {
    const owner = somebody();
    const environment = cloud.environment();
    const before = await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    slow(6_900);
    const again = cloud.environment({ secrets: rotated(3_000, 5_900) });
    expect(await again.connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
      error: { reason: 'unavailable' },
    });
    provider.instead = undefined;
    expect(await environment.find(owner, provider.entry)).toEqual(before);
  });
});

test('disconnecting forgets without our secret or the provider where both take too long', async () => {
  const owner = somebody();
  const environment = cloud.environment({ secrets: rotated(13_000, 13_000) });
  await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
  expect(await environment.disconnect(owner, provider.entry)).toEqual(ok({ revoked: false }));
  expect(provider.server.seen.some(({ url }) => url === '/revoke')).toBe(false);
  expect(await environment.find(owner, provider.entry)).toEqual(ok(undefined));
});
