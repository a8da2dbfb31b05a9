import { describe, expect, test } from 'vitest';
import type { AcceptedIdp } from '../../functions/core/identity-provider.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { ForeignKey, ForeignKeys, RevocableToken, RevocationStore } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { Route } from '../../functions/core/route.ts';
import { createForeignKeys } from '../../functions/handlers/foreign-keys.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { type ForeignTestKey, makeRsaKey, signForeign } from '../support/foreign-issuer.ts';
import { cognitoEntry, USER_POOL } from '../support/idp-entry.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const key = makeRsaKey({ kid: 'pool-key' });
const cognito = cognitoEntry();
const MAPS: Route = { kind: 'mcp', server: 'maps' };

const clients = [clientEntry('robot', { scopes: ['maps/read'] }), clientEntry('courier')];

/** What an ingress finds, and whom it asked. */
type World = {
  nowSeconds: number;
  policy: Policy;
  /** Undefined: they cannot be had. */
  keys: readonly ForeignKey[] | undefined;
  /** Undefined: nobody knows. */
  revoked: boolean | undefined;
  readonly asked: string[];
  readonly looks: string[];
  readonly judged: RevocableToken[];
};

/** An ingress with everything that it asks of others on record. */
function open(idps: readonly AcceptedIdp[] = [cognito]) {
  const world: World = {
    nowSeconds: NOW_SECONDS,
    policy: policyOf({ clients, idps }),
    keys: [key.published],
    revoked: false,
    asked: [],
    looks: [],
    judged: [],
  };
  const foreignKeys: ForeignKeys = {
    async find(jwksUri, keyId, { allowPrivate }) {
      world.asked.push(`${jwksUri} ${keyId} ${allowPrivate}`);
      const { keys } = world;
      return keys === undefined ? err({ reason: 'unavailable', detail: 'no keys' }) : ok(keys);
    },
  };
  const revocations: RevocationStore = {
    async isRevoked(token) {
      world.judged.push(token);
      const { revoked } = world;
      return revoked === undefined ? err({ reason: 'unavailable', detail: 'no table' }) : ok(revoked);
    },
    revoke: async () => ok(undefined),
  };
  const ingress = createIngress({
    rulebook: {
      async read(missingKeyId) {
        if (missingKeyId !== undefined) world.looks.push(missingKeyId);
        return ok({ policy: world.policy, keys: issuer.keys });
      },
    },
    revocations,
    foreignKeys,
    clock: () => world.nowSeconds,
  });
  const knock = async (token: string, headers: Readonly<Record<string, string>> = {}, route = MAPS) => {
    const all = new Headers({ 'x-authorization': `Bearer ${token}`, ...headers });
    const admitted = await ingress.authenticate(all, route, ORIGIN);
    if (admitted.ok) return admitted.value.caller.subject;
    return 'detail' in admitted.error
      ? `${admitted.error.reason}: ${admitted.error.detail}`
      : admitted.error.reason;
  };
  return { world, ingress, knock };
}

function token(claims: Changes = {}, header: Changes = {}, signer: ForeignTestKey = key): string {
  const all = {
    iss: cognito.proof.issuer,
    sub: 'robot',
    client_id: 'robot',
    token_use: 'access',
    scope: 'maps/read',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 3_600,
    jti: 'j-1',
    ...claims,
  };
  return signForeign(signer, all, header);
}

