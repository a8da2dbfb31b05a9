import { expect, test } from 'vitest';
import { splitCompactJws } from '../../functions/core/compact-jws.ts';
import { fitsAlgorithm, isSignedBy, isUsableKey } from '../../functions/core/foreign-algorithm.ts';
import { makeEcKey, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';

const { published } = makeRsaKey();

test.for([
  ['3', 'Aw', true],
  ['65537', 'AQAB', true],
  ['2^32 - 1', '_____w', true],
  ['2^32 + 1', 'AQAAAAE', false],
  ['1', 'AQ', false],
  ['as many bits as its modulus', published['n'] ?? '', false],
] as const)('an RSA key with an exponent of %s is usable: %s, %s', ([, e, isUsable]) => {
  expect(isUsableKey({ ...published, e })).toBe(isUsable);
});

test('a signature counts by the algorithm that its key is made for, and by no other', () => {
  const [rsa, ec] = [makeRsaKey(), makeEcKey()];
  const signed = (key: typeof rsa, algorithm: string) => {
    const split = splitCompactJws(signForeign(key, '{}', {}, algorithm), 10_000);
    if (!split.ok) throw new Error(split.error);
    return split.value;
  };
  for (const algorithm of ['RS256', 'PS256'] as const) {
    expect(isSignedBy(signed(rsa, algorithm), rsa.published, algorithm)).toBe(true);
    expect(isSignedBy(signed(rsa, algorithm), ec.published, algorithm)).toBe(false);
    expect(isSignedBy(signed(rsa, algorithm), { ...rsa.published, alg: 'ES256' }, algorithm)).toBe(false);
    expect(isSignedBy(signed(rsa, algorithm), { ...rsa.published, n: '' }, algorithm)).toBe(false);
  }
  expect(isSignedBy(signed(rsa, 'RS256'), rsa.published, 'PS256')).toBe(false);
  expect(isSignedBy(signed(ec, 'ES256'), ec.published, 'ES256')).toBe(true);
  expect(isSignedBy(signed(ec, 'ES256'), makeEcKey().published, 'ES256')).toBe(false);
  expect(fitsAlgorithm({ ...ec.published, use: 'enc' }, 'ES256')).toBe(false);
});
