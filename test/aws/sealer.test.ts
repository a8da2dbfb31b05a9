import { beforeEach, describe, expect, test } from 'vitest';
import { createSealerSource } from '../../functions/aws/sealer.ts';
import type { SecretFailure, SecretStage, SecretStore, SecretVersion } from '../../functions/core/ports.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import type { Sealer } from '../../functions/core/seal.ts';
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

  test('serves on while its previous version is out of reach that was looked at, or was not there', async () => {
    for (const previous of [version('a'), MISSING]) {
      stages = { AWSCURRENT: version('b'), AWSPREVIOUS: previous };
      const source = createSealerSource(secrets, NAME);
      const before = await source();
      stages = { AWSCURRENT: version('b'), AWSPREVIOUS: failing('unavailable') };
      expect(await source()).toBe(before);
      // Of a rotation that came meanwhile nobody can say what was the one before.
      stages = { AWSCURRENT: version('c'), AWSPREVIOUS: failing('unavailable') };
      expect(await source()).toBeUndefined();
    }
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