describe('a token of an IdP', () => {
  test('is verified with the keys of its IdP, once, and admitted', async () => {
    const { world, knock } = open();
    expect([await knock(token()), await knock(token()), await knock(token())]).toEqual([
      'robot',
      'robot',
      'robot',
    ]);
    expect(world.asked).toEqual([`${cognito.proof.jwksUrl} pool-key false`]);
    expect(world.looks).toEqual([]);
  });

  test('is looked at for revocation every time, as itself, its client, its user and a minute older', async () => {
    const { world, knock } = open();
    await knock(token());
    world.revoked = true;
    expect(await knock(token())).toBe('revoked');
    world.revoked = undefined;
    expect(await knock(token())).toBe('unavailable: no table');
    expect(world.judged).toHaveLength(3);
    expect(world.judged[0]).toMatchObject({
      orgId: 'acme',
      clientId: 'robot',
      subject: 'robot',
      jti: 'cognito:j-1',
      issuedAtSeconds: NOW_SECONDS - 60,
    });
  });

  test('is refused for now where the keys cannot be had, and verified as soon as they can', async () => {
    const { world, knock } = open();
    world.keys = undefined;
    expect(await knock(token())).toBe('unavailable: no keys');
    world.keys = [key.published];
    expect(await knock(token())).toBe('robot');
  });

  test('outlives a key that is gone by 5 minutes at most', async () => {
    const { world, knock } = open();
    await knock(token());
    world.keys = [];
    world.nowSeconds += 299;
    expect(await knock(token())).toBe('robot');
    world.nowSeconds += 1;
    expect(await knock(token())).toBe('bad_idp_token: unknown_key');
  });

  test('ends when it says, remembered or not', async () => {
    const { world, knock } = open();
    const short = token({ exp: NOW_SECONDS + 100 });
    await knock(short);
    world.nowSeconds += 159;
    expect(await knock(short)).toBe('robot');
    world.nowSeconds += 1;
    expect(await knock(short)).toBe('bad_token: expired');
    world.nowSeconds += 300;
    expect(await knock(short)).toBe('bad_idp_token: expired');
  });

  test.for<readonly [string, (policy: Policy) => Policy, string]>([
    ['the IdP is gone', () => policyOf({ clients }), 'bad_token: header'],
    [
      'its access tokens are not taken any more',
      () => policyOf({ clients, idps: [{ ...cognito, acceptAccessTokens: undefined }] }),
      'bad_token: header',
    ],
    [
      'the client is not listed any more',
      () => policyOf({ clients, idps: [cognitoEntry({ accepts: { clientIds: ['desk'] } })] }),
      'bad_idp_token: client_not_listed',
    ],
    ['the client has no entry any more', () => policyOf({ idps: [cognito] }), 'unknown_client'],
    [
      'the IdP is another organisation’s',
      () => policyOf({ clients, idps: [cognitoEntry({ org: 'beta' })] }),
      'org_mismatch',
    ],
  ])('is refused at once where %s', async ([, change, reason]) => {
    const { world, knock } = open();
    expect(await knock(token())).toBe('robot');
    world.policy = change(world.policy);
    expect(await knock(token())).toBe(reason);
  });

  test('of an IdP that two organisations share is for the one that lists its client', async () => {
    const theirs = cognitoEntry({ name: 'theirs', org: 'beta', accepts: { clientIds: ['visitor'] } });
    const { world, knock } = open([theirs, cognito]);
    world.policy = policyOf({
      clients: [...clients, clientEntry('visitor', { org: 'beta' })],
      idps: [theirs, cognito],
    });
    expect(await knock(token())).toBe('robot');
    expect(await knock(token({ client_id: 'visitor', sub: 'visitor' }))).toBe('visitor');
    expect(world.judged.map(({ orgId, jti }) => [orgId, jti])).toEqual([
      ['acme', 'cognito:j-1'],
      ['beta', 'theirs:j-1'],
    ]);
    expect(await knock(token({ client_id: 'nobody', sub: 'nobody' }))).toBe(
      'bad_idp_token: client_not_listed',
    );
  });

  test('with no audience opens no single server for a client that is for single servers', async () => {
    const { world, knock } = open();
    const narrow = clientEntry('robot', { scopes: ['maps/read'], audience: 'resource' });
    world.policy = policyOf({ clients: [narrow], idps: [cognito] });
    expect(await knock(token())).toBe('bad_token: audience');
    expect(await knock(token({ aud: `${ORIGIN}/maps/mcp` }))).toBe('robot');
    expect(await knock(token({ aud: `${ORIGIN}/charts/mcp` }))).toBe('bad_token: audience');
    expect(await knock(token({ aud: `${ORIGIN}/maps/mcp` }), {}, { kind: 'gateway' })).toBe(
      'bad_token: audience',
    );
  });

  test('is no delegation, and no run token', async () => {
    const { ingress, world } = open();
    const delegated = await ingress.verifyDelegation(
      token({ aud: 'https://maps.example.com' }),
      'https://maps.example.com',
      ORIGIN,
    );
    expect(delegated).toMatchObject({ ok: false, error: { reason: 'bad_token' } });
    const headers = new Headers({ 'x-service-token': token() });
    const admitted = await ingress.authenticate(headers, { kind: 'context' }, ORIGIN);
    expect(admitted).toMatchObject({ ok: false });
    expect(world.asked).toEqual([]);
  });
});

