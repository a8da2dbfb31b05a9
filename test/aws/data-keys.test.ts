import { KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDataKeys } from '../../functions/aws/data-keys.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { KeyStore } from '../../local/kms/key-store.ts';
import { startKms } from '../../local/kms.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';

const ANA = { org: 'acme', subject: 'office:ana', provider: 'carrier' };

/** Data keys over a local KMS, and what it was asked. */
async function connect() {
  const keys = new KeyStore(temporaryDirectory());
  const faults = new Faults([]);
  const server = await startKms(keys, faults);
  const client = new KMSClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const asked: string[] = [];
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        asked.push(commandName);
        return next(args);
      },
    { step: 'initialize' },
  );
  const time = { ms: 0 };
  const { id } = keys.create('connections', '', 0, 'SYMMETRIC_DEFAULT');
  const { id: otherId } = keys.create('other', '', 0, 'SYMMETRIC_DEFAULT');
  const environment = (key = id) => createDataKeys(client, key, () => time.ms);
  return { environment, otherId, asked, time, faults };
}

async function generated({ generate }: ReturnType<typeof createDataKeys>, context = ANA) {
  const key = await generate(context);
  if (!key.ok) throw new Error(key.error.detail);
  return key.value;
}

describe('a data key', () => {
  test('has 256 bits, is another one at every call, and is unwrapped elsewhere for the same context', async () => {
    const { environment } = await connect();
    const keys = environment();
    const [first, second] = [await generated(keys), await generated(keys)];
    expect(first.plaintext).toHaveLength(32);
    expect(first.plaintext).not.toEqual(second.plaintext);
    const turned = { provider: ANA.provider, subject: ANA.subject, org: ANA.org };
    expect(await environment().unwrap(first.wrapped, turned)).toEqual({ ok: true, value: first.plaintext });
  });

  test.for([
    { ...ANA, org: 'globex' },
    { ...ANA, subject: 'office:bob' },
    { ...ANA, provider: 'github' },
    { ...ANA, subject: 'office:ana ' },
  ])('is not given out for %j, also where it is in memory', async (context) => {
    const { environment } = await connect();
    const keys = environment();
    const { wrapped } = await generated(keys);
    expect(await keys.unwrap(wrapped, context)).toMatchObject({ error: { reason: 'not_wrapped' } });
  });

  test('is not given out by another key, nor for what is none', async () => {
    const { environment, otherId } = await connect();
    const { wrapped } = await generated(environment());
    expect(await environment(otherId).unwrap(wrapped, ANA)).toMatchObject({
      error: { reason: 'not_wrapped' },
    });
    expect(await environment().unwrap('AAAA', ANA)).toMatchObject({ error: { reason: 'not_wrapped' } });
  });

  test('costs a call for every five minutes in which it is used, and none for what was made here', async () => {
    const { environment, asked, time } = await connect();
    const keys = environment();
    const { wrapped } = await generated(keys);
    await keys.unwrap(wrapped, ANA);
    expect(asked).toEqual(['GenerateDataKeyCommand']);
    time.ms += 299_999;
    await keys.unwrap(wrapped, ANA);
    expect(asked).toHaveLength(1);
    time.ms += 1;
    await keys.unwrap(wrapped, ANA);
    await keys.unwrap(wrapped, ANA);
    expect(asked).toEqual(['GenerateDataKeyCommand', 'DecryptCommand']);
  });

  test('stays in memory among 500 at most, the latest ones', async () => {
    const { environment, asked } = await connect();
    const keys = environment();
    const first = await generated(keys);
    const second = await generated(keys);
    await Promise.all(Array.from({ length: 499 }, () => generated(keys)));
    const before = asked.length;
    await keys.unwrap(second.wrapped, ANA);
    expect(asked).toHaveLength(before);
    await keys.unwrap(first.wrapped, ANA);
    expect(asked).toHaveLength(before + 1);
  });

  test.for(['error', 'throttle', 'deny'] as const)('is unavailable while KMS says %s', async (mode) => {
    const { environment, faults } = await connect();
    const { wrapped } = await generated(environment());
    faults.add({ service: 'kms', mode }, 0);
    expect(await environment().generate(ANA)).toMatchObject({ error: { reason: 'unavailable' } });
    expect(await environment().unwrap(wrapped, ANA)).toMatchObject({ error: { reason: 'unavailable' } });
  });
});
