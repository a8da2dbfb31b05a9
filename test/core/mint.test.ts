import { sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import type { GrantPlan } from '../../functions/core/grant.ts';
import { mintAccessToken, mintIdentityToken, type Unsigned } from '../../functions/core/mint.ts';
import { identityProvider } from '../support/logins.ts';
import { callerOf, clientEntry, policyOf } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer, type TestKey } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const UPSTREAM = 'https://maps.internal.example.com/mcp';

const plan: GrantPlan = {
  subject: 'courier',
  kind: 'agent',
  clientId: 'courier',
  orgId: 'acme',
  audience: `${ORIGIN}/maps/mcp`,
  scopes: ['maps/read', 'maps/execute'],
  groups: ['drivers'],
  lifetimeSeconds: 450,
  context: { namespace: 'proj', scope_filters: { session: 's-1' } },
};

function signed(unsigned: Unsigned, key: TestKey): string {
  const signature = sign('RSA-SHA256', Buffer.from(unsigned.signingInput), key.privateKey);
  return `${unsigned.signingInput}.${signature.toString('base64url')}`;
}

function parts(unsigned: Unsigned): readonly unknown[] {
  return unsigned.signingInput
    .split('.')
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
}

const signing = { keyId: issuer.access.published.keyId, issuer: ORIGIN, nowSeconds: NOW_SECONDS, jti: 'j-9' };

describe('an access token', () => {
  test('has exactly the header and the claims of the contract', () => {
    const unsigned = mintAccessToken(plan, signing);
    expect(parts(unsigned)).toEqual([
      { alg: 'RS256', typ: 'at+jwt', kid: issuer.access.published.keyId },
      {
        iss: ORIGIN,
        sub: 'courier',
        aud: `${ORIGIN}/maps/mcp`,
        client_id: 'courier',
        scope: 'maps/read maps/execute',
        org_id: 'acme',
        iat: NOW_SECONDS,
        exp: NOW_SECONDS + 450,
        jti: 'j-9',
        groups: ['drivers'],
        namespace: 'proj',
        scope_filters: { session: 's-1' },
      },
    ]);
    expect([unsigned.jti, unsigned.expiresAtSeconds]).toEqual(['j-9', NOW_SECONDS + 450]);
  });

  test('that comes of a login or a token says so, and who acts', () => {
    const descent = { ancestor: 'login.t-1', issuedAtSeconds: NOW_SECONDS - 100 };
    const [, claims] = parts(mintAccessToken({ ...plan, descent, actors: ['a', 'b'] }, signing));
    expect(claims).toMatchObject({
      jti: 'login.t-1.j-9',
      parent_iat: NOW_SECONDS - 100,
      act: { sub: 'a', act: { sub: 'b' } },
    });
    const tooLong = { ancestor: 'x'.repeat(252), issuedAtSeconds: 0 };
    expect(() => mintAccessToken({ ...plan, descent: tooLong }, signing)).toThrow(RangeError);
  });

  test('without groups and context has no such claims', () => {
    const [, claims] = parts(mintAccessToken({ ...plan, groups: [], context: {} }, signing));
    expect(Object.keys(claims ?? {})).toEqual([
      'iss',
      'sub',
      'aud',
      'client_id',
      'scope',
      'org_id',
      'iat',
      'exp',
      'jti',
    ]);
  });

  test('says how often it may be used, and which teams it is for', () => {
    const [, counted] = parts(mintAccessToken({ ...plan, maxUses: 3, teams: ['crew'] }, signing));
    expect(counted).toMatchObject({ token_kind: 'counted', max_uses: 3, teams: ['crew'] });
    const [, open] = parts(mintAccessToken({ ...plan, teams: [] }, signing));
    expect(open).not.toHaveProperty('teams');
  });

  test('is accepted by our own verifier with the plan’s meaning', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((text) => text.isWellFormed());
    const plans = fc.record({
      subject: name,
      scopes: fc.subarray(['maps/read', 'mail/read', 'runs/issue']),
      groups: fc.array(name, { maxLength: 3 }),
      lifetimeSeconds: fc.integer({ min: 300, max: 900 }),
    });
    fc.assert(
      fc.property(plans, (changes) => {
        const planned = { ...plan, ...changes };
        const verified = issuer.verify(signed(mintAccessToken(planned, signing), issuer.access));
        expect(verified.ok && verified.value.claims).toMatchObject({
          subject: planned.subject,
          scopes: planned.scopes,
          groups: planned.groups,
          expiresAtSeconds: NOW_SECONDS + planned.lifetimeSeconds,
        });
      }),
    );
  });
});

