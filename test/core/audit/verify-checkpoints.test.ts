import { beforeEach, describe, expect, test } from 'vitest';
import {
  CHECKPOINT_TYPE,
  type Checkpoint,
  checkpointHash,
  checkpointPayload,
} from '../../../functions/core/audit/checkpoint.ts';
import {
  checkBegin,
  checkKnown,
  checkWitness,
  verifyCheckpoints,
} from '../../../functions/core/audit/verify-checkpoints.ts';
import { NOW_SECONDS, TestIssuer } from '../../support/test-issuer.ts';

const issuer = new TestIssuer();
const DAY_SECONDS = 86_400;

/** Five checkpoints, each naming the one before, which may be gone tomorrow. */
let made: { readonly number: number; readonly jws: string }[];

beforeEach(() => {
  made = [];
  for (let number = 1; number <= 5; number += 1) made.push({ number, jws: sign(number, made.at(-1)?.jws) });
});

function sign(
  number: number,
  before: string | undefined,
  changes: Partial<Checkpoint> = {},
  by = issuer,
): string {
  const payload = checkpointPayload({
    orgId: 'acme',
    number,
    prev: before === undefined ? '' : checkpointHash(before),
    isPrevVerified: true,
    prevExpiresAtSeconds: before === undefined ? 0 : NOW_SECONDS + DAY_SECONDS,
    signedAtSeconds: NOW_SECONDS,
    through: `2026-11-21T10:00:0${number}.000Z`,
    expiresAtSeconds: NOW_SECONDS + DAY_SECONDS,
    chains: [],
    ...changes,
  });
  return by.sign(by.header({ typ: CHECKPOINT_TYPE }), JSON.stringify(payload));
}

function verify(nowSeconds = NOW_SECONDS) {
  const expected = { orgId: 'acme', keys: issuer.keys, nowSeconds };
  const { checkpoints, findings } = verifyCheckpoints(made.toReversed(), expected);
  return { held: checkpoints.map(({ number }) => number), found: findings.map(({ number }) => number) };
}

describe('checkpoints', () => {
  test('hold, oldest first', () => {
    expect(verify()).toEqual({ held: [1, 2, 3, 4, 5], found: [] });
  });

  test('of which one is missing are told of, and those on both sides hold by themselves', () => {
    made = made.filter(({ number }) => number !== 3);
    expect(verify()).toEqual({ held: [1, 2, 4, 5], found: [3] });
  });

  test('of which one may have expired are not', () => {
    made = made.filter(({ number }) => number !== 3);
    expect(verify(NOW_SECONDS + DAY_SECONDS)).toEqual({ held: [1, 2, 4, 5], found: [] });
  });

  test('that the next one names hold whatever they are signed with, but for what cannot be read', () => {
    const garbage = { number: 1, jws: 'AAAA.AAAA.AAAA' };
    made = [garbage, { number: 2, jws: sign(2, garbage.jws) }];
    expect(verify()).toEqual({ held: [2], found: [1] });
  });

  test('that nobody could verify hold by themselves or not at all', () => {
    const [first] = made;
    made = [
      made[0] ?? { number: 1, jws: '' },
      { number: 2, jws: sign(2, first?.jws, { isPrevVerified: false }) },
    ];
    expect(verify()).toEqual({ held: [1, 2], found: [1] });
  });

  test('of a key that was retired at once are one finding, and the hashes before it go on', () => {
    const retired = new TestIssuer();
    const old: { readonly number: number; readonly jws: string }[] = [];
    for (let number = 1; number <= 3; number += 1)
      old.push({ number, jws: sign(number, old.at(-1)?.jws, {}, retired) });
    const fourth = sign(4, old.at(-1)?.jws, { isPrevVerified: false });
    made = [...old, { number: 4, jws: fourth }, { number: 5, jws: sign(5, fourth) }];
    expect(verify()).toEqual({ held: [4, 5], found: [3] });
    made = made.map((one) => (one.number === 2 ? { number: 2, jws: `${one.jws}A` } : one));
    expect(verify()).toEqual({ held: [4, 5], found: [3, 2, 1] });
  });

  describe('below what is no checkpoint', () => {
    const garbage = (number: number) => ({ number, jws: `AAAA.AAAA.${number}` });
    /** The numbers that are left of five, and garbage. */
    const leave = (numbers: readonly number[], ...others: readonly number[]) => {
      made = [...made.filter(({ number }) => numbers.includes(number)), ...others.map(garbage)];
      made.sort((a, b) => a.number - b.number);
    };

    test.for([
      ['is missing', [1, 2], [4], [4, 3]],
      ['is missing, and no other', [1, 2], [4, 5], [5, 4, 3]],
      ['is missing above another such', [1], [3, 5], [5, 3, 4, 2]],
      ['is there', [1, 2, 3], [4], [4]],
      ['is none', [], [4], [4]],
    ] as const)('what cannot have expired %s', ([, left, others, found]) => {
      leave(left, ...others);
      expect(verify()).toEqual({ held: [...left], found: [...found] });
    });

    test('is missing also where a later checkpoint names what is none', () => {
      leave([1, 2], 4);
      made.push({ number: 5, jws: sign(5, garbage(4).jws, { isPrevVerified: false }) });
      expect(verify()).toEqual({ held: [1, 2, 5], found: [4, 3] });
    });

    test('may have expired like the one before it', () => {
      leave([1, 2], 4);
      expect(verify(NOW_SECONDS + DAY_SECONDS - 301).found).toEqual([4, 3]);
      expect(verify(NOW_SECONDS + DAY_SECONDS - 300).found).toEqual([4]);
    });
  });

  test.for([
    ['another number', { number: 7 }],
    ['another organisation', { orgId: 'beta' }],
  ] as const)('of %s are not the ones that are looked for', ([, changes]) => {
    made = [{ number: 1, jws: sign(1, undefined, changes) }];
    expect(verify()).toEqual({ held: [], found: [1] });
  });
});

