import { describe, expect, test } from 'vitest';
import {
  CHECKPOINT_TYPE,
  type Checkpoint,
  checkpointHash,
  checkpointPayload,
  openCheckpoint,
  reachOf,
  readCheckpoint,
  statesOf,
} from '../../../functions/core/audit/checkpoint.ts';
import { VerifiedRunToken } from '../../../functions/core/run-token.ts';
import { KeySet } from '../../../functions/core/signed-token.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../../support/test-issuer.ts';

const issuer = new TestIssuer();

const CHECKPOINT: Checkpoint = {
  orgId: 'acme',
  number: 7,
  prev: 'h-6',
  isPrevVerified: true,
  prevExpiresAtSeconds: 5,
  signedAtSeconds: NOW_SECONDS,
  through: '2026-11-21T10:00:00.000Z',
  expiresAtSeconds: 10,
  chains: [{ chain: 'c', seq: 3, tips: ['2:a', '3:b'], expiresAtSeconds: 9 }],
};

function signed(
  changes: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
) {
  const payload = JSON.stringify({ ...checkpointPayload(CHECKPOINT), ...changes });
  return issuer.sign(issuer.header({ typ: CHECKPOINT_TYPE, ...header }), payload);
}

describe('a checkpoint', () => {
  test('is read as it was written', () => {
    expect(openCheckpoint(signed(), issuer.keys)).toEqual({ ok: true, value: CHECKPOINT });
    const keyId = issuer.access.published.keyId;
    expect(readCheckpoint(signed())).toEqual({ checkpoint: CHECKPOINT, keyId });
  });

  test('says of a chain that it came as far as the furthest record that it names', () => {
    const state = { chain: 'c', seq: 3, tips: ['2:a', '9:b', 'the tenth'], expiresAtSeconds: 9 };
    expect(reachOf(state)).toBe(9);
    expect(reachOf({ ...state, seq: 12 })).toBe(12);
  });

  test('has a hash of all its bytes', () => {
    expect(checkpointHash(signed())).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(checkpointHash(signed())).not.toBe(checkpointHash(signed({ number: 8 })));
  });

  test.for([
    ['org_id', 7],
    ['number', '7'],
    ['number', -1],
    ['prev', undefined],
    ['prev_verified', 'yes'],
    ['prev_expires_at', null],
    ['iat', 1.5],
    ['through', '2026-11-21'],
    ['through', 'yesterday'],
    ['through', undefined],
    ['expires_at', '10'],
    ['chains', undefined],
    ['chains', {}],
    ['chains', [{}]],
    ['chains', [['c', 3]]],
    ['chains', [['c', 3, []]]],
    ['chains', [['c', 3, [], '9']]],
    ['chains', [['c', '3', [], 9]]],
    ['chains', [['c', 3, [7], 9]]],
    ['chains', [[7, 3, [], 9]]],
  ] as const)('with `%s` %j is malformed', ([name, value]) => {
    expect(openCheckpoint(signed({ [name]: value }), issuer.keys)).toEqual({ ok: false, error: 'malformed' });
    expect(readCheckpoint(signed({ [name]: value }))).toBeUndefined();
  });

  test.for(['', 'a.b', 'a.b.c', '.', 'AAAA.AAAA.AAAA', `${'A'.repeat(400_000)}.AA.AA`])(
    'is not `%.10s`',
    (text) => {
      expect(openCheckpoint(text, issuer.keys).ok).toBe(false);
      expect(readCheckpoint(text)).toBeUndefined();
    },
  );

  test('of a header without a key id is none', () => {
    expect(readCheckpoint(signed({}, { kid: undefined }))).toBeUndefined();
  });
});

describe('no verifier takes one for another:', () => {
  test.for(['at+jwt', 'JWT', 'jwt', 'AUDIT-CHECKPOINT+JWT', undefined])(
    'a `typ` of %s is no checkpoint',
    (typ) => {
      expect(openCheckpoint(signed({}, { typ }), issuer.keys)).toEqual({ ok: false, error: 'header' });
    },
  );

  test('a token that the same key signed is no checkpoint, whatever it claims', () => {
    const claims = checkpointPayload(CHECKPOINT);
    expect(openCheckpoint(issuer.accessToken(claims), issuer.keys).ok).toBe(false);
    const run = issuer.sign(issuer.header({ typ: 'JWT' }), issuer.claims({ ...claims, token_kind: 'run' }));
    expect(openCheckpoint(run, issuer.keys).ok).toBe(false);
  });

  test('a checkpoint is no access, identity or run token, whatever it claims', () => {
    const header = issuer.header({ typ: CHECKPOINT_TYPE });
    const claims = issuer.claims({ ...checkpointPayload(CHECKPOINT), token_kind: 'run' });
    const compact = issuer.sign(header, claims);
    for (const kind of ['access', 'identity'] as const) {
      expect(issuer.verify(compact, NOW_SECONDS, kind)).toMatchObject({
        ok: false,
        error: { detail: 'header' },
      });
    }
    const expected = { issuer: ORIGIN, keys: issuer.keys, nowSeconds: NOW_SECONDS };
    expect(VerifiedRunToken.verify(compact, expected)).toMatchObject({
      ok: false,
      error: { detail: 'header' },
    });
  });

  test('a checkpoint that the gateway’s key signed is none', () => {
    const { keyId } = issuer.identity.published;
    const jws = issuer.sign(
      issuer.header({ typ: CHECKPOINT_TYPE, kid: keyId }),
      JSON.stringify(checkpointPayload(CHECKPOINT)),
      issuer.identity,
    );
    expect(openCheckpoint(jws, issuer.keys)).toEqual({ ok: false, error: 'unknown_key' });
    expect(openCheckpoint(signed(), new KeySet([]))).toEqual({ ok: false, error: 'unknown_key' });
  });
});

describe('how far chains have come', () => {
  const record = (chain: string, seq: number, prev: readonly string[]) => ({
    chain,
    seq,
    prev,
    hash: `h-${seq}`,
    expires_at: 100 - seq,
  });

  test('is their last number and what nothing names', () => {
    const records = [
      record('a', 1, []),
      record('b', 4, ['3:h-3']),
      record('a', 3, ['1:h-1']),
      record('a', 2, ['1:h-1']),
    ];
    expect(statesOf(records)).toEqual([
      { chain: 'a', seq: 3, tips: ['2:h-2', '3:h-3'], expiresAtSeconds: 99 },
      { chain: 'b', seq: 4, tips: ['4:h-4'], expiresAtSeconds: 96 },
    ]);
  });

  test('is what a record names where that is more', () => {
    expect(statesOf([record('a', 1, ['7:h-7', 'x:y', '0:x'])])).toEqual([
      { chain: 'a', seq: 7, tips: ['1:h-1'], expiresAtSeconds: 99 },
    ]);
  });

  test('passes over what is in no chain', () => {
    expect(
      statesOf([{ ts: 'x' }, { chain: 'a' }, { chain: 'a', seq: 1 }, { chain: 1, seq: 1, hash: 'h' }]),
    ).toEqual([]);
    expect(statesOf([record('a', 0, []), record('a', 1.5, [])])).toEqual([]);
    expect(statesOf([{ chain: 'a', seq: 1, hash: 'h', prev: 'none' }])).toEqual([
      { chain: 'a', seq: 1, tips: ['1:h'], expiresAtSeconds: 0 },
    ]);
  });
});
