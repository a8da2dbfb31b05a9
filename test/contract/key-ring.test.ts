import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKeyRingStore } from '../../functions/aws/key-ring.ts';
import { STALE_AFTER_SECONDS } from '../../functions/core/freshness.ts';
import type { KeyRing } from '../../functions/core/key-ring.ts';
import {
  OVERLAP_SECONDS,
  publishKeys,
  retireKey,
  rotateKey,
  STANDBY_SECONDS,
} from '../../functions/core/key-rotation.ts';
import type { KeyRingStore, SigningKey } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { interruptible, losingAnswers } from '../support/auth-table.ts';
import { type KeyDeployment, startKeyDeployment, toldKeys } from '../support/key-deployment.ts';
import { offered } from '../support/offered-keys.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let cloud: KeyDeployment;

beforeEach(async () => {
  cloud = await startKeyDeployment();
  cloud.time.seconds = NOW_SECONDS;
});

afterEach(() => cloud.close());

const FIFTY = Array.from({ length: 50 }, (_, index) => index);
const FIRST = ['issuer A1', 'issuer B1', 'identity A1', 'identity B1'].map(offered);
const LATER = NOW_SECONDS + STANDBY_SECONDS;

/** Each as an environment of its own would. */
const openStore = (): KeyRingStore => createKeyRingStore(cloud.table.dynamo, cloud.table.tableName);
const publish = (store: KeyRingStore, names = FIRST) =>
  store.change<never>((ring) => ok(publishKeys(ring, names, NOW_SECONDS)));
const rotate = (store: KeyRingStore, keyId: string, at = LATER) =>
  store.change((ring) => rotateKey(ring, 'access', keyId, at));

describe('of fifty at once', () => {
  test('all who publish find one ring, which was written once', async () => {
    const rings = await Promise.all(FIFTY.map(() => publish(openStore())));
    const [first] = rings;
    for (const ring of rings) expect(ring).toEqual(first);
    expect(toldKeys(await cloud.ring())).toBe('A1 signing, B1 standby');
    expect(await cloud.ring()).toHaveLength(4);
  });

  test('all who rotate to one key find it signing, and it was handed over once', async () => {
    await publish(openStore());
    const rings = await Promise.all(FIFTY.map((index) => rotate(openStore(), 'issuer-B1', LATER + index)));
    const [first] = rings;
    expect(first?.ok).toBe(true);
    for (const ring of rings) expect(ring).toEqual(first);
  });

  test('publishers of any age, who rotate and who retire: each change is made once and none is undone', async () => {
    await publish(openStore());
    const fresh = ['issuer B2', 'identity A1'].map(offered);
    await Promise.all(
      FIFTY.map((index) => {
        const store = openStore();
        if (index % 4 === 0) return publish(store);
        if (index % 4 === 1) return publish(store, fresh);
        if (index % 4 === 2) return store.change((ring) => retireKey(ring, 'access', 'issuer-A1', LATER));
        return store.change((ring) => rotateKey(ring, 'identity', 'identity-B1', LATER));
      }),
    );
    const ring = await cloud.ring();
    expect(toldKeys(ring, 'identity')).toBe('A1 retiring, B1 signing');
    expect(ring).toHaveLength(5);
    // B1 took over if A1 was retired before B2 came, and B2 else; then it took over what its slot had.
    expect(toldKeys(ring)).toMatch(/^A1 retired, B1 (?:retired|retiring), B2 signing$/);
  });
});

test('a change whose answer was lost is made once, and is found done', async () => {
  await publish(openStore());
  const lossy = createKeyRingStore(losingAnswers(cloud.table.dynamo), cloud.table.tableName);
  expect(await rotate(lossy, 'issuer-B1')).toMatchObject({ ok: true });
  expect(toldKeys(await cloud.ring())).toBe('A1 retiring, B1 signing');
});

test('without DynamoDB nothing is read and nothing changes', async () => {
  await publish(openStore());
  const down = interruptible(cloud.table.dynamo);
  down.isUp = false;
  const store = createKeyRingStore(down, cloud.table.tableName);
  expect(await store.read()).toMatchObject({ error: { reason: 'unavailable' } });
  expect(await rotate(store, 'issuer-B1')).toMatchObject({ error: { reason: 'unavailable' } });
  expect(toldKeys(await cloud.ring())).toBe('A1 signing, B1 standby');
});

