import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acceptedKeys,
  isAccepted,
  type KeyRing,
  keyName,
  parseKeyPlaces,
  signingKeyOf,
} from '../../functions/core/key-ring.ts';
import {
  findNamedKey,
  nextStep,
  OVERLAP_SECONDS,
  publishKeys,
  retireKey,
  rotateKey,
  STANDBY_SECONDS,
} from '../../functions/core/key-rotation.ts';
import type { Result } from '../../functions/core/result.ts';
import { VerifiedToken } from '../../functions/core/token.ts';
import { offered } from '../support/offered-keys.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const FIRST = ['issuer A1', 'issuer B1', 'identity A1', 'identity B1'].map(offered);
const ring = publishKeys([], FIRST, NOW_SECONDS);
const LATER = NOW_SECONDS + STANDBY_SECONDS;

/** `A1 signing, B1 standby`: the keys of the issuer. */
function told(keys: KeyRing, nowSeconds = NOW_SECONDS, purpose = 'access'): string {
  return keys
    .filter((key) => key.purpose === purpose)
    .map((key) => `${keyName(key)} ${isAccepted(key, nowSeconds) ? key.state : 'retired'}`)
    .join(', ');
}

function done<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const rotate = (keys: KeyRing, key: string, at = LATER) => rotateKey(keys, 'access', `issuer-${key}`, at);
const retire = (keys: KeyRing, key: string, at = LATER) => retireKey(keys, 'access', `issuer-${key}`, at);
const publish = (keys: KeyRing, names: readonly string[], at = LATER) =>
  publishKeys(
    keys,
    names.map((name) => offered(`issuer ${name}`)),
    at,
  );

const rotated = done(rotate(ring, 'B1'));
const overlapEnd = LATER + OVERLAP_SECONDS.access;

describe('publishing', () => {
  test('the first key of a purpose signs and the other stands by', () => {
    expect([told(ring), told(ring, NOW_SECONDS, 'identity')]).toEqual([
      'A1 signing, B1 standby',
      'A1 signing, B1 standby',
    ]);
  });

  test('what is known changes nothing, whoever publishes it', () => {
    expect(publishKeys(rotated, FIRST, LATER + 1)).toBe(rotated);
    expect(publishKeys(rotated, FIRST.slice(1), LATER + 1)).toBe(rotated);
    expect(publishKeys(rotated, [], LATER + 1)).toBe(rotated);
  });

  test.for<readonly [string, KeyRing, readonly string[], string]>([
    [
      'a fresh key in the slot that stands by takes its place',
      ring,
      ['A1', 'B2'],
      'A1 signing, B1 retired, B2 standby',
    ],
    ['a fresh key beside one that is retiring', rotated, ['A2', 'B1'], 'A1 retiring, B1 signing, A2 standby'],
    [
      'a fresh key in the slot that signs: the other one takes over, which everybody knows',
      ring,
      ['A2', 'B1'],
      'A1 retiring, B1 signing, A2 standby',
    ],
    [
      'fresh keys in both slots: one of them has to sign',
      ring,
      ['A2', 'B2'],
      'A1 retiring, B1 retired, A2 signing, B2 standby',
    ],
    [
      'an older generation than the slot has had',
      publish(ring, ['B3']),
      ['B2'],
      'A1 signing, B1 retired, B3 standby, B2 retired',
    ],
  ])('%s', ([, before, names, after]) => {
    expect(told(publish(before, names))).toBe(after);
  });

  test('a slot of the same generation with another key behind it is a fresh key', () => {
    const restored = publishKeys(
      ring,
      [{ ...offered('issuer A1'), keyId: 'other', source: 'other arn' }],
      LATER,
    );
    expect(told(restored)).toBe('A1 retiring, B1 signing, A1 standby');
  });
});

