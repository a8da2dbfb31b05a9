import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConditionFailed, Dynamo } from '../../../functions/aws/dynamodb.ts';
import type { ConnectionOwner } from '../../../functions/core/connection.ts';
import type { Unavailable } from '../../../functions/core/ports.ts';
import { LEASE_MS } from '../../../functions/core/refresh-due.ts';
import { err } from '../../../functions/core/result.ts';
import type { Connections } from '../../../functions/handlers/connections/connections.ts';
import { losingAnswers } from '../../support/auth-table.ts';
import { CONNECT_REQUEST, type ConnectionCloud, startConnectionCloud } from '../../support/connection-app.ts';
import {
  hangUp,
  type ScriptedProvider,
  send,
  startScriptedProvider,
} from '../../support/scripted-provider.ts';

/** Of the tokens of the scripted provider. */
const LIFE_MS = 3_600_000;

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

/** Somebody who has just connected. */
async function connected(): Promise<ConnectionOwner> {
  users += 1;
  const owner = { orgId: 'acme', subject: `office:user-${users}` };
  const done = await cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST);
  if (!done.ok) throw new Error('nobody connected');
  return owner;
}

/** The access token that is given, or why none. */
async function ask(
  { accessToken }: Pick<Connections, 'accessToken'>,
  owner: ConnectionOwner,
  refused?: string,
): Promise<{ readonly token?: string; readonly version?: string; readonly reason?: string }> {
  const given = await accessToken(owner, provider.entry, { scopes: ['parcels.read'], refused });
  return given.ok
    ? { token: given.value.token.reveal(), version: given.value.version }
    : { reason: given.error.reason };
}

const refreshes = () => provider.grants('refresh_token');

const during =
  (url: string, respond: NonNullable<ScriptedProvider['instead']>): ScriptedProvider['instead'] =>
  (request, answer) =>
    request.url === url && respond(request, answer);

describe('a token', () => {
  test('serves until it is about to end, is refreshed then, and with the new refresh token the next time', async () => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += LIFE_MS - 301_000;
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-1' });
    cloud.time.ms += 2_000;
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-2' });
    cloud.time.ms += LIFE_MS;
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-3' });
    expect(refreshes().map(({ refresh_token }) => refresh_token)).toEqual([
      'refresh-token-1',
      'refresh-token-2',
    ]);
    expect(await environment.find(owner, provider.entry)).toMatchObject({
      value: { status: 'active', refreshedAtSeconds: Math.floor(cloud.time.ms / 1_000) },
    });
  });

  test('keeps its refresh token where the provider gives no other', async () => {
    provider.rotates = false;
    const owner = await connected();
    provider.tokens = { refresh_token: undefined, scope: undefined };
    const environment = cloud.environment();
    for (let round = 0; round < 3; round += 1) {
      cloud.time.ms += LIFE_MS;
      expect((await ask(environment, owner)).token).toBe(`access-token-${round + 2}`);
    }
    expect(new Set(refreshes().map(({ refresh_token }) => refresh_token))).toEqual(
      new Set(['refresh-token-1']),
    );
  });

  test('without an end serves until it is refused', async () => {
    provider.tokens = { expires_in: undefined };
    const owner = await connected();
    cloud.time.ms += 100 * LIFE_MS;
    expect(await ask(cloud.environment(), owner)).toMatchObject({ token: 'access-token-1' });
    expect(refreshes()).toEqual([]);
  });

  test('that ends and cannot be refreshed serves to its end', async () => {
    provider.tokens = { refresh_token: undefined };
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += LIFE_MS - 1_000;
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-1' });
    cloud.time.ms += 1_000;
    expect(await ask(environment, owner)).toEqual({ reason: 'broken' });
  });
});

