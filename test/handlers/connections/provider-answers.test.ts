import { describe, expect, test } from 'vitest';
import type { SecretStore } from '../../../functions/core/ports.ts';
import { err, ok } from '../../../functions/core/result.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { CONNECT_REQUEST } from '../../support/connection-app.ts';
import { useConnectionWorld } from '../../support/connection-world.ts';
import { type ScriptedProvider, send, sendNothing } from '../../support/scripted-provider.ts';

const NEED = { scopes: ['parcels.read'] };
const OLD = 'old-client-secret-0123456789';
const NEW = 'new-client-secret-0123456789';

const world = useConnectionWorld();

/** A cache that still has the old secret, after the new one was promoted or staged. */
const rotated = (how: 'promoted' | 'staged'): SecretStore => ({
  async read(_, { stage = 'AWSCURRENT', fresh = false } = {}) {
    const isNew = how === 'promoted' ? fresh : stage === 'AWSPENDING';
    return ok({ value: new Secret(isNew ? NEW : OLD), versionId: isNew ? 'v2' : 'v1' });
  },
});

type Instead = NonNullable<ScriptedProvider['instead']>;
type Answer = Parameters<Instead>[1];

const page = (answer: Answer, status: number, headers: Readonly<Record<string, string>> = {}): true => {
  answer.writeHead(status, { 'content-type': 'text/html', ...headers }).end('<html>no</html>');
  return true;
};

/** Answers to whoever comes with the old secret. */
const toOld =
  (respond: (answer: Answer) => boolean): Instead =>
  ({ headers, body }, answer) => {
    const basic = Buffer.from(String(headers.authorization ?? '').slice(6), 'base64').toString();
    const isOld = new URLSearchParams(body).get('client_secret') === OLD || basic.endsWith(OLD);
    return isOld && respond(answer);
  };

const REFUSALS: readonly (readonly [string, (answer: Answer) => boolean])[] = [
  ['401 invalid_client', (answer) => send(answer, 401, { error: 'invalid_client' })],
  ['400 invalid_client', (answer) => send(answer, 400, { error: 'invalid_client' })],
  ['401 in a page', (answer) => page(answer, 401)],
  ['401 in a packed page', (answer) => page(answer, 401, { 'content-encoding': 'br' })],
  ['401 and nothing else', (answer) => sendNothing(answer, 401)],
];

describe.for(['promoted', 'staged'] as const)('just after our secret was rotated, the new one %s,', (how) => {
  test.for(REFUSALS)('a code is redeemed where the old one is refused by %s', async ([, respond]) => {
    world.provider.instead = toOld(respond);
    const { connect } = world.cloud.environment({ secrets: rotated(how) });
    expect((await connect(world.somebody(), world.provider.entry, CONNECT_REQUEST)).ok).toBe(true);
  });

  test.for(REFUSALS)('what is disconnected is revoked where it is refused by %s', async ([, respond]) => {
    const owner = world.somebody();
    const environment = world.cloud.environment({ secrets: rotated(how) });
    await environment.connect(owner, world.provider.entry, CONNECT_REQUEST);
    world.provider.instead = toOld(respond);
    expect(await environment.disconnect(owner, world.provider.entry)).toEqual(ok({ revoked: true }));
  });

  test('so it is as GitHub has it', async () => {
    const owner = world.somebody();
    const { provider } = world;
    const entry = {
      ...provider.entry,
      revocation: { style: 'github', url: provider.entry.tokenUrl },
    } as const;
    const environment = world.cloud.environment({ secrets: rotated(how) });
    await environment.connect(owner, entry, CONNECT_REQUEST);
    provider.instead = toOld((answer) => send(answer, 401, { message: 'Bad credentials' }));
    expect(await environment.disconnect(owner, entry)).toEqual(ok({ revoked: true }));
  });
});