describe('rotation', () => {
  test('hands over to the key that stands by, and the other is accepted for the life of its tokens', () => {
    expect(told(rotated, overlapEnd - 1)).toBe('A1 retiring, B1 signing');
    expect(told(rotated, overlapEnd)).toBe('A1 retired, B1 signing');
    expect(told(rotated, LATER, 'identity')).toBe('A1 signing, B1 standby');
  });

  test('a key that retires at no known time is retired', () => {
    const unsaid: KeyRing = ring.map((key) =>
      key.purpose === 'access' && key.state === 'signing' ? { ...key, state: 'retiring' } : key,
    );
    const settled = done(rotate(unsaid, 'B1'));
    expect(settled.map(({ state }) => state)).not.toContain('retiring');
    expect(told(settled)).toBe('A1 retired, B1 signing');
  });

  test('asked twice is asked once', () => {
    expect(rotate(rotated, 'B1', LATER + 9)).toEqual({ ok: true, value: rotated });
  });

  test.for([1, STANDBY_SECONDS - 1, STANDBY_SECONDS])(
    'is too early %i s before everybody knows the key',
    (seconds) => {
      const refusal = { reason: 'too_early', waitSeconds: seconds };
      expect(rotate(ring, 'B1', LATER - seconds)).toEqual({ ok: false, error: refusal });
    },
  );

  test('a key that has signed signs never again', () => {
    expect(rotate(rotated, 'A1')).toEqual({ ok: false, error: { reason: 'not_standby' } });
    expect(rotate(done(retire(ring, 'B1')), 'B1')).toEqual({ ok: false, error: { reason: 'not_standby' } });
  });

  test('a key of the other purpose, or of none, is unknown', () => {
    const unknown = { ok: false, error: { reason: 'unknown_key' } };
    expect(rotateKey(ring, 'access', 'identity-B1', LATER)).toEqual(unknown);
    expect(retireKey(ring, 'identity', 'issuer-B1', LATER)).toEqual(unknown);
    expect(rotate(ring, 'C1')).toEqual(unknown);
  });
});

describe('retirement at once', () => {
  test('refuses a key, and nothing of it is left to verify with', () => {
    const after = done(retire(rotated, 'A1'));
    expect(told(after)).toBe('A1 retired, B1 signing');
    expect(findNamedKey(after, 'access', 'A1')).toMatchObject({ n: '', e: '' });
  });

  test('of the key that signs lets the other take over, however fresh it is', () => {
    expect(told(done(retire(ring, 'A1', NOW_SECONDS)))).toBe('A1 retired, B1 signing');
  });

  test('of the last good key is refused', () => {
    expect(retire(rotated, 'B1')).toEqual({ ok: false, error: { reason: 'last_good_key' } });
    expect(told(done(retire(publish(rotated, ['A2']), 'B1')))).toBe('A1 retiring, B1 retired, A2 signing');
  });

  test('asked twice is asked once, and what is retired is never published again', () => {
    const after = done(retire(ring, 'A1'));
    expect(retire(after, 'A1')).toEqual({ ok: true, value: after });
    expect(publishKeys(after, FIRST, LATER)).toBe(after);
  });
});

describe('the next step', () => {
  test.for<readonly [string, KeyRing, number, object | undefined]>([
    ['before anything is published', [], NOW_SECONDS, undefined],
    ['at first', ring, NOW_SECONDS, { step: 'wait', keyId: 'issuer-B1', waitSeconds: STANDBY_SECONDS }],
    ['when everybody knows the key', ring, LATER, { step: 'rotate', keyId: 'issuer-B1' }],
    ['after a rotation', rotated, LATER, { step: 'deploy', slot: 'A', generation: 2 }],
    [
      'after the next',
      done(rotate(publish(rotated, ['A2']), 'A2', LATER + STANDBY_SECONDS)),
      overlapEnd,
      { step: 'deploy', slot: 'B', generation: 2 },
    ],
    [
      'when the key that stood by was retired',
      done(retire(ring, 'B1')),
      LATER,
      { step: 'deploy', slot: 'B', generation: 2 },
    ],
  ])('%s', ([, keys, at, step]) => {
    expect(nextStep(keys, 'access', at)).toEqual(step);
  });
});

