import { describe, expect, test } from 'vitest';
import { assertingProviders, assertionWords, checkIdJag } from '../../functions/core/id-jag.ts';
import { foreignClaims, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { identityProvider } from '../support/logins.ts';
import { policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const key = makeRsaKey();
const corp = identityProvider('corp', { acceptAssertions: true });
const { issuer } = { issuer: 'https://corp.example.com' };
const [provider] = assertingProviders(policyOf({ idps: [corp] }), 'acme', issuer, ORIGIN);

function check(changes: Changes, header: Changes = {}) {
  if (provider === undefined) throw new Error('the test’s own provider asserts nothing');
  const claims = foreignClaims({ iss: issuer, aud: ORIGIN, client_id: 'desk', jti: 'a-1', ...changes });
  const compact = signForeign(key, claims, { typ: 'oauth-id-jag+jwt', ...header });
  const expected = { clientId: 'desk', issuer: ORIGIN, nowSeconds: NOW_SECONDS };
  const checked = checkIdJag(compact, [key.published], provider, expected);
  return checked.ok ? checked.value : checked.error;
}

describe('an identity assertion', () => {
  test.for<readonly [Changes, object]>([
    [
      {},
      {
        subject: 'corp:u-1',
        orgId: 'acme',
        groups: [],
        scope: undefined,
        resources: [],
        jti: 'a-1',
        issuedAtSeconds: NOW_SECONDS - 60,
        authTimeSeconds: NOW_SECONDS,
        forgetAtSeconds: NOW_SECONDS + 360,
      },
    ],
    [
      { groups: ['drivers'], scope: 'maps/read' },
      { groups: ['drivers'], scope: 'maps/read' },
    ],
    [
      { resource: 'x', auth_time: 7 },
      { resources: ['x'], authTimeSeconds: 7 },
    ],
    [{ resource: ['x', 'y'], aud_tenant: 'acme' }, { resources: ['x', 'y'] }],
  ])('with %j says %o', ([changes, expected]) => {
    expect(check(changes)).toMatchObject(expected);
  });

  test('is named by its issuer and its id', () => {
    const names = [check({}), check({}), check({ jti: 'a-2' })].map((one) => Object(one).onceId);
    expect(names[0]).toBe(names[1]);
    expect(names[0]).not.toBe(names[2]);
  });

  test.for<readonly [Changes, string, RegExp]>([
    [{ client_id: 'other' }, 'client_id', /has to be the client that presents it/],
    [{ cnf: {} }, 'cnf', /not taken here/],
    [{ tenant: 't' }, 'tenant', /not taken here/],
    [{ authorization_details: [] }, 'authorization_details', /not taken here/],
    [{ aud_tenant: 'rival' }, 'aud_tenant', /the organisation of the client/],
    [{ sub: 7 }, 'sub', /missing or malformed/],
    [{ sub: 's'.repeat(255) }, 'sub', /missing or malformed/],
    [{ jti: undefined }, 'jti', /missing or malformed/],
    [{ scope: ['maps/read'] }, 'scope', /malformed/],
    [{ resource: 7 }, 'resource', /malformed/],
    [{ aud: [ORIGIN, 'x'] }, 'audience', /and nothing else/],
    [{ iat: undefined }, 'claims', /needs the claims/],
    [{ exp: NOW_SECONDS + 3_601 }, 'lifetime', /longer than an hour/],
  ])('with %j is refused: %s', ([changes, detail, words]) => {
    expect(check(changes)).toBe(detail);
    expect(assertionWords(detail)).toMatch(words);
  });

  test('that is signed by nobody is told no more than that', () => {
    expect(assertionWords(String(check({}, { kid: 'rsa-2' })))).toBe('the assertion is not accepted');
  });
});

describe('assertions are taken', () => {
  const policy = policyOf({ idps: [corp, identityProvider('silent', { acceptAssertions: false })] });
  const names = (orgId: string, of: string | undefined, origin = ORIGIN) =>
    assertingProviders(policy, orgId, of, origin).map(({ name }) => name);

  test('from those of the organisation that have the issuer', () => {
    expect(names('acme', issuer)).toEqual(['corp']);
    expect(names('rival', issuer)).toEqual([]);
    expect(names('acme', 'https://silent.example.com')).toEqual([]);
    expect(names('acme', 'https://other.example.com')).toEqual([]);
  });

  test('from nobody without an issuer, and never from ourselves', () => {
    expect(names('acme', undefined)).toEqual([]);
    expect(names('acme', issuer, issuer)).toEqual([]);
  });
});
