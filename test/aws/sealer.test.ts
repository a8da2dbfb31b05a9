import { type GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSealerSource } from '../../functions/aws/sealer.ts';
import { createSecretStore } from '../../functions/aws/secrets.ts';
import type { SecretFailure, SecretStage, SecretStore, SecretVersion } from '../../functions/core/ports.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';

const NAME = 'sallyport/test/sealing';
const NONCE = new Uint8Array(12);

/** What lies in Secrets Manager, by stage, and what a cache has of it that has not seen the last rotation. */
let stages: Partial<Record<SecretStage, Result<SecretVersion, SecretFailure>>> = {};
const MISSING = err({ reason: 'missing', detail: 'not there' } as const);

const version = (id: string): Result<SecretVersion, SecretFailure> =>
  ok({ value: new Secret(id.repeat(40)), versionId: id });
const failing = (reason: SecretFailure['reason']) => err({ reason, detail: 'a test’s outage' });

const secrets: SecretStore = { read: async (_, { stage = 'AWSCURRENT' } = {}) => stages[stage] ?? MISSING };

const sealedBy = (sealer: Sealer | undefined) => sealer?.seal('session', 'caller', 'upstream', NONCE) ?? '';
const opens = (sealer: Sealer | undefined, sealed: string) => sealer?.open('session', 'caller', sealed);

beforeEach(() => {
  stages = { AWSCURRENT: version('a') };
});

describe('the sealing secret', () => {
  test('seals with its current version, and its previous one opens', async () => {
    const before = sealedBy(await createSealerSource(secrets, NAME)());
    stages = { AWSCURRENT: version('b'), AWSPREVIOUS: version('a') };
    const sealer = await createSealerSource(secrets, NAME)();
    expect(opens(sealer, before)).toBe('upstream');
    stages = { AWSCURRENT: version('a') };
    expect(opens(await createSealerSource(secrets, NAME)(), sealedBy(sealer))).toBeUndefined();
  });

  test.for(['missing', 'denied', 'unavailable'] as const)('seals nothing while it is %s', async (reason) => {
    stages = { AWSCURRENT: failing(reason), AWSPREVIOUS: version('a') };
    expect(await createSealerSource(secrets, NAME)()).toBeUndefined();
  });

  test('says of nothing that it is not ours while its previous version is out of reach', async () => {
    stages = { AWSCURRENT: version('b'), AWSPREVIOUS: failing('unavailable') };
    const source = createSealerSource(secrets, NAME);
    expect(await source()).toBeUndefined();
    stages = { AWSCURRENT: version('b'), AWSPREVIOUS: version('a') };
    expect(await source()).toBeDefined();
  });

  test('serves on while its previous version is out of reach that was not there', async () => {
    stages = { AWSCURRENT: version('b') };
    const source = createSealerSource(secrets, NAME);
    const before = await source();
    stages = { AWSCURRENT: version('b'), AWSPREVIOUS: failing('unavailable') };
    expect(await source()).toBe(before);
    // Of a rotation that came meanwhile nobody can say what was the one before.
    stages = { AWSCURRENT: version('c'), AWSPREVIOUS: failing('unavailable') };
    expect(await source()).toBeUndefined();
  });

  test('serves where its previous version may not be read', async () => {
    stages = { AWSCURRENT: version('b'), AWSPREVIOUS: failing('denied') };
    expect(await createSealerSource(secrets, NAME)()).toBeDefined();
  });

  test.for([
    ['none', MISSING],
    ['another one', version('z')],
  ] as const)(
    'opens what it sealed before a rotation also where as the previous one %s is remembered',
    async ([, remembered]) => {
      let looks = 0;
      const remembering: SecretStore = {
        async read(_, { stage = 'AWSCURRENT', fresh = false } = {}) {
          looks += fresh ? 1 : 0;
          return stage === 'AWSPREVIOUS' && !fresh ? remembered : (stages[stage] ?? MISSING);
        },
      };
      const source = createSealerSource(remembering, NAME);
      const before = sealedBy(await source());
      stages = { AWSCURRENT: version('b'), AWSPREVIOUS: version('a') };
      expect(opens(await source(), before)).toBe('upstream');
      expect(looks).toBe(1);
    },
  );
});

describe('the sealing secret, through the cache,', () => {
  const sealedWith = (id: string) => sealedBy(new Sealer([id.repeat(40)]));

  /** Version `b` after `a`, and a function that has seen both. */
  async function start() {
    const lying = { current: 'b', previous: 'a', isPreviousOut: false };
    const time = { seconds: 1_000_000 };
    const client = Object.assign(new SecretsManagerClient({ region: 'us-east-1' }), {
      async send({ input: { VersionStage: stage } }: GetSecretValueCommand) {
        if (stage === 'AWSCURRENT')
          return { SecretString: lying.current.repeat(40), VersionId: lying.current };
        if (lying.isPreviousOut) throw Object.assign(new Error('slower'), { name: 'ThrottlingException' });
        return { SecretString: lying.previous.repeat(40), VersionId: lying.previous };
      },
    });
    const source = createSealerSource(
      createSecretStore(client, () => time.seconds),
      NAME,
    );
    expect(opens(await source(), sealedWith('a'))).toBe('upstream');
    return { lying, time, source };
  }

  test('opens with its previous version for 300 s after that was read, and serves nobody then', async () => {
    const { lying, time, source } = await start();
    lying.isPreviousOut = true;
    for (const seconds of [60, 100, 139]) {
      time.seconds += seconds;
      expect(opens(await source(), sealedWith('a'))).toBe('upstream');
    }
    for (const seconds of [1, 5, 60, 3_600]) {
      time.seconds += seconds;
      expect(await source()).toBeUndefined();
    }
    lying.isPreviousOut = false;
    time.seconds += 5;
    expect(opens(await source(), sealedWith('a'))).toBe('upstream');
  });

  test('does not take what it knew before a rotation for the version before that', async () => {
    const { lying, time, source } = await start();
    Object.assign(lying, { current: 'c', previous: 'b', isPreviousOut: true });
    for (const seconds of [61, 1, 4, 61, 300]) {
      time.seconds += seconds;
      expect(await source()).toBeUndefined();
    }
    lying.isPreviousOut = false;
    time.seconds += 5;
    const sealer = await source();
    expect(['a', 'b', 'c'].map((id) => opens(sealer, sealedWith(id)))).toEqual([
      undefined,
      'upstream',
      'upstream',
    ]);
  });

  test('opens what it sealed before each of two rotations as soon as it has seen them', async () => {
    const { lying, time, source } = await start();
    for (const [previous, current] of [
      ['b', 'c'],
      ['c', 'd'],
    ] as const) {
      Object.assign(lying, { current, previous });
      time.seconds += 60;
      const sealer = await source();
      expect([previous, current].map((id) => opens(sealer, sealedWith(id)))).toEqual([
        'upstream',
        'upstream',
      ]);
      expect(opens(sealer, sealedWith('a'))).toBeUndefined();
    }
  });
});
