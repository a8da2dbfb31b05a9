import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { createSecretStore } from '../../functions/aws/secrets.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';

const NAME = 'sallyport/test/credentials/acme/prices/client.agent';

/** The store over the real client, a clock of its own, and every question that reached the service. */
async function connect() {
  const faults = new Faults([]);
  const server = await startSecretsManager(new SecretsManager(new SecretStore(temporaryDirectory())), faults);
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  const asked: string[] = [];
  client.middlewareStack.add((next, { commandName }) => (args) => {
    if (commandName === 'GetSecretValueCommand') asked.push(commandName);
    return next(args);
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const time = { seconds: 1_000 };
  const store = createSecretStore(client, () => time.seconds);
  return {
    client,
    faults,
    asked,
    time,
    store,
    put: (text: string) => client.send(new PutSecretValueCommand({ SecretId: NAME, SecretString: text })),
    create: (text: string) => client.send(new CreateSecretCommand({ Name: NAME, SecretString: text })),
    async read(options: Parameters<typeof store.read>[1] = {}) {
      const answer = await store.read(NAME, options);
      return answer.ok ? answer.value.value.reveal() : answer.error.reason;
    },
  };
}

test('a value is held for 60 s, and a rotation shows then', async () => {
  const { create, put, read, time, asked } = await connect();
  await create('one');
  expect(await read()).toBe('one');
  await put('two');
  time.seconds += 59;
  expect(await read()).toBe('one');
  expect(asked).toHaveLength(1);
  time.seconds += 1;
  expect(await read()).toBe('two');
});

test('a clock that is set back makes no old value fresh', async () => {
  const { create, put, read, time } = await connect();
  await create('one');
  expect(await read()).toBe('one');
  await put('two');
  time.seconds -= 600;
  expect(await read()).toBe('two');
});

test('every stage is its own value', async () => {
  const { create, put, read } = await connect();
  await create('one');
  await put('two');
  expect([await read(), await read({ stage: 'AWSPREVIOUS' })]).toEqual(['two', 'one']);
  expect(await read({ stage: 'AWSPENDING' })).toBe('missing');
});

test('a hundred who ask at once make one question', async () => {
  const { create, read, asked } = await connect();
  await create('one');
  expect(new Set(await Promise.all(Array.from({ length: 100 }, () => read())))).toEqual(new Set(['one']));
  expect(asked).toHaveLength(1);
});

test('a read past the cache shows a rotation at once, and happens at most every 5 s', async () => {
  const { create, put, read, time, asked } = await connect();
  await create('one');
  await read();
  await put('two');
  expect(await read({ fresh: true })).toBe('two');
  for (let call = 0; call < 50; call += 1) await read({ fresh: true });
  // The first brought something new and does not count.
  expect(asked).toHaveLength(3);
  time.seconds += 5;
  await read({ fresh: true });
  expect(asked).toHaveLength(4);
});

test('a rotation right after another is seen at once too: a look that brought something new does not count', async () => {
  const { create, put, store } = await connect();
  await create('one');
  const versionOf = async (refused?: string) => {
    const answer = await store.read(NAME, refused === undefined ? {} : { refused });
    return answer.ok ? answer.value : undefined;
  };
  let held = await versionOf();
  for (const text of ['two', 'three', 'four']) {
    await put(text);
    held = await versionOf(held?.versionId);
    expect(held?.value.reveal()).toBe(text);
  }
  await versionOf(held?.versionId);
  await put('five');
  expect((await versionOf(held?.versionId))?.value.reveal()).toBe('four');
});

test('where one version is refused, another that is held is given, and where none is it is looked for at once', async () => {
  const { create, put, read, asked, store } = await connect();
  await create('one');
  const first = await store.read(NAME);
  const refused = first.ok ? first.value.versionId : '';
  await put('two');
  expect(await Promise.all(Array.from({ length: 100 }, () => read({ refused })))).toEqual(
    Array(100).fill('two'),
  );
  expect(await read({ refused })).toBe('two');
  expect(asked).toHaveLength(2);
});

test('a version that is refused again and again is looked past at most every 5 s', async () => {
  const { create, read, time, asked, store } = await connect();
  await create('one');
  const first = await store.read(NAME);
  const refused = first.ok ? first.value.versionId : '';
  for (let call = 0; call < 50; call += 1) expect(await read({ refused })).toBe('one');
  for (let call = 0; call < 50; call += 1) {
    expect(await read({ refused, stage: 'AWSPENDING' })).toBe('missing');
  }
  expect(asked).toHaveLength(3);
  time.seconds += 5;
  await read({ refused });
  expect(asked).toHaveLength(4);
});

test('a version that is staged after a look for it is found 5 s later', async () => {
  const { client, create, read, time } = await connect();
  await create('one');
  const staged = { stage: 'AWSPENDING', refused: 'x' } as const;
  expect(await read(staged)).toBe('missing');
  await client.send(
    new PutSecretValueCommand({ SecretId: NAME, SecretString: 'two', VersionStages: ['AWSPENDING'] }),
  );
  expect(await read(staged)).toBe('missing');
  time.seconds += 5;
  expect(await read(staged)).toBe('two');
  expect(await read()).toBe('one');
});

test('1,000 requests of 100 clients in a minute take 100 questions, one for each client', async () => {
  const { client, asked, store, time } = await connect();
  const nameOf = (index: number) => `sallyport/test/credentials/acme/prices/client.${index}`;
  for (let index = 0; index < 100; index += 1) {
    await client.send(new CreateSecretCommand({ Name: nameOf(index), SecretString: `${index}` }));
  }
  const startedAtSeconds = time.seconds;
  for (let request = 0; request < 1_000; request += 1) {
    time.seconds = startedAtSeconds + Math.floor((request * 60) / 1_000);
    const read = await store.read(nameOf(request % 100));
    expect(read.ok && read.value.value.reveal()).toBe(String(request % 100));
  }
  expect(asked).toHaveLength(100);
  time.seconds = startedAtSeconds + 66;
  for (let index = 0; index < 100; index += 1) await store.read(nameOf(index));
  expect(asked).toHaveLength(200);
});

test('an outage is bridged for 300 s and not longer', async () => {
  const { create, read, time, faults } = await connect();
  await create('one');
  await read();
  faults.add({ service: 'secretsmanager', mode: 'error' }, Date.now());
  for (const seconds of [60, 100, 139]) {
    time.seconds += seconds;
    expect(await read()).toBe('one');
  }
  time.seconds += 6;
  expect(await read()).toBe('unavailable');
  faults.clear();
  expect(await read()).toBe('unavailable');
  time.seconds += 5;
  expect(await read()).toBe('one');
});

test('an answer says when it was read, also where an outage is bridged', async () => {
  const { create, store, time, faults } = await connect();
  await create('one');
  const readAt = async (options = {}) => {
    const answer = await store.read(NAME, options);
    return answer.ok ? answer.value.readAtSeconds : undefined;
  };
  expect(await readAt()).toBe(1_000);
  time.seconds += 30;
  expect(await readAt()).toBe(1_000);
  faults.add({ service: 'secretsmanager', mode: 'error' }, Date.now());
  expect(await readAt({ fresh: true })).toBe(1_000);
  time.seconds += 60;
  expect(await readAt()).toBe(1_000);
  faults.clear();
  time.seconds += 5;
  expect(await readAt()).toBe(1_095);
});

test('an outage is not bridged any longer where somebody has looked just before its end', async () => {
  const { create, read, time, faults } = await connect();
  await create('one');
  await read();
  faults.add({ service: 'secretsmanager', mode: 'error' }, Date.now());
  time.seconds += 299;
  expect(await read()).toBe('one');
  time.seconds += 1;
  expect(await read()).toBe('unavailable');
});

test.for(['throttle', 'timeout', 'error'] as const)(
  'while Secrets Manager %s, what is held serves, and what is not is an outage',
  async (mode) => {
    const { create, read, store, time, faults } = await connect();
    await create('one');
    await read();
    faults.add({ service: 'secretsmanager', mode, ...(mode === 'timeout' ? { ms: 100 } : {}) }, Date.now());
    time.seconds += 60;
    expect(await read()).toBe('one');
    const other = await store.read('sallyport/test/credentials/acme/prices/client.other');
    expect(other).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  },
);

test('a refusal and a deletion are never bridged', async () => {
  const { client, create, read, time, faults } = await connect();
  await create('one');
  await read();
  time.seconds += 60;
  faults.add({ service: 'secretsmanager', mode: 'deny' }, Date.now());
  expect(await read()).toBe('denied');
  faults.clear();
  time.seconds += 5;
  expect(await read()).toBe('one');
  await client.send(new DeleteSecretCommand({ SecretId: NAME, ForceDeleteWithoutRecovery: true }));
  time.seconds += 60;
  expect(await read()).toBe('missing');
});

test('what is not there is not asked for again for 5 s, unless past the cache', async () => {
  const { create, read, time, asked } = await connect();
  expect(await read()).toBe('missing');
  await create('one');
  expect(await read()).toBe('missing');
  expect(asked).toHaveLength(1);
  expect(await read({ fresh: true })).toBe('one');
  time.seconds += 5;
  expect(await read()).toBe('one');
});

test.for(['deny', 'error'] as const)(
  'what the service answers with %s is asked for once in 5 s',
  async (mode) => {
    const { create, read, time, asked, faults } = await connect();
    await create('one');
    faults.add({ service: 'secretsmanager', mode }, Date.now());
    const failure = mode === 'deny' ? 'denied' : 'unavailable';
    for (let call = 0; call < 100; call += 1) expect(await read()).toBe(failure);
    expect(asked).toHaveLength(1);
    faults.clear();
    time.seconds += 5;
    expect(await read()).toBe('one');
  },
);

test('a read past the cache happens at most every 5 s, also where 500 others are read before and after', async () => {
  const { create, read, asked, store } = await connect();
  await create('one');
  const readOthers = async (from: number) => {
    for (let other = from; other < from + 300; other += 1)
      await store.read(`other-${other}`, { fresh: true });
  };
  await readOthers(0);
  await read({ fresh: true });
  await readOthers(300);
  const before = asked.length;
  await read({ fresh: true });
  expect(asked).toHaveLength(before);
});

test('what is there and has no current version is not missing: nothing stands in for it', async () => {
  const { client, store, time } = await connect();
  await client.send(new CreateSecretCommand({ Name: NAME }));
  expect(await store.read(NAME)).toEqual({
    ok: false,
    error: { reason: 'denied', detail: `secret \`${NAME}\`: no version of it is AWSCURRENT` },
  });
  time.seconds += 5;
  for (const stage of ['AWSPENDING', 'AWSPREVIOUS'] as const) {
    expect(await store.read(NAME, { stage })).toMatchObject({ ok: false, error: { reason: 'missing' } });
  }
});

test('what is there and cannot be read is not missing: nothing stands in for it', async () => {
  const { client, create, read, time } = await connect();
  await create('one');
  await client.send(new DeleteSecretCommand({ SecretId: NAME, RecoveryWindowInDays: 7 }));
  expect(await read()).toBe('denied');
  const binary = { send: async () => ({ SecretBinary: Buffer.from('one'), VersionId: 'v' }) };
  time.seconds += 5;
  Object.assign(client, binary);
  expect(await read()).toBe('denied');
});
