import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { idTokenRule, readGitHubUser, readIdToken } from '../../functions/core/id-token.ts';
import { isJsonObject, parseJsonText } from '../../functions/core/json.ts';
import { identityProvider } from '../support/logins.ts';
import { type Changes, NOW_SECONDS } from '../support/test-issuer.ts';

const corp = identityProvider('corp');
const proof = {
  kind: 'id_token',
  issuer: 'https://corp.example.com',
  jwksUrl: 'x',
  groupsClaim: 'groups',
} as const;
const CLAIMS: Changes = { iat: NOW_SECONDS, nonce: 'n-1', aud: 'sallyport', sub: 'u-1' };
const hashOf = (token: string) =>
  createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');

function json(value: unknown) {
  const parsed = parseJsonText(JSON.stringify(value));
  if (!parsed.ok) throw new Error('the test’s own value is no JSON');
  return parsed.value;
}

function read(changes: Changes, accessToken?: string) {
  const claims = json({ ...CLAIMS, ...changes });
  if (!isJsonObject(claims)) throw new Error('the test’s own claims are no object');
  const identity = readIdToken(claims, corp, proof, { nonce: 'n-1', accessToken });
  return identity.ok ? identity.value : identity.error.detail;
}

describe('who logged in', () => {
  test.for<readonly [Changes, object]>([
    [{}, { userId: 'u-1', displayName: 'u-1', groups: [], authTimeSeconds: NOW_SECONDS }],
    [{ email: 'ada@example.com' }, { displayName: 'ada@example.com' }],
    [{ email: '' }, { displayName: 'u-1' }],
    [{ auth_time: NOW_SECONDS - 60 }, { authTimeSeconds: NOW_SECONDS - 60 }],
    [{ auth_time: 'x' }, { authTimeSeconds: NOW_SECONDS }],
    [{ groups: ['a', 'b'] }, { groups: ['a', 'b'], hasMoreGroups: false }],
    [{ aud: ['sallyport'] }, { userId: 'u-1' }],
    [{ aud: ['sallyport', 'other'], azp: 'sallyport' }, { userId: 'u-1' }],
    [{ at_hash: hashOf('at') }, { userId: 'u-1' }],
  ])('by %j is %j', ([changes, expected]) => {
    expect(read(changes, 'at')).toMatchObject(expected);
  });

  test.for<readonly [Changes, string]>([
    [{ iat: undefined }, 'iat'],
    [{ nonce: 'n-2' }, 'nonce'],
    [{ nonce: undefined }, 'nonce'],
    [{ aud: ['sallyport', 'other'] }, 'azp'],
    [{ azp: 'other' }, 'azp'],
    [{ at_hash: hashOf('another') }, 'at_hash'],
    [{ sub: undefined }, 'sub'],
    [{ sub: 's'.repeat(255) }, 'sub'],
  ])('by %j is refused: %s', ([changes, detail]) => {
    expect(read(changes, 'at')).toBe(detail);
  });

  test('is not held to the hash of an access token that did not come with it', () => {
    expect(read({ at_hash: 'x' })).toMatchObject({ userId: 'u-1' });
  });
});

test('an id token is held to its issuer and to us as an audience, at any age', () => {
  expect(idTokenRule(corp, proof, NOW_SECONDS)).toMatchObject({
    issuer: proof.issuer,
    audiences: ['sallyport'],
    soleAudience: false,
    maxLifetimeSeconds: undefined,
  });
});

test.for<readonly [unknown, 'id' | undefined, object | 'refused']>([
  [{ id: 17, login: 'ada' }, undefined, { userId: '17', displayName: 'ada', groups: [] }],
  [{ id: 17, login: 'ada' }, 'id', { userId: '17', groups: ['17'], authTimeSeconds: NOW_SECONDS }],
  [{ id: '17', login: 'ada' }, 'id', 'refused'],
  [{ id: 0, login: 'ada' }, 'id', 'refused'],
  [{ id: 1.5, login: 'ada' }, 'id', 'refused'],
  [{ id: 17, login: '' }, 'id', 'refused'],
  [{ id: 17 }, 'id', 'refused'],
  [[], 'id', 'refused'],
])('GitHub says %j, with groups by %j: %j', ([user, groupsClaim, expected]) => {
  const identity = readGitHubUser(json(user), { kind: 'github', userInfoUrl: 'x', groupsClaim }, NOW_SECONDS);
  if (typeof expected === 'string') expect(identity).toMatchObject({ error: { detail: 'user' } });
  else expect(identity).toMatchObject({ value: expected });
});