test('the overlap is longer than any token that the key could sign', () => {
  const issuer = new TestIssuer();
  const expected = { kind: 'identity', issuer: ORIGIN, keys: issuer.keys, nowSeconds: NOW_SECONDS } as const;
  const living = (seconds: number) =>
    issuer.sign(
      issuer.header({}, issuer.identity),
      issuer.claims({ token_kind: 'identity', iat: NOW_SECONDS, exp: NOW_SECONDS + seconds }),
      issuer.identity,
    );
  expect(VerifiedToken.verify(living(300), expected)).toMatchObject({ ok: true });
  expect(VerifiedToken.verify(living(301), expected)).toMatchObject({ error: { detail: 'lifetime' } });
  expect(OVERLAP_SECONDS).toEqual({ access: 3600 + 60, identity: 300 + 60 });
});

test('what is accepted is said with the second at which that ends', () => {
  expect(acceptedKeys(ring, NOW_SECONDS)).toMatchObject({
    keys: FIRST.map(({ keyId, purpose }) => ({ keyId, purpose })),
    untilSeconds: Number.POSITIVE_INFINITY,
  });
  expect(acceptedKeys(rotated, LATER).untilSeconds).toBe(overlapEnd);
  const after = acceptedKeys(rotated, overlapEnd);
  expect(after.untilSeconds).toBe(Number.POSITIVE_INFINITY);
  expect(after.keys.map(({ keyId }) => keyId)).not.toContain('issuer-A1');
  for (const key of after.keys) expect(Object.keys(key).sort()).toEqual(['e', 'keyId', 'n', 'purpose']);
});

test.for([
  ['', false],
  ['arn:aws:kms:x', false],
  ['C1=arn', false],
  ['A0=arn', false],
  ['A=arn', false],
  ['A1=', false],
  ['A1=arn,', false],
  ['A1=arn:aws:kms:x, B12=arn:aws:kms:y', true],
] as const)('`%s` names keys: %s', ([setting, isRight]) => {
  expect(parseKeyPlaces(setting).ok).toBe(isRight);
});

/** What operators, deploys and environments of any age may do, in any order. */
const step = fc.oneof(
  fc.record({ do: fc.constant('rotate' as const), key: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ do: fc.constant('retire' as const), key: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ do: fc.constant('deploy' as const), slot: fc.constantFrom('A', 'B') }),
  fc.record({ do: fc.constant('old' as const), age: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 5000 }) }),
);

test('whatever is done in whatever order: one key signs, what is retired stays so, and keys of tokens in use are kept', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let now = NOW_SECONDS;
      let keys = publish([], ['A1', 'B1'], now);
      const deployed = [{ A: 1, B: 1 }];
      for (const one of steps) {
        const before = keys;
        const signer = signingKeyOf(before, 'access');
        if (one.do === 'wait') now += one.seconds;
        if (one.do === 'rotate' || one.do === 'retire') {
          const keyId = before[one.key]?.keyId ?? '';
          const changed = (one.do === 'rotate' ? rotateKey : retireKey)(before, 'access', keyId, now);
          if (changed.ok) keys = changed.value;
        }
        if (one.do === 'deploy') {
          const last = deployed.at(-1) ?? { A: 1, B: 1 };
          deployed.push(one.slot === 'A' ? { ...last, A: last.A + 1 } : { ...last, B: last.B + 1 });
        }
        if (one.do === 'deploy' || one.do === 'old') {
          const environment = deployed.at(one.do === 'old' ? -1 - one.age : -1) ?? deployed[0];
          keys = publish(before, [`A${environment?.A}`, `B${environment?.B}`], now);
        }
        expect(keys.filter(({ state }) => state === 'signing')).toHaveLength(1);
        for (const key of before.filter(({ state }) => state === 'retired')) {
          expect(keys.find(({ keyId }) => keyId === key.keyId)?.state).toBe('retired');
        }
        if (one.do !== 'retire' && signer !== undefined) {
          const kept = keys.find(({ keyId }) => keyId === signer.keyId);
          expect(kept !== undefined && isAccepted(kept, now + 3600)).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});