describe('one refresh', () => {
  const PARALLEL = 100;

  test.for([1, 4])(
    'serves a hundred calls that find the token at its end, in %i environments',
    async (count) => {
      const owner = await connected();
      const environments = Array.from({ length: count }, () => cloud.environment());
      cloud.time.ms += LIFE_MS;
      const answers = await Promise.all(
        Array.from({ length: PARALLEL }, (_, call) =>
          ask(environments[call % count] ?? cloud.environment(), owner),
        ),
      );
      expect(new Set(answers.map(({ token }) => token))).toEqual(new Set(['access-token-2']));
      expect(refreshes()).toHaveLength(1);
    },
  );

  test('serves them too where every answer of the table is lost once', async () => {
    const owner = await connected();
    const environments = [1, 2].map(() => cloud.environment({}, losingAnswers));
    cloud.time.ms += LIFE_MS;
    const answers = await Promise.all(environments.flatMap((one) => [ask(one, owner), ask(one, owner)]));
    expect(new Set(answers.map(({ token }) => token))).toEqual(new Set(['access-token-2']));
    expect(refreshes()).toHaveLength(1);
  });

  const DOWN = { reason: 'unavailable', detail: 'a test’s outage' } as const;
  const LEASE_LOST: readonly (readonly [string, number, Unavailable | ConditionFailed])[] = [
    ['at its end', LIFE_MS, DOWN],
    ['that still lives', LIFE_MS - 100_000, { reason: 'condition_failed' }],
    ['that still lives, as no answer', LIFE_MS - 100_000, DOWN],
  ];
  test.for(LEASE_LOST)(
    'goes on with a lease that was written and whose answer was lost, of a token %s',
    async ([, ageMs, error]) => {
      const owner = await connected();
      cloud.time.ms += ageMs;
      let lost = 0;
      const losing = (dynamo: Dynamo): Dynamo => ({
        async call(operation, input) {
          const answer = await dynamo.call(operation, input);
          if (operation !== 'PutItem' || !JSON.stringify(input).includes('holder')) return answer;
          lost += 1;
          return err(error);
        },
      });
      const environment = cloud.environment({}, losing);
      expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-2' });
      expect([lost, refreshes().length]).toEqual([1, 1]);
    },
  );

  test('is not begun where nobody can say whether there is a lease', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const failing = (dynamo: Dynamo): Dynamo => ({
      call: async (operation, input) => (operation === 'PutItem' ? err(DOWN) : dynamo.call(operation, input)),
    });
    expect(await ask(cloud.environment({}, failing), owner)).toEqual({ reason: 'unavailable' });
    expect(refreshes()).toEqual([]);
    expect(await ask(cloud.environment(), owner)).toMatchObject({ token: 'access-token-2' });
  });

  test('is nobody’s wait while the token is still good', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS - 200_000;
    const [first, second] = [cloud.environment(), cloud.environment()];
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    provider.instead = during('/token', () => {
      arrived.resolve();
      return false;
    });
    // The first one is held where it has its answer and would write it.
    const holding = cloud.environment({
      upstream: holdAnswers(go.promise),
    });
    const leading = ask(holding, owner);
    await arrived.promise;
    expect(await ask(first, owner)).toMatchObject({ token: 'access-token-1' });
    expect(await ask(second, owner)).toMatchObject({ token: 'access-token-1' });
    expect(await ask(holding, owner)).toMatchObject({ token: 'access-token-1' });
    go.resolve();
    expect(await leading).toMatchObject({ token: 'access-token-2' });
    expect(refreshes()).toHaveLength(1);
  });

  test('holds up no call while the token is still good, and lasts as long as it takes', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS - 200_000;
    const go = Promise.withResolvers<void>();
    const holding = cloud.environment({ upstream: holdAnswers(go.promise) });
    const pending: Promise<unknown>[] = [];
    const beside = (environment: Pick<Connections, 'accessToken'>) =>
      environment.accessToken(owner, provider.entry, {
        scopes: ['parcels.read'],
        waitUntil: (work) => void pending.push(work),
      });
    for (let call = 0; call < 3; call += 1) {
      const given = await beside(holding);
      expect(given.ok && given.value.token.reveal()).toBe('access-token-1');
    }
    go.resolve();
    await Promise.all(pending);
    expect(await ask(cloud.environment(), owner)).toMatchObject({ token: 'access-token-2' });
    expect(refreshes()).toHaveLength(1);
    // At its end it is waited for.
    cloud.time.ms += LIFE_MS;
    const last = await beside(cloud.environment());
    expect(last.ok && last.value.token.reveal()).toBe('access-token-3');
  });

  test('beside a call breaks nothing where it throws', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS - 200_000;
    cloud.logged.length = 0;
    const throwing = cloud.environment({ upstream: { send: () => Promise.reject(new TypeError('a bug')) } });
    const pending: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void pending.push(work);
    expect((await throwing.accessToken(owner, provider.entry, { scopes: [], waitUntil })).ok).toBe(true);
    await Promise.all(pending);
    expect(cloud.logged).toMatchObject([{ event: 'connection_refresh_failed', detail: 'TypeError' }]);
  });

  test('of a holder that died is made by another one after its time', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const arrived = Promise.withResolvers<void>();
    const dying = cloud.environment({ upstream: holdAnswers(new Promise(() => {}), arrived.resolve) });
    void ask(dying, owner);
    await arrived.promise;
    // It never writes; the provider has not rotated for it either.
    provider.rotates = false;
    const waiting = ask(
      cloud.environment({
        wait: async () => {
          cloud.time.ms += 1_000;
        },
      }),
      owner,
    );
    expect(await waiting).toMatchObject({ reason: 'unavailable' });
    cloud.time.ms += LEASE_MS;
    expect((await ask(cloud.environment(), owner)).token).toMatch(/^access-token-[23]$/);
  });

  test('that comes late does not undo the one that came after it', async () => {
    provider.rotates = false;
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const go = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const late = ask(cloud.environment({ upstream: holdAnswers(go.promise, arrived.resolve) }), owner);
    await arrived.promise;
    cloud.time.ms += LEASE_MS + 1;
    const overtaking = cloud.environment();
    expect(await ask(overtaking, owner)).toMatchObject({ token: 'access-token-3' });
    go.resolve();
    expect((await late).token).toBe('access-token-3');
    expect(await ask(overtaking, owner)).toMatchObject({ token: 'access-token-3' });
  });

  test('whose refresh token the provider has replaced is not lost over the refusal of whoever came after it', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const go = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const late = ask(cloud.environment({ upstream: holdAnswers(go.promise, arrived.resolve) }), owner);
    await arrived.promise;
    cloud.time.ms += LEASE_MS + 1;
    // The provider has rotated for the late one: this one's refresh token is good for nothing.
    expect(await ask(cloud.environment(), owner)).toEqual({ reason: 'broken' });
    go.resolve();
    expect((await late).token).toBe('access-token-2');
    const after = cloud.environment();
    expect(await ask(after, owner)).toMatchObject({ token: 'access-token-2' });
    cloud.time.ms += LIFE_MS;
    expect((await ask(after, owner)).token).toMatch(/^access-token-\d$/);
  });

  test('does not bring back what was forgotten, nor touch what was connected anew meanwhile', async () => {
    for (const isAnew of [false, true]) {
      const owner = await connected();
      cloud.time.ms += LIFE_MS;
      const go = Promise.withResolvers<void>();
      const arrived = Promise.withResolvers<void>();
      const late = ask(cloud.environment({ upstream: holdAnswers(go.promise, arrived.resolve) }), owner);
      await arrived.promise;
      const environment = cloud.environment();
      await environment.disconnect(owner, provider.entry);
      if (isAnew) await environment.connect(owner, provider.entry, CONNECT_REQUEST);
      const present = await ask(environment, owner);
      go.resolve();
      const { token, reason } = await late;
      expect({ token, reason }).toEqual({ token: present.token, reason: present.reason });
      expect(await ask(environment, owner)).toEqual(present);
    }
  });

  test('that ends after its connection was forgotten is revoked', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const go = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const late = ask(cloud.environment({ upstream: holdAnswers(go.promise, arrived.resolve) }), owner);
    await arrived.promise;
    await cloud.environment().disconnect(owner, provider.entry);
    go.resolve();
    expect(await late).toEqual({ reason: 'not_connected' });
    const revoked = provider.server.seen
      .filter(({ url }) => url === '/revoke')
      .map(({ body }) => new URLSearchParams(body).get('token'));
    expect(revoked).toEqual(['refresh-token-1', 'refresh-token-2']);
  });

  test('is stored before anybody uses it, also by a table that fails for a while', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    let failing = 3;
    const flaky = (dynamo: Dynamo): Dynamo => ({
      async call(operation, input) {
        const isOfTokens = operation === 'PutItem' && !JSON.stringify(input).includes('holder');
        if (!isOfTokens || failing === 0) return dynamo.call(operation, input);
        failing -= 1;
        return { ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } };
      },
    });
    expect(await ask(cloud.environment({}, flaky), owner)).toMatchObject({ token: 'access-token-2' });
    expect(failing).toBe(0);
    expect(await ask(cloud.environment(), owner)).toMatchObject({ token: 'access-token-2' });
  });

  test('that cannot be stored is used by nobody, and in the log', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const down = (dynamo: Dynamo): Dynamo => ({
      call: async (operation, input) =>
        operation === 'PutItem' && !JSON.stringify(input).includes('holder')
          ? { ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } }
          : dynamo.call(operation, input),
    });
    expect(await ask(cloud.environment({}, down), owner)).toEqual({ reason: 'unavailable' });
    expect(cloud.logged).toContainEqual(expect.objectContaining({ event: 'connection_refresh_lost' }));
  });
});

