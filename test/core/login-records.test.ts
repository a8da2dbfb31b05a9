import { describe, expect, test } from 'vitest';
import {
  locateCode,
  makeCode,
  readCodeRecord,
  writeCodeRecord,
} from '../../functions/core/authorization-code.ts';
import { isStillVouchedFor } from '../../functions/core/login-grant.ts';
import {
  familyEndSeconds,
  makeRefreshToken,
  REFRESH_IDLE_SECONDS,
  REFRESH_LIFETIME_SECONDS,
  readRefreshGrant,
  readRefreshToken,
  toRefreshPart,
  writeRefreshGrant,
} from '../../functions/core/refresh-token.ts';
import { codeGrant, identityProvider } from '../support/logins.ts';
import { policyOf } from '../support/policies.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

const RANDOM = new Uint8Array(32).fill(7);
const grant = codeGrant(NOW_SECONDS);
const { redirectUri: _, codeChallenge: __, expiresAtSeconds: ___, ...login } = grant;
const family = { ...login, beganAtSeconds: NOW_SECONDS, secretDigest: 'digest' };

/** The record with one member changed; undefined takes it away. */
const changed = (text: string, name: string, value: unknown) =>
  JSON.stringify({ ...JSON.parse(text), [name]: value });

const MALFORMED: readonly (readonly [string, unknown])[] = [
  ['clientId', ''],
  ['subject', 7],
  ['family', undefined],
  ['scopes', 'maps/read'],
  ['groups', [7]],
  ['authTimeSeconds', '1'],
];

describe('the record of a code', () => {
  test('is read as it was written, with whoever used it up', () => {
    expect(readCodeRecord(writeCodeRecord(grant))).toEqual({ grant, redeemedBy: undefined });
    expect(readCodeRecord(writeCodeRecord(grant, 'r-1'))).toEqual({ grant, redeemedBy: 'r-1' });
    const everywhere = { ...grant, resource: undefined };
    expect(readCodeRecord(writeCodeRecord(everywhere))?.grant).toEqual(everywhere);
  });

  test.for([
    ...MALFORMED,
    ['redirectUri', ''],
    ['codeChallenge', undefined],
    ['expiresAtSeconds', 1.5],
  ] as const)('is none with the %s %j', ([name, value]) => {
    expect(readCodeRecord(changed(writeCodeRecord(grant), name, value))).toBeUndefined();
  });

  test.for(['', '[]', '{'])('is none as %j', (text) => {
    expect(readCodeRecord(text)).toBeUndefined();
    expect(readRefreshGrant(text)).toBeUndefined();
  });

  test('is where its code says, which has one spelling', () => {
    const code = makeCode('acme', RANDOM);
    expect(locateCode(code)).toEqual({ orgId: 'acme', id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) });
    expect(locateCode(code)?.id).not.toBe(locateCode(makeCode('acme', new Uint8Array(32)))?.id);
    for (const other of [code.slice(1), `${code}=`, `.${code}`, code.replace('.', 'x.'), ''])
      expect(locateCode(other)?.orgId).not.toBe('acme');
    expect(locateCode(code.slice(1))).toBeUndefined();
  });
});

describe('a refresh token', () => {
  const [handle, secret] = [toRefreshPart(RANDOM), toRefreshPart(new Uint8Array(32).fill(9))];
  const token = makeRefreshToken('acme', handle, secret);

  test('is taken apart as it was made; its family stays, and its secret changes', () => {
    const read = readRefreshToken(token);
    expect(read).toMatchObject({ orgId: 'acme', handle });
    const next = readRefreshToken(makeRefreshToken('acme', handle, toRefreshPart(new Uint8Array(32))));
    expect(next?.id).toBe(read?.id);
    expect(next?.secretDigest).not.toBe(read?.secretDigest);
  });

  test.for([
    '',
    token.slice(1),
    token.replace('.', 'B.'),
    `${token}.x`,
    `${token.slice(0, -1)}${token.endsWith('l') ? 'm' : 'l'}`,
    `_w.${handle}.${secret}`,
  ])('has one spelling, which is not %s', (other) => {
    expect(readRefreshToken(other)).toBeUndefined();
  });

  test('is good for a week from its last use, and for a month from the login', () => {
    const day = 86_400;
    expect(familyEndSeconds(family, NOW_SECONDS)).toBe(NOW_SECONDS + REFRESH_IDLE_SECONDS);
    expect(familyEndSeconds(family, NOW_SECONDS + 29 * day)).toBe(NOW_SECONDS + REFRESH_LIFETIME_SECONDS);
  });

  test('has a record that is read as it was written', () => {
    expect(readRefreshGrant(writeRefreshGrant(family))).toEqual(family);
  });

  test.for([...MALFORMED, ['beganAtSeconds', undefined], ['secretDigest', '']] as const)(
    'has none with the %s %j',
    ([name, value]) => {
      expect(readRefreshGrant(changed(writeRefreshGrant(family), name, value))).toBeUndefined();
    },
  );
});

test('a login counts while users still log in at the provider that vouched, for that organisation', () => {
  const policy = policyOf({ idps: [identityProvider('corp')] });
  expect(isStillVouchedFor(policy, 'corp:sam', 'acme')).toBe(true);
  expect(isStillVouchedFor(policy, 'gone:sam', 'acme')).toBe(false);
  expect(isStillVouchedFor(policy, 'corp:sam', 'rival')).toBe(false);
});
