import { expect, test } from 'vitest';
import { isUsableKey } from '../../functions/core/foreign-algorithm.ts';
import { makeRsaKey } from '../support/foreign-issuer.ts';

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
