import { describe, expect, test } from 'vitest';
import { checkClientAssertion } from '../../functions/core/client-assertion.ts';
import type { ForeignKey } from '../../functions/core/ports.ts';
import { assertionClaims } from '../support/assertions.ts';
import { makeEcKey, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const rsa = makeRsaKey();
const ec = makeEcKey();
const other = makeEcKey();
const KEYS = [rsa.published, ec.published];

function check(assertion: string, keys: readonly ForeignKey[] = KEYS, nowSeconds = NOW_SECONDS) {
  return checkClientAssertion(assertion, keys, { clientId: 'signer', issuer: ORIGIN, nowSeconds });
}

const signed = (changes: Changes = {}, header: Changes = {}) =>
  signForeign(ec, assertionClaims('signer', changes), header);

describe('an honest assertion', () => {
  test.for([
    ['RS256', rsa],
    ['PS256', rsa],
    ['ES256', ec],
  ] as const)('signed with %s is accepted', ([algorithm, key]) => {
    expect(check(signForeign(key, assertionClaims('signer'), {}, algorithm)).ok).toBe(true);
  });

  test.for<readonly [string, Changes, Changes]>([
    ['no type', {}, { typ: undefined }],
    ['the type of its own', {}, { typ: 'client-authentication+jwt' }],
    ['no key id', {}, { kid: undefined }],
    ['no time of issue', { iat: undefined }, {}],
    ['5 minutes to live', { exp: NOW_SECONDS + 300 }, {}],
    ['a clock that is a minute ahead', { iat: NOW_SECONDS + 60, exp: NOW_SECONDS + 360 }, {}],
    ['members that nobody reads', { scope: 'x', nbf: NOW_SECONDS }, {}],
  ])('with %s is accepted', ([, claims, header]) => {
    expect(check(signed(claims, header)).ok).toBe(true);
  });

  test('is one and the same by client and `jti`, until it has expired everywhere', () => {
    const read = (assertion: string, clientId = 'signer') => {
      const checked = checkClientAssertion(assertion, KEYS, {
        clientId,
        issuer: ORIGIN,
        nowSeconds: NOW_SECONDS,
      });
      return checked.ok ? checked.value : undefined;
    };
    const first = read(signed({ jti: 'j-1' }));
    expect(first?.forgetAtSeconds).toBe(NOW_SECONDS + 120);
    expect(read(signed({ jti: 'j-1', exp: NOW_SECONDS + 90 }))?.onceId).toBe(first?.onceId);
    expect(read(signForeign(rsa, assertionClaims('signer', { jti: 'j-1' })))?.onceId).toBe(first?.onceId);
    expect(read(signed({ jti: 'j-2' }))?.onceId).not.toBe(first?.onceId);
    const elsewhere = signForeign(ec, assertionClaims('other', { jti: 'j-1' }));
    expect(read(elsewhere, 'other')?.onceId).not.toBe(first?.onceId);
  });
});

describe('an assertion is refused', () => {
  test.for<readonly [string, Changes, string]>([
    ['of another client', { iss: 'other', sub: 'other' }, 'issuer'],
    ['about another subject', { sub: 'other' }, 'subject'],
    ['about nobody', { sub: undefined }, 'subject'],
    ['for another issuer', { aud: 'https://other.example.com' }, 'audience'],
    ['for the token endpoint', { aud: `${ORIGIN}/oauth/token` }, 'audience'],
    ['for the issuer with a slash', { aud: `${ORIGIN}/` }, 'audience'],
    ['for the issuer in a list', { aud: [ORIGIN] }, 'audience'],
    ['for the issuer and another', { aud: [ORIGIN, 'https://other.example.com'] }, 'audience'],
    ['for nobody', { aud: undefined }, 'audience'],
    ['without an end', { exp: undefined }, 'claims'],
    ['whose end is a text', { exp: String(NOW_SECONDS + 60) }, 'claims'],
    ['that has expired', { iat: NOW_SECONDS - 200, exp: NOW_SECONDS - 60 }, 'expired'],
    ['that lives longer than 5 minutes', { exp: NOW_SECONDS + 361 }, 'lifetime'],
    ['from the future', { iat: NOW_SECONDS + 61, exp: NOW_SECONDS + 120 }, 'not_yet_valid'],
    ['that is not valid yet', { nbf: NOW_SECONDS + 61 }, 'not_yet_valid'],
    ['without a `jti`', { jti: undefined }, 'jti'],
    ['with an empty `jti`', { jti: '' }, 'jti'],
    ['with a `jti` that is a number', { jti: 7 }, 'jti'],
    ['with a `jti` of 256 characters', { jti: 'x'.repeat(256) }, 'jti'],
  ])('%s', ([, claims, reason]) => {
    expect(check(signed(claims))).toEqual({ ok: false, error: reason });
  });

  test.for<readonly [string, () => string, string]>([
    ['of another key with the same id', () => signForeign(other, assertionClaims('signer')), 'signature'],
    ['of a key that is not there', () => signed({}, { kid: 'gone' }), 'unknown_key'],
    ['by another type of token', () => signed({}, { typ: 'at+jwt' }), 'type'],
    ['that nobody signed', () => signed({}, { alg: 'none' }), 'unknown_key'],
    ['that is signed with a shared key', () => signed({}, { alg: 'HS256' }), 'unknown_key'],
    ['whose signature was changed', () => signed().replace(/.{9}$/, 'AAAAAAAAA'), 'signature'],
    ['that is none', () => 'x', 'unknown_key'],
  ])('%s', ([, make, reason]) => {
    expect(check(make())).toEqual({ ok: false, error: reason });
  });

  test('that names no key where more than one fits', () => {
    const two = [ec.published, { ...other.published, kid: 'ec-2' }];
    expect(check(signed({}, { kid: undefined }), two)).toEqual({ ok: false, error: 'unknown_key' });
    expect(check(signed(), two).ok).toBe(true);
  });

  test('of a client that has no keys, however honest', () => {
    expect(check(signed(), [])).toEqual({ ok: false, error: 'unknown_key' });
    expect(check(signForeign(rsa, assertionClaims('signer')), [ec.published])).toEqual({
      ok: false,
      error: 'unknown_key',
    });
  });
});