describe('a revocation that the provider refuses', () => {
  test('for good is in the log, without what it wrote', async () => {
    const owner = world.somebody();
    const { cloud, provider } = world;
    const environment = cloud.environment();
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    let asked = 0;
    provider.instead = ({ body }, answer) => {
      asked += 1;
      return send(answer, 401, { error: new URLSearchParams(body).get('token') });
    };
    cloud.logged.length = 0;
    expect(await environment.disconnect(owner, provider.entry)).toEqual(ok({ revoked: false }));
    const detail = 'status 401, no known error code';
    expect(cloud.logged).toEqual([
      { level: 'warn', event: 'revocation_failed', provider: 'carrier', detail },
    ]);
    // There is no other secret to try.
    expect(asked).toBe(1);
  });

  test('by its token, as Slack has it, is none of our secret', async () => {
    const owner = world.somebody();
    const { provider } = world;
    const entry = {
      ...provider.entry,
      revocation: { style: 'slack', url: provider.entry.tokenUrl },
    } as const;
    const environment = world.cloud.environment({ secrets: rotated('promoted') });
    await environment.connect(owner, entry, CONNECT_REQUEST);
    let asked = 0;
    provider.instead = (_, answer) => {
      asked += 1;
      return send(answer, 401, {});
    };
    expect(await environment.disconnect(owner, entry)).toEqual(ok({ revoked: false }));
    expect(asked).toBe(1);
  });
});

const LIMITS: readonly (readonly [string, (answer: Answer) => boolean])[] = [
  ['403 with nothing remaining', (answer) => page(answer, 403, { 'x-ratelimit-remaining': '0' })],
  ['403 with a time to come back', (answer) => page(answer, 403, { 'retry-after': '60' })],
  [
    '403 as GitHub says it of a secondary limit',
    (answer) => send(answer, 403, { message: 'You have exceeded a secondary rate limit.' }),
  ],
  [
    '403 as Google says it',
    (answer) => send(answer, 403, { error: { code: 403, message: 'User Rate Limit Exceeded' } }),
  ],
  ['429 in a page', (answer) => page(answer, 429)],
  ['408', (answer) => send(answer, 408, {})],
];