describe('an identity token', () => {
  const policy = policyOf({ clients: [clientEntry('courier', { scopes: ['maps/read'] })] });
  const caller = callerOf(issuer, policy, ['maps/read', 'admin']);
  const identity = { keyId: issuer.identity.published.keyId, issuer: ORIGIN, nowSeconds: NOW_SECONDS + 60 };

  test('says who calls, for one upstream, and dies with the caller’s own token', () => {
    const unsigned = mintIdentityToken(caller, UPSTREAM, identity);
    expect(parts(unsigned)).toEqual([
      { alg: 'RS256', typ: 'JWT', kid: issuer.identity.published.keyId },
      {
        iss: ORIGIN,
        sub: 'courier',
        aud: UPSTREAM,
        client_id: 'courier',
        scope: 'maps/read',
        org_id: 'acme',
        iat: NOW_SECONDS + 60,
        parent_iat: NOW_SECONDS,
        exp: NOW_SECONDS + 300,
        jti: caller.jti,
        teams: [],
        token_kind: 'identity',
      },
    ]);
  });

  test('says the groups of the caller, and the tokens of those who act', () => {
    const entry = clientEntry('courier', { scopes: ['maps/read'], groups: ['drivers'] });
    const acting = { sub: 'courier', groups: ['drivers'], act: { sub: 'courier' }, act_jti: ['t-1'] };
    const token = Caller.fromToken(issuer.verified(acting), policyOf({ clients: [entry] }));
    if (!token.ok) throw new Error(token.error.reason);
    const [, claims] = parts(mintIdentityToken(token.value, UPSTREAM, identity));
    expect(claims).toMatchObject({ groups: ['drivers'], act_jti: ['t-1'] });
  });

  test('says who acts for whom', () => {
    const act = { sub: 'broker', act: { sub: 'desk' } };
    const clients = ['broker', 'desk'].map((id) => clientEntry(id, { scopes: ['maps/read'] }));
    const token = issuer.verified({ sub: 'corp:sam', client_id: 'broker', act });
    const delegated = Caller.fromToken(token, policyOf({ clients, idps: [identityProvider('corp')] }));
    const [, claims] = delegated.ok ? parts(mintIdentityToken(delegated.value, UPSTREAM, identity)) : [];
    expect(claims).toMatchObject({ sub: 'corp:sam', client_id: 'broker', act });
  });

  test('lives 300 s at most', () => {
    const early = mintIdentityToken(caller, UPSTREAM, { ...identity, nowSeconds: NOW_SECONDS - 100 });
    expect(early.expiresAtSeconds).toBe(NOW_SECONDS + 200);
  });

  test('is one to our verifier, and never an access token', () => {
    const token = signed(mintIdentityToken(caller, UPSTREAM, identity), issuer.identity);
    expect(issuer.verify(token, NOW_SECONDS + 60, 'identity').ok).toBe(true);
    expect(issuer.verify(token, NOW_SECONDS + 60, 'access').ok).toBe(false);
    const misused = signed(
      mintIdentityToken(caller, UPSTREAM, { ...identity, keyId: signing.keyId }),
      issuer.access,
    );
    expect(issuer.verify(misused, NOW_SECONDS + 60, 'identity').ok).toBe(false);
  });
});
