import { describe, expect, test } from 'vitest';
import type { Dynamo } from '../../../functions/aws/dynamodb.ts';
import { err } from '../../../functions/core/result.ts';
import type { Connections } from '../../../functions/handlers/connections/connections.ts';
import { CONNECT_REQUEST } from '../../support/connection-app.ts';
import { useConnectionWorld } from '../../support/connection-world.ts';
import { hangUp, type ScriptedProvider, send } from '../../support/scripted-provider.ts';

/** Of the tokens of the scripted provider. */
const LIFE_MS = 3_600_000;
/** After a refusal for no known reason. */
const PAUSE_MS = 60_000;

const world = useConnectionWorld();

type Instead = NonNullable<ScriptedProvider['instead']>;
type Asked = { readonly refused?: string | undefined; readonly beside?: Promise<unknown>[] };

/** Somebody who has just connected, as the gateway sees it. */
async function connected() {
  const owner = world.somebody();
  const environment = world.cloud.environment();
  const { entry } = world.provider;
  if (!(await environment.connect(owner, entry, CONNECT_REQUEST)).ok) throw new Error('nobody connected');
  const ask = async (
    { refused, beside }: Asked = {},
    { accessToken }: Pick<Connections, 'accessToken'> = environment,
  ) => {
    const waitUntil = beside && ((work: Promise<unknown>) => void beside.push(work));
    const given = await accessToken(owner, entry, { scopes: ['parcels.read'], refused, waitUntil });
    return given.ok
      ? { token: given.value.token.reveal(), version: given.value.version }
      : { reason: given.error.reason };
  };
  const status = async () => {
    const found = await environment.find(owner, entry);
    return found.ok ? found.value?.status : undefined;
  };
  return { ask, status };
}

const refreshing = (respond: Instead): void => {
  world.provider.instead = (request, answer) => request.url === '/token' && respond(request, answer);
};
const refuse: Instead = (_, answer) => send(answer, 400, { error: 'invalid_request' });
const refreshes = () => world.provider.grants('refresh_token').length;

describe('a doubt of a token that still lives', () => {
  const FAILURES: readonly (readonly [string, Instead])[] = [
    ['is ill', (_, answer) => send(answer, 500, {})],
    ['hangs up', (_, answer) => hangUp(answer)],
    ['does not take our client', (_, answer) => send(answer, 401, { error: 'invalid_client' })],
  ];
  test.for(FAILURES)(
    'is found by who is sent to connect when an upstream refuses it and the provider %s',
    async ([, respond]) => {
      const { ask, status } = await connected();
      world.cloud.time.ms += LIFE_MS - 250_000;
      refreshing(refuse);
      const { version } = await ask();
      expect(await status()).toBe('active');
      world.cloud.time.ms += PAUSE_MS;
      refreshing(respond);
      expect(await ask({ refused: version })).toEqual({ reason: 'broken' });
      expect(await status()).toBe('broken');
    },
  );

  test('sends nobody to connect where that could not be noted', async () => {
    const { ask, status } = await connected();
    world.cloud.time.ms += LIFE_MS - 250_000;
    refreshing(refuse);
    const { version } = await ask();
    const failing = (dynamo: Dynamo): Dynamo => ({
      call: async (operation, input) =>
        operation === 'PutItem'
          ? err({ reason: 'unavailable', detail: 'a test’s outage' })
          : dynamo.call(operation, input),
    });
    const down = world.cloud.environment({}, failing);
    expect(await ask({ refused: version }, down)).toEqual({ reason: 'unavailable' });
    expect(await status()).toBe('active');
    expect(await ask({ refused: version })).toEqual({ reason: 'broken' });
    expect(await status()).toBe('broken');
  });
});

describe('a doubt from now on', () => {
  const LIVES: readonly (readonly [string, number | undefined])[] = [
    ['has no end', undefined],
    ['lives long', 30 * 86_400],
  ];
  describe.for(LIVES)('of a token that %s', ([, expires_in]) => {
    test('is over once the provider takes it again, by the next call', async () => {
      world.provider.tokens = { expires_in };
      const { ask, status } = await connected();
      world.cloud.time.ms += 60_000;
      const { version } = await ask();
      refreshing((_, answer) => send(answer, 403, { message: 'blocked' }));
      expect(await ask({ refused: version })).toEqual({ reason: 'broken' });
      expect(await status()).toBe('broken');
      world.provider.instead = undefined;
      world.cloud.time.ms += PAUSE_MS;
      const beside: Promise<unknown>[] = [];
      expect(await ask({ beside })).toMatchObject({ token: 'access-token-1' });
      await Promise.all(beside);
      expect(await status()).toBe('active');
      expect(await ask()).toMatchObject({ token: 'access-token-2' });
    });

    test('takes no token away, and is looked at once a minute', async () => {
      world.provider.tokens = { expires_in };
      const { ask, status } = await connected();
      world.cloud.time.ms += 60_000;
      const { version } = await ask();
      refreshing((_, answer) => send(answer, 403, { message: 'blocked' }));
      await ask({ refused: version });
      for (let second = 0; second < 120; second += 10) {
        const beside: Promise<unknown>[] = [];
        expect(await ask({ beside })).toMatchObject({ token: 'access-token-1' });
        await Promise.all(beside);
        // Also where there is nothing that a refresh could be beside.
        expect(await ask()).toMatchObject({ token: 'access-token-1' });
        world.cloud.time.ms += 10_000;
      }
      expect(refreshes()).toBe(2);
      expect(await status()).toBe('broken');
    });
  });
});

describe('a refresh beside a call', () => {
  test.for([
    { expires_in: 16, ageMs: 11_500 },
    { expires_in: 50, ageMs: 26_000 },
    { expires_in: 200, ageMs: 141_000 },
  ])('is waited for where the token is about to end: $ageMs ms of $expires_in s', async (row) => {
    world.provider.tokens = { expires_in: row.expires_in };
    const { ask } = await connected();
    world.cloud.time.ms += row.ageMs;
    const beside: Promise<unknown>[] = [];
    expect(await ask({ beside })).toMatchObject({ token: 'access-token-2' });
    expect(beside).toEqual([]);
  });

  test('is not waited for where a minute is left', async () => {
    world.provider.tokens = { expires_in: 200 };
    const { ask } = await connected();
    world.cloud.time.ms += 140_000;
    const beside: Promise<unknown>[] = [];
    expect(await ask({ beside })).toMatchObject({ token: 'access-token-1' });
    await Promise.all(beside);
    expect(await ask()).toMatchObject({ token: 'access-token-2' });
  });

  test('that is waited for and fails takes no token away that lives', async () => {
    world.provider.tokens = { expires_in: 50 };
    const { ask } = await connected();
    world.cloud.time.ms += 26_000;
    refreshing((_, answer) => send(answer, 500, {}));
    expect(await ask({ beside: [] })).toMatchObject({ token: 'access-token-1' });
  });

  test('that ends the token of the call costs it one more, and no second refresh', async () => {
    const { ask } = await connected();
    world.cloud.time.ms += LIFE_MS - 200_000;
    const beside: Promise<unknown>[] = [];
    const { token, version } = await ask({ beside });
    expect(token).toBe('access-token-1');
    expect(await ask({ refused: version })).toMatchObject({ token: 'access-token-2' });
    await Promise.all(beside);
    expect(refreshes()).toBe(1);
  });
});