describe('a provider that has had enough', () => {
  test.for(LIMITS)('of questions whose token it is, by %s, is an outage', async ([, respond]) => {
    const owner = world.somebody();
    const { provider } = world;
    const environment = world.cloud.environment();
    const limited: Instead = ({ url }, answer) => url === '/me' && respond(answer);
    provider.instead = limited;
    const unavailable = { error: { reason: 'unavailable' } };
    expect(await environment.connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject(unavailable);
    expect(await environment.find(owner, provider.entry)).toEqual(ok(undefined));
    provider.instead = undefined;
    expect((await environment.connect(owner, provider.entry, CONNECT_REQUEST)).ok).toBe(true);
    provider.instead = limited;
    expect(await environment.connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject(unavailable);
  });

  test.for(LIMITS)('of refreshes, by %s, ends nothing', async ([, respond]) => {
    const owner = world.somebody();
    const { provider } = world;
    const environment = world.cloud.environment();
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    world.cloud.time.ms += 3_600_000;
    provider.instead = ({ url }, answer) => url === '/token' && respond(answer);
    expect(await environment.accessToken(owner, provider.entry, NEED)).toMatchObject({
      error: { reason: 'unavailable' },
    });
  });
});

const ENDED: readonly (readonly [string, number, object])[] = [
  ['invalid_grant', 400, { error: 'invalid_grant' }],
  [
    'the words of Atlassian',
    403,
    { error: 'unauthorized_client', error_description: 'refresh_token is invalid' },
  ],
];

test.for(ENDED)(
  'a refresh token that ended, by %s, has ended also where nothing remains of a limit',
  async ([, status, body]) => {
    const owner = world.somebody();
    const environment = world.cloud.environment();
    await environment.connect(owner, world.provider.entry, CONNECT_REQUEST);
    world.cloud.time.ms += 3_600_000;
    world.provider.instead = ({ url }, answer) => {
      if (url !== '/token') return false;
      answer.setHeader('x-ratelimit-remaining', '0');
      return send(answer, status, body);
    };
    expect(await environment.accessToken(owner, world.provider.entry, NEED)).toMatchObject({
      error: { reason: 'broken' },
    });
    expect(await environment.find(owner, world.provider.entry)).toMatchObject({
      value: { status: 'broken' },
    });
  },
);

describe('a token that cannot be refreshed, and that an upstream refuses,', () => {
  const connectedWithout = async (...ports: Parameters<typeof world.cloud.environment>) => {
    const owner = world.somebody();
    const { cloud, provider } = world;
    provider.tokens = { refresh_token: undefined, expires_in: undefined };
    const environment = cloud.environment(...ports);
    await environment.connect(owner, provider.entry, CONNECT_REQUEST);
    const given = await environment.accessToken(owner, provider.entry, NEED);
    if (!given.ok) throw new Error('there is no token');
    const before = provider.server.seen.length;
    const need = { ...NEED, refused: given.value.version };
    return {
      ask: () => environment.accessToken(owner, provider.entry, need),
      looks: () => provider.server.seen.length - before,
    };
  };

  test.for<readonly [string, number, object]>([
    ['which answers that it holds', 200, { id: 'account-1' }],
    ['which is ill', 500, {}],
  ])('costs its provider, %s, one question in 30 s', async ([, status, body]) => {
    const { ask, looks } = await connectedWithout();
    world.provider.instead = (_, answer) => send(answer, status, body);
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    for (let second = 0; second < 29; second += 1) {
      world.cloud.time.ms += 1_000;
      answers.push(await ask());
    }
    expect(answers.filter(({ ok }) => !ok)).toEqual([]);
    expect(looks()).toBe(1);
    world.cloud.time.ms += 1_000;
    await ask();
    expect(looks()).toBe(2);
  });

  test('is refused in one question also where that cannot be stored', async () => {
    let isOut = false;
    const { ask, looks } = await connectedWithout({}, (dynamo) => ({
      call: async (operation, input) =>
        isOut && operation === 'PutItem'
          ? err({ reason: 'unavailable', detail: 'a test’s outage' })
          : dynamo.call(operation, input),
    }));
    isOut = true;
    world.provider.instead = (_, answer) => page(answer, 401);
    for (let call = 0; call < 3; call += 1) {
      expect(await ask()).toMatchObject({ error: { reason: 'broken' } });
    }
    expect(looks()).toBe(1);
  });

  test('is looked at again by the next call where a look has thrown', async () => {
    let isThrowing = false;
    const { upstream } = world.cloud;
    const { ask, looks } = await connectedWithout({
      upstream: {
        send: (call) => (isThrowing ? Promise.reject(new TypeError('a bug')) : upstream.send(call)),
      },
    });
    isThrowing = true;
    await expect(ask()).rejects.toThrow('a bug');
    isThrowing = false;
    expect((await ask()).ok).toBe(true);
    expect(looks()).toBe(1);
  });

  test('is broken for all who asked when its provider refuses it, in one question', async () => {
    const { ask, looks } = await connectedWithout();
    world.provider.instead = (_, answer) => page(answer, 401);
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    answers.push(await ask());
    expect(answers.map((one) => !one.ok && one.error.reason)).toEqual(Array(21).fill('broken'));
    expect(looks()).toBe(1);
  });
});

test('an account that was known and that nobody can name just now is not taken for another one', async () => {
  const owner = world.somebody();
  const { provider } = world;
  const environment = world.cloud.environment();
  await environment.connect(owner, provider.entry, CONNECT_REQUEST);
  provider.instead = ({ url }, answer) => url === '/me' && send(answer, 403, { message: 'Forbidden' });
  expect(await environment.connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
    error: { reason: 'unavailable', detail: 'the provider does not say whose account it is' },
  });
  expect(await environment.find(owner, provider.entry)).toMatchObject({
    value: { account: { id: 'account-1' } },
  });
});

test('one whose name is not told by a page is stored without it', async () => {
  const owner = world.somebody();
  const { provider } = world;
  provider.instead = ({ url }, answer) => url === '/me' && page(answer, 403);
  expect(await world.cloud.environment().connect(owner, provider.entry, CONNECT_REQUEST)).toMatchObject({
    value: { account: undefined },
  });
});