describe('an environment of the issuer', () => {
  const namesOf = (ring: KeyRing) => toldKeys(ring);

  test('publishes its keys before it answers, and then only looks, every 3 s', async () => {
    const counted = interruptible(cloud.table.dynamo);
    const { keys } = cloud.issuer(await cloud.deploy(), counted);
    const [first] = await Promise.all([keys.publish(), keys.publish(), keys.readRing()]);
    expect(first.ok && first.value).toHaveLength(4);
    expect(namesOf(await cloud.ring())).toBe('A1 signing, B1 standby');
    const { calls } = counted;
    cloud.time.seconds += 2;
    const held = await keys.publish();
    expect(counted.calls).toBe(calls);
    expect(held.ok && first.ok && held.value === first.value).toBe(true);
    cloud.time.seconds += 1;
    const again = await keys.publish();
    expect(counted.calls).toBe(calls + 1);
    expect(again.ok && first.ok && again.value === first.value).toBe(true);
  });

  test('that is older undoes nothing, and signs with the key of the ring that it has', async () => {
    const old = cloud.issuer(await cloud.deploy('A1 B1'));
    await old.keys.publish();
    const young = cloud.issuer(await cloud.deploy('A2 B1'));
    await young.keys.publish();
    cloud.time.seconds += 3;
    await cloud.issuer(await cloud.deploy('A1 B1')).keys.publish();
    expect(namesOf(await cloud.ring())).toBe('A1 retiring, B1 signing, A2 standby');
    for (const { signingKey } of [old, young]) {
      expect(await signingKey.publicKey()).toMatchObject({ value: { keyId: await keyIdOf('B1') } });
    }
  });

  test('whose keys do not sign any more is unavailable, and never signs with a key that is refused', async () => {
    const old = cloud.issuer(await cloud.deploy('A1 B1'));
    await old.keys.publish();
    const before = await keyIdOf('A1');
    await cloud.issuer(await cloud.deploy('A2 B2')).keys.publish();
    await openStore().change((ring) => retireKey(ring, 'access', before, NOW_SECONDS));
    cloud.time.seconds += 3;
    expect(await old.signingKey.publicKey()).toMatchObject({ error: { reason: 'unavailable' } });
    expect(await old.signingKey.sign('a.b', before)).toMatchObject({ error: { reason: 'unavailable' } });
  });

  test('finishes with the key that a token names, after another has taken over', async () => {
    const { keys, signingKey } = cloud.issuer(await cloud.deploy());
    await keys.publish();
    const [a, b] = [await keyIdOf('A1'), await keyIdOf('B1')];
    await rotate(openStore(), b);
    cloud.time.seconds += 3;
    expect(await signingKey.publicKey()).toMatchObject({ value: { keyId: b } });
    expect(await signingKey.sign('a.b', a)).toMatchObject({ ok: true });
    cloud.time.seconds = LATER + OVERLAP_SECONDS.access;
    expect(await signingKey.sign('a.b', a)).toMatchObject({ error: { reason: 'unavailable' } });
  });

  test('starts with one key where the other cannot be read, and publishes that one when it can', async () => {
    const settings = await cloud.deploy();
    await cloud.enable('issuer B1', false);
    const { keys } = cloud.issuer(settings);
    expect(await keys.publish()).toMatchObject({ ok: true });
    expect(namesOf(await cloud.ring())).toBe('A1 signing');
    await cloud.enable('issuer B1', true);
    cloud.time.seconds += 3;
    await keys.publish();
    expect(namesOf(await cloud.ring())).toBe('A1 signing, B1 standby');
  });

  test('without a key to sign with is unavailable', async () => {
    const settings = await cloud.deploy();
    await Promise.all(['issuer A1', 'issuer B1'].map((name) => cloud.enable(name, false)));
    const refused = { error: { reason: 'unavailable', detail: 'kms GetPublicKey of B1: DisabledException' } };
    expect(await cloud.issuer(settings).keys.publish()).toMatchObject(refused);
  });

  test('confirms a key that is where it was, and no other', async () => {
    const { keys } = cloud.issuer(await cloud.deploy());
    await keys.publish();
    const [first, second, ...others] = await cloud.ring();
    if (first === undefined || second === undefined) throw new Error('no keys');
    expect(await keys.confirm(second)).toEqual({ ok: true, value: undefined });
    expect(await keys.confirm({ ...second, keyId: first.keyId })).toMatchObject({ ok: false });
    expect(await keys.confirm({ ...second, source: 'elsewhere' })).toMatchObject({ ok: false });
    expect(others).toHaveLength(2);
    await cloud.enable('issuer B1', false);
    expect(await keys.confirm(second)).toMatchObject({ ok: false });
  });

  test('holds the ring through an outage of 15 s and no longer', async () => {
    const flaky = interruptible(cloud.table.dynamo);
    const { keys, signingKey } = cloud.issuer(await cloud.deploy(), flaky);
    await keys.publish();
    const keyId = await keyIdOf('A1');
    const calls: readonly (() => Promise<{ ok: boolean }>)[] = [
      () => keys.publish(),
      () => signingKey.publicKey(),
      () => signingKey.sign('a.b', keyId),
    ];
    flaky.isUp = false;
    cloud.time.seconds += STALE_AFTER_SECONDS - 1;
    for (const call of calls) expect((await call()).ok).toBe(true);
    cloud.time.seconds += 1;
    for (const call of calls) expect((await call()).ok).toBe(false);
  });

  /** The id of a key of the issuer, as the ring has it. */
  async function keyIdOf(name: string): Promise<string> {
    const found = (await cloud.ring()).find(
      (key) => key.purpose === 'access' && `${key.slot}${key.generation}` === name,
    );
    if (found === undefined) throw new Error(`no key ${name}`);
    return found.keyId;
  }
});

test('a gateway signs with the identity key that signs, and with none before one is published', async () => {
  const settings = await cloud.deploy();
  const { keys } = cloud.issuer(settings);
  const sign = async (signingKey: SigningKey) => {
    const key = await signingKey.publicKey();
    return key.ok ? key.value.keyId : key.error.reason;
  };
  const { signingKey, rulebook } = cloud.gateway(settings);
  // Without a policy there is no rulebook, and nobody to sign for.
  expect([await sign(signingKey), (await rulebook.read()).ok]).toEqual(['unavailable', false]);
  await keys.publish();
  expect(await sign(signingKey)).toBe('unavailable');
});