describe('a provider that', () => {
  type Row = readonly [string, NonNullable<ScriptedProvider['instead']>];
  const answering =
    (status: number, body: object | string): Row[1] =>
    (_, answer) => {
      answer
        .writeHead(status, { 'content-type': 'application/json' })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    };
  const ENDS: readonly Row[] = [
    ['takes the refresh token no more', answering(400, { error: 'invalid_grant' })],
    ['says so as GitHub does', answering(200, { error: 'bad_refresh_token' })],
    ['says so as Slack does', answering(200, { ok: false, error: 'invalid_refresh_token' })],
    [
      'says so as Atlassian does',
      answering(403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }),
    ],
    ['wants its user to sign in, as Microsoft does', answering(400, { error: 'interaction_required' })],
    ['wants its user to agree, as Microsoft does', answering(400, { error: 'consent_required' })],
    ['wants its user to sign in again', answering(400, { error: 'login_required' })],
  ];
  test.for(ENDS)('%s ends the connection until it is made anew', async ([, instead]) => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    provider.instead = during('/token', instead);
    const environment = cloud.environment();
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(environment, owner)));
    expect(answers).toEqual(Array.from({ length: 5 }, () => ({ reason: 'broken' })));
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'broken' } });
    expect(await ask(cloud.environment(), owner)).toEqual({ reason: 'broken' });
    expect(refreshes()).toHaveLength(1);
    provider.instead = undefined;
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    expect((await ask(environment, owner)).token).toMatch(/^access-token/);
  });

  const DOUBTS: readonly Row[] = [
    [
      'says as X does that a value is invalid',
      answering(400, {
        error: 'invalid_request',
        error_description: 'Value passed for the token was invalid.',
      }),
    ],
    [
      'says as LinkedIn does that the request is invalid',
      answering(400, {
        error: 'invalid_request',
        error_description:
          'The provided authorization grant or refresh token is invalid, expired or revoked.',
      }),
    ],
    ['says nothing that is in any standard', answering(400, { status: 'BAD_REFRESH_TOKEN' })],
    ['forbids', answering(403, { error: 'forbidden' })],
  ];
  describe.for(DOUBTS)('%s', ([, instead]) => {
    test('has its user asked to connect, and is asked itself once a minute', async () => {
      const owner = await connected();
      cloud.time.ms += LIFE_MS;
      provider.instead = during('/token', instead);
      const environments = [cloud.environment(), cloud.environment()];
      for (let second = 0; second < 120; second += 5) {
        const answers = await Promise.all(environments.map((one) => ask(one, owner)));
        expect(answers).toEqual([{ reason: 'broken' }, { reason: 'broken' }]);
        cloud.time.ms += 5_000;
      }
      expect(refreshes()).toHaveLength(2);
      const [environment = cloud.environment()] = environments;
      expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'broken' } });
      provider.instead = undefined;
      await environment.connect(owner, provider.entry, CONNECT_REQUEST);
      expect((await ask(environment, owner)).token).toMatch(/^access-token/);
      expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
    });

    test('loses nobody a connection that it takes again', async () => {
      const owner = await connected();
      cloud.time.ms += LIFE_MS;
      provider.instead = during('/token', instead);
      expect(await ask(cloud.environment(), owner)).toEqual({ reason: 'broken' });
      // An outage in between says nothing more of the connection.
      provider.instead = during('/token', (_, answer) => hangUp(answer));
      cloud.time.ms += 60_000;
      expect(await ask(cloud.environment(), owner)).toEqual({ reason: 'broken' });
      provider.instead = undefined;
      cloud.time.ms += 60_000;
      expect(await ask(cloud.environment(), owner)).toMatchObject({ token: 'access-token-2' });
      expect(await cloud.environment().find(owner, provider.entry)).toMatchObject({
        value: { status: 'active' },
      });
    });

    test('takes no token away that still lives', async () => {
      const owner = await connected();
      const environment = cloud.environment();
      cloud.time.ms += LIFE_MS - 100_000;
      provider.instead = during('/token', instead);
      for (let call = 0; call < 3; call += 1) {
        expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-1' });
      }
      expect(refreshes()).toHaveLength(1);
      expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
      cloud.time.ms += 100_000;
      expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'broken' } });
      expect(await ask(environment, owner)).toEqual({ reason: 'broken' });
    });
  });

  test('refuses for no known reason after an upstream has, has its user asked to connect', async () => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += 60_000;
    const { version } = await ask(environment, owner);
    provider.instead = during('/token', answering(400, { error: 'invalid_request' }));
    expect(await ask(environment, owner, version)).toEqual({ reason: 'broken' });
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'broken' } });
  });

  test('refused for no known reason before an upstream does, is found broken by who is sent to connect', async () => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += LIFE_MS - 200_000;
    provider.instead = during('/token', answering(400, { error: 'invalid_request' }));
    const { version } = await ask(environment, owner);
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
    expect(await ask(environment, owner, version)).toEqual({ reason: 'broken' });
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'broken' } });
    expect(refreshes()).toHaveLength(1);
    provider.instead = undefined;
    cloud.time.ms += 60_000;
    expect(await ask(environment, owner, version)).toMatchObject({ token: 'access-token-2' });
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
  });

  test('refuses whoever has just been connected anew takes nothing from the new connection', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    const environment = cloud.environment();
    const go = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    provider.instead = ({ body }, answer) =>
      body.includes('refresh-token-1') && send(answer, 400, { error: 'invalid_request' });
    const late = ask(cloud.environment({ upstream: holdAnswers(go.promise, arrived.resolve) }), owner);
    await arrived.promise;
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    go.resolve();
    expect(await late).toEqual({ reason: 'unavailable' });
    expect((await ask(environment, owner)).token).toMatch(/^access-token/);
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
  });

  const OUTAGES: readonly Row[] = [
    ['is busy in words of its own', answering(403, { error: 'rate_limit_exceeded' })],
    ['is ill', answering(500, 'oops')],
    ['is ill in JSON', answering(503, { error: 'server_error' })],
    ['is ill, with a page that names the grant', answering(503, { error: 'invalid_grant' })],
    ['has had enough', answering(429, {})],
    ['does not take our client', answering(401, { error: 'invalid_client' })],
    ['refuses for no reason that ends a grant', answering(400, { error: 'unauthorized_client' })],
    ['answers no token', answering(200, {})],
    ['answers no JSON', answering(200, '<html>')],
    ['answers without end', answering(200, 'x'.repeat(300_000))],
    ['redirects', (_, answer) => void answer.writeHead(302, { location: '/elsewhere' }).end() === undefined],
    ['hangs up', (_, answer) => hangUp(answer)],
  ];
  test.for(OUTAGES)('%s ends nothing', async ([, instead]) => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += LIFE_MS - 100_000;
    provider.instead = during('/token', instead);
    // Still good: used, and not asked for again at every call.
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-1' });
    const asked = refreshes().length;
    for (let call = 0; call < 3; call += 1) {
      expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-1' });
    }
    expect(refreshes()).toHaveLength(asked);
    cloud.time.ms += 100_000;
    expect(await ask(environment, owner)).toEqual({ reason: 'unavailable' });
    expect(await environment.find(owner, provider.entry)).toMatchObject({ value: { status: 'active' } });
    provider.instead = undefined;
    cloud.time.ms += 5_000;
    expect((await ask(environment, owner)).token).toMatch(/^access-token-[2-9]$/);
  });

  test.for(['refresh_token', 'client_secret'])(
    'writes %s back as its error has it in no log',
    async (name) => {
      const owner = await connected();
      cloud.time.ms += LIFE_MS;
      cloud.logged.length = 0;
      let echoed = '';
      provider.instead = ({ url, body }, answer) => {
        if (url !== '/token') return false;
        echoed = new URLSearchParams(body).get(name) ?? '';
        return send(answer, 400, { error: echoed });
      };
      const given = await cloud.environment().accessToken(owner, provider.entry, { scopes: [] });
      expect(given).toMatchObject({ error: { detail: 'carrier: status 400, no known error code' } });
      expect(echoed).not.toBe('');
      expect(JSON.stringify([given, cloud.logged])).not.toContain(echoed);
    },
  );

  test('takes scopes away with the new token, which serves nothing that needs them', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    provider.tokens = { scope: 'parcels.count' };
    const environment = cloud.environment();
    expect(await ask(environment, owner)).toEqual({ reason: 'lacks_scopes' });
    expect(refreshes()).toHaveLength(1);
    expect(await ask(environment, owner)).toEqual({ reason: 'lacks_scopes' });
  });

  test('answers members that cannot be read loses none of the others', async () => {
    const owner = await connected();
    cloud.time.ms += LIFE_MS;
    provider.tokens = { expires_in: 'soon', scope: 7 };
    const environment = cloud.environment();
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-2' });
    provider.tokens = { expires_in: '600', scope: ['parcels.read', 'x'] };
    const { version } = await ask(environment, owner);
    cloud.time.ms += 60_000;
    expect(await ask(environment, owner, version)).toMatchObject({ token: 'access-token-3' });
    cloud.time.ms += 600_000;
    expect(await ask(environment, owner)).toMatchObject({ token: 'access-token-4' });
  });
});

