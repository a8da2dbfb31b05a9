import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { createRotation, type RotatedParty } from '../../functions/aws/secret-rotation.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';

const NAME = 'sallyport/test/credentials/acme/prices/client.agent';
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
const bearerOf = (token: string) => JSON.stringify({ type: 'bearer', token });

/** A secret `key-1`, a party that takes it, and a rotation of both. */
async function connect(changes: Partial<RotatedParty> = {}) {
  const server = await startSecretsManager(
    new SecretsManager(new SecretStore(temporaryDirectory())),
    new Faults([]),
  );
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  await client.send(new CreateSecretCommand({ Name: NAME, SecretString: bearerOf('key-1') }));
  const taken = new Set([bearerOf('key-1')]);
  const made: string[] = [];
  const rotate = createRotation(client, {
    async create() {
      const next = bearerOf(`key-${made.length + 2}`);
      made.push(next);
      return next;
    },
    async set(current, next) {
      expect(current).toBe(bearerOf('key-1'));
      taken.add(next);
    },
    async test(next) {
      if (!taken.has(next)) throw new Error('refused');
    },
    ...changes,
  });
  const id = randomUUID();
  const step = (Step: string) => rotate({ SecretId: NAME, ClientRequestToken: id, Step });
  const read = (VersionStage: string) =>
    client.send(new GetSecretValueCommand({ SecretId: NAME, VersionStage })).then(
      ({ SecretString }) => SecretString,
      () => undefined,
    );
  return { step, read, taken, made };
}

test('four steps make a new value, have it taken and tried, and make it the current one', async () => {
  const { step, read, taken } = await connect();
  await step('createSecret');
  expect([await read('AWSCURRENT'), await read('AWSPENDING')]).toEqual([
    bearerOf('key-1'),
    bearerOf('key-2'),
  ]);
  await step('setSecret');
  await step('testSecret');
  expect(await read('AWSCURRENT')).toBe(bearerOf('key-1'));
  await step('finishSecret');
  expect([await read('AWSCURRENT'), await read('AWSPREVIOUS')]).toEqual([
    bearerOf('key-2'),
    bearerOf('key-1'),
  ]);
  expect(taken.has(bearerOf('key-2'))).toBe(true);
});

test('each step may come again, and the value is made once', async () => {
  const { step, read, made } = await connect();
  for (const one of STEPS) for (let times = 0; times < 3; times += 1) await step(one);
  expect(made).toHaveLength(1);
  expect(await read('AWSCURRENT')).toBe(bearerOf('key-2'));
});

test('a value that the party does not take never becomes the current one', async () => {
  const { step, read } = await connect({ set: async () => {} });
  await step('createSecret');
  await step('setSecret');
  await expect(step('testSecret')).rejects.toThrow('refused');
  expect(await read('AWSCURRENT')).toBe(bearerOf('key-1'));
});

test.for(['setSecret', 'testSecret', 'finishSecret'])('%s without a new value is refused', async (step) => {
  const { step: take, read } = await connect();
  await expect(take(step)).rejects.toThrow('the version AWSPENDING is not there');
  expect(await read('AWSCURRENT')).toBe(bearerOf('key-1'));
});

test('a step that there is not is refused', async () => {
  const { step } = await connect();
  await expect(step('forgetSecret')).rejects.toThrow('`forgetSecret` is no step of a rotation');
});
