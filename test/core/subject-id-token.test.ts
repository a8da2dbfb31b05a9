import { describe, expect, test } from 'vitest';
import { checkSubjectIdToken } from '../../functions/core/subject-id-token.ts';
import { foreignClaims, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { cognitoEntry } from '../support/idp-entry.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const key = makeRsaKey();
const idp = cognitoEntry();
const policy = policyOf({
  idps: [idp],
  clients: [clientEntry('desk', { scopes: ['maps/read'] }), clientEntry('robot', { disabled: true })],
  groups: [['drivers', ['maps/read', 'maps/execute']]],
  teams: [
    { org: 'acme', name: 'pilots', members: ['cognito:u-1'], groups: [], parent: undefined, inherit: false },
  ],
});

function check(changes: Changes) {
  const claims = foreignClaims({ iss: idp.proof.issuer, aud: 'desk', ...changes });
  const checked = checkSubjectIdToken(signForeign(key, claims), [key.published], idp, {
    policy,
    origin: ORIGIN,
    nowSeconds: NOW_SECONDS,
  });
  return checked.ok ? checked.value : checked.error;
}

describe('an id token that is exchanged', () => {
  test.for<readonly [Changes, object]>([
    [
      { 'cognito:groups': ['drivers'] },
      {
        subject: 'cognito:u-1',
        kind: 'user',
        clientId: 'desk',
        orgId: 'acme',
        scopes: ['maps/read'],
        groups: ['drivers'],
        teams: ['pilots'],
        isPublicOnly: false,
        audience: ORIGIN,
        issuedAtSeconds: NOW_SECONDS - 60,
        endsAtSeconds: NOW_SECONDS + 300,
      },
    ],
    [
      { aud: ['desk'], azp: 'desk', token_use: 'id', typ: 'ID' },
      { clientId: 'desk', scopes: [] },
    ],
    [{ jti: 'j-7' }, { jti: 'cognito:j-7' }],
    [{ teams: ['cooks'] }, { teams: [], isPublicOnly: true }],
  ])('with %j is about %o', ([changes, expected]) => {
    expect(check(changes)).toMatchObject(expected);
  });

  test('is named by what is signed where its issuer gave it no id', () => {
    expect(check({})).toMatchObject({ jti: expect.stringMatching(/^cognito:[A-Za-z0-9_-]{43}$/) });
    expect(Object(check({})).jti).not.toBe(Object(check({ nonce: 'x' })).jti);
  });

  test.for<readonly [Changes, string]>([
    [{ aud: 'other' }, 'audience'],
    [{ exp: NOW_SECONDS + 86_401 }, 'lifetime'],
    [{ token_use: 'access' }, 'not_an_id_token'],
    [{ typ: 'Bearer' }, 'not_an_id_token'],
    [{ cnf: {} }, 'not_an_id_token'],
    [{ azp: 'other' }, 'azp'],
    [{ aud: 'robot' }, 'client_disabled'],
    [{ sub: 7 }, 'sub'],
    [{ sub: 's'.repeat(255) }, 'sub'],
    [{ teams: 'pilots' }, 'teams'],
  ])('with %j is refused: %s', ([changes, detail]) => {
    expect(check(changes)).toBe(detail);
  });
});