describe('a checkpoint of which it is known that it was there', () => {
  const name = (number: number) => ({ number, hash: checkpointHash(made[number - 1]?.jws ?? '') });

  test('is there, also among newer ones', () => {
    for (const number of [1, 3, 5]) expect(checkKnown(made, name(number))).toEqual([]);
  });

  test('is not there any more', () => {
    expect(checkKnown(made.slice(0, 4), name(5))).toEqual([
      { kind: 'checkpoint', number: 5, detail: 'it is not there any more' },
    ]);
  });

  test('is another one now', () => {
    made[4] = { number: 5, jws: sign(5, undefined) };
    expect(checkKnown(made, { number: 5, hash: name(4).hash })).toEqual([
      { kind: 'checkpoint', number: 5, detail: 'it is not the one that was there' },
    ]);
  });
});

describe('the newest checkpoint that the issuer knows of', () => {
  const witness = (expiresAtSeconds: number) => ({
    number: 5,
    hash: checkpointHash(made[4]?.jws ?? ''),
    expiresAtSeconds,
  });

  test('is there, or nobody knows of one', () => {
    expect(checkWitness(made, witness(NOW_SECONDS + DAY_SECONDS), NOW_SECONDS)).toEqual([]);
    expect(checkWitness([], undefined, NOW_SECONDS)).toEqual([]);
  });

  test.for([
    ['cannot have expired', 301, [5]],
    ['may have expired', 300, []],
  ] as const)('is not there, and %s', ([, seconds, found]) => {
    const findings = checkWitness(made.slice(0, 4), witness(NOW_SECONDS + seconds), NOW_SECONDS);
    expect(findings.map(({ kind, number }) => [kind, number])).toEqual(
      found.map((number) => ['checkpoint', number]),
    );
    for (const { detail } of findings)
      expect(detail).toBe('it is not there any more: the issuer knows of it as its newest');
  });
});

describe('the oldest checkpoint', () => {
  const oldest = (number: number, prevExpiresAtSeconds: number): Checkpoint => ({
    orgId: 'acme',
    number,
    prev: 'h',
    isPrevVerified: true,
    prevExpiresAtSeconds,
    signedAtSeconds: 0,
    through: '2026-11-21T10:00:00.000Z',
    expiresAtSeconds: 0,
    chains: [],
  });

  test.for([
    ['the first', oldest(1, 0), [], 0],
    ['none', undefined, [], 0],
    ['one after what has expired', oldest(4, NOW_SECONDS), [], 0],
    ['one after what has not', oldest(4, NOW_SECONDS + DAY_SECONDS), [], 1],
    ['one after what is there, and was found not to hold', oldest(4, NOW_SECONDS + DAY_SECONDS), [3, 4], 0],
    ['one after another than what is there', oldest(4, NOW_SECONDS + DAY_SECONDS), [2, 4], 1],
  ] as const)('is %s', ([, checkpoint, numbers, findings]) => {
    const stored = numbers.map((number) => ({ number, jws: '' }));
    expect(checkBegin(checkpoint, stored, NOW_SECONDS)).toHaveLength(findings);
  });
});