describe('nobody is asked for keys', () => {
  test.for<readonly [string, string]>([
    ['of ours', issuer.accessToken()],
    ['of an unknown issuer', token({ iss: 'https://rival.example.com' })],
    ['of an issuer that is spelled otherwise', token({ iss: `${cognito.proof.issuer}/` })],
    [
      'of two issuers',
      signForeign(key, `{"iss":"${cognito.proof.issuer}","iss":"https://rival.example.com"}`),
    ],
    ['of no issuer', token({ iss: undefined })],
    ['of an issuer that is no text', token({ iss: [cognito.proof.issuer] })],
    ['of no algorithm that is known', token({}, { alg: 'HS256' })],
    ['that is none', 'a.b.c'],
    ['that is too long', token({ pad: 'x'.repeat(20_000) })],
  ])('for a token %s', async ([, compact]) => {
    const { world, knock } = open();
    await knock(compact);
    expect(world.asked).toEqual([]);
  });

  test('where the IdP serves logins alone', async () => {
    const { world, knock } = open([]);
    world.policy = policyOf({ clients, idps: [{ ...cognito, acceptAccessTokens: undefined }] });
    expect(await knock(token())).toBe('bad_token: header');
    expect(world.asked).toEqual([]);
  });

  test('of an IdP at our own origin: what claims our issuer is verified as ours', async () => {
    const proof = { ...cognito.proof, issuer: ORIGIN };
    const { world, knock } = open([cognitoEntry({ proof })]);
    expect(await knock(issuer.accessToken())).toBe('courier');
    expect(await knock(token({ iss: ORIGIN }))).toBe('bad_token: header');
    expect(world.asked).toEqual([]);
  });
});

test('a token with our own key and the issuer of an IdP is refused', async () => {
  const { knock } = open();
  const forged = issuer.accessToken({ iss: cognito.proof.issuer, token_use: 'access' });
  expect(await knock(forged)).toBe('bad_idp_token: unknown_key');
});

test('a token with the key of an IdP and our issuer is refused', async () => {
  const { knock } = open();
  expect(await knock(token({ iss: ORIGIN }, { typ: 'at+jwt', alg: 'RS256' }))).toBe('bad_token: unknown_key');
});

describe('selectors', () => {
  test.for<readonly [Readonly<Record<string, string>>, boolean]>([
    [{ 'X-User-Pool-Id': USER_POOL.id, 'X-Client-Id': 'robot', 'X-Region': USER_POOL.region }, true],
    [{ 'X-User-Pool-Id': USER_POOL.id }, true],
    [{ 'X-Region': USER_POOL.region }, true],
    [{ 'X-User-Pool-Id': `${USER_POOL.id}x` }, false],
    [{ 'X-User-Pool-Id': '' }, false],
    [{ 'X-Region': 'us-east-1' }, false],
    [{ 'X-Region': USER_POOL.region.toUpperCase() }, false],
    [{ 'X-Client-Id': 'desk' }, false],
  ])('%j agree: %j', async ([headers, agree]) => {
    const { knock } = open();
    expect(await knock(token(), headers)).toBe(agree ? 'robot' : 'selector_mismatch');
  });

  test('of a user pool never agree with a token of ours, or of an IdP that has none', async () => {
    const proof = { ...cognito.proof, issuer: 'https://idp.example.com/realms/acme' };
    const { knock } = open([cognito, cognitoEntry({ name: 'keycloak', proof })]);
    const selectors = Object.entries({ 'X-User-Pool-Id': USER_POOL.id, 'X-Region': USER_POOL.region });
    for (const [name, value] of selectors) {
      const headers = { [name]: value };
      expect(await knock(issuer.accessToken(), headers)).toBe('selector_mismatch');
      expect(await knock(token({ iss: proof.issuer }), headers)).toBe('selector_mismatch');
    }
  });
});

test('a flood of unknown key ids leads to one look in 30 s, whoever sends it', async () => {
  const { world } = open();
  let fetched = 0;
  const foreignKeys = createForeignKeys({
    upstream: {
      async send() {
        fetched += 1;
        const body = new Response(JSON.stringify({ keys: [key.published] })).body;
        if (body === null) throw new Error('a response has a body');
        return ok({ status: 200, headers: new Map(), body });
      },
    },
    clock: () => world.nowSeconds,
  });
  const ingress = createIngress({
    rulebook: { read: async () => ok({ policy: world.policy, keys: issuer.keys }) },
    revocations: { isRevoked: async () => ok(false), revoke: async () => ok(undefined) },
    foreignKeys,
    clock: () => world.nowSeconds,
  });
  const knock = async (compact: string) => {
    const headers = new Headers({ authorization: `Bearer ${compact}` });
    return (await ingress.authenticate(headers, MAPS, ORIGIN)).ok;
  };
  const honest = token();
  const unknown = Array.from({ length: 40 }, (_, index) => token({}, { kid: `unknown-${index}` }));
  for (let second = 0; second < 60; second += 1) {
    const answers = await Promise.all([...unknown, honest].map(knock));
    expect(answers).toEqual([...unknown.map(() => false), true]);
    world.nowSeconds += 1;
  }
  expect(fetched).toBe(2);
});