describe('after a 401 of an upstream', () => {
  test('the token is refreshed once, and not again for one that refuses everything', async () => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += 60_000;
    const { version } = await ask(environment, owner);
    const second = await ask(environment, owner, version);
    expect(second).toMatchObject({ token: 'access-token-2' });
    expect(await ask(environment, owner, second.version)).toEqual(second);
    // Whoever was refused with the one before gets the present one.
    expect(await ask(environment, owner, version)).toEqual(second);
    expect(refreshes()).toHaveLength(1);
    cloud.time.ms += 30_000;
    expect(await ask(environment, owner, second.version)).toMatchObject({ token: 'access-token-3' });
  });

  test('while the provider is out there is no token', async () => {
    const owner = await connected();
    const environment = cloud.environment();
    cloud.time.ms += 60_000;
    const { version } = await ask(environment, owner);
    provider.instead = during('/token', (_, answer) => send(answer, 500, {}));
    expect(await ask(environment, owner, version)).toEqual({ reason: 'unavailable' });
  });

  const ASKED: readonly (readonly [string, number, object, string | undefined])[] = [
    ['does not know it any more', 401, {}, 'broken'],
    ['says so as Slack does', 200, { ok: false, error: 'token_revoked' }, 'broken'],
    ['knows it', 200, { id: 'account-1' }, undefined],
    ['is ill', 500, {}, undefined],
  ];
  test.for(ASKED)(
    'of a token that cannot be refreshed the provider is asked: it %s',
    async ([, status, body, reason]) => {
      provider.tokens = { refresh_token: undefined, expires_in: undefined };
      const owner = await connected();
      const environment = cloud.environment();
      const { version } = await ask(environment, owner);
      provider.instead = during('/me', (_, answer) => send(answer, status, body));
      const answer = await ask(environment, owner, version);
      if (reason !== undefined) expect(answer).toEqual({ reason });
      else expect(answer).toMatchObject({ token: 'access-token-1', version });
      // What the provider said stands; what nobody could say does not.
      expect((await ask(environment, owner)).reason).toBe(reason);
    },
  );

  test('a token that nobody can be asked about needs a new connection, and is tried again', async () => {
    provider.tokens = { refresh_token: undefined };
    const { account: _, ...silent } = provider.entry;
    users += 1;
    const owner = { orgId: 'acme', subject: `office:user-${users}` };
    const { connect, accessToken } = cloud.environment();
    await connect(owner, silent, CONNECT_REQUEST);
    const first = await accessToken(owner, silent, { scopes: [] });
    const refused = first.ok ? first.value.version : '';
    expect(await accessToken(owner, silent, { scopes: [], refused })).toMatchObject({
      error: { reason: 'broken' },
    });
    expect(await accessToken(owner, silent, { scopes: [] })).toMatchObject({ ok: true });
  });
});

/** The guarded client, whose answers of the token endpoint arrive when they are let go. */
function holdAnswers(go: Promise<void>, arrived: () => void = () => {}) {
  const { send: pass } = cloud.upstream;
  return {
    async send(request: Parameters<typeof pass>[0]) {
      const answer = await pass(request);
      if (request.url.pathname === '/token') {
        arrived();
        await go;
      }
      return answer;
    },
  };
}
