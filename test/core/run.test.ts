import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Unsigned } from '../../functions/core/mint.ts';
import { authorizeRun, type Run, readRun, writeRun } from '../../functions/core/run.ts';
import { mintRunTokens, VerifiedRunToken } from '../../functions/core/run-token.ts';
import { callerOf, clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const section = (namespace: string) => new Map([['namespace', namespace]]);
const run: Run = {
  runId: 'run-1',
  clientId: 'courier',
  agentName: 'pilot',
  services: new Map([['context-store', section('voyage-7')]]),
  permissions: ['read', 'write'],
  ttlSeconds: 600,
  split: false,
  openedAtSeconds: NOW_SECONDS,
  completedAtSeconds: undefined,
};

describe('tokens of a run are for a client', () => {
  const registered = (scopes: readonly string[]) =>
    policyOf({ clients: [clientEntry('courier', { scopes, runNamespaces: ['voyage-7'] })] });
  const authorized = (given: readonly string[], own: readonly string[], services = run.services) => {
    const policy = registered(own);
    const answer = authorizeRun(policy, callerOf(issuer, policy, given), services);
    return answer.ok ? 'ok' : answer.error;
  };

  test('with the scope, in the namespaces of its registration', () => {
    expect(authorized(['runs/issue'], ['runs/issue'])).toBe('ok');
  });

  test('and none without it, who is told of it where it may have it', () => {
    expect(authorized([], ['runs/issue'])).toEqual({ reason: 'not_granted', obtainable: ['runs/issue'] });
    expect(authorized([], [])).toEqual({ reason: 'not_granted', obtainable: [] });
  });

  test('and none in another namespace, or without one', () => {
    const refused = { reason: 'run_namespace_not_allowed', detail: 'context-store' };
    for (const other of [section('voyage-8'), new Map()])
      expect(authorized(['runs/issue'], ['runs/issue'], new Map([['context-store', other]]))).toEqual(
        refused,
      );
  });

  test('and none by a policy that knows it no more', () => {
    const caller = callerOf(issuer, registered(['runs/issue']), ['runs/issue']);
    expect(authorizeRun(policyOf(), caller, run.services).ok).toBe(false);
  });
});

describe('a run', () => {
  test('is read as it was written, open or completed', () => {
    expect(readRun(writeRun(run))).toEqual(run);
    const completed = { ...run, completedAtSeconds: NOW_SECONDS + 9 };
    expect(readRun(writeRun(completed))).toEqual(completed);
  });

  test.for<readonly [string, unknown]>([
    ['client_id', undefined],
    ['opened_at', 'x'],
    ['run_id', undefined],
    ['agent_name', 7],
    ['owner', 'x'],
  ])('is none with the %s %j', ([name, value]) => {
    expect(readRun(JSON.stringify({ ...JSON.parse(writeRun(run)), [name]: value }))).toBeUndefined();
  });

  test.for(['', '[]'])('is none as %j', (text) => {
    expect(readRun(text)).toBeUndefined();
  });
});

const signing = {
  keyId: issuer.access.published.keyId,
  issuer: ORIGIN,
  orgId: 'acme',
  nowSeconds: NOW_SECONDS,
};
const minted = (of: Run) => {
  let count = 0;
  return mintRunTokens(of, {
    ...signing,
    makeJti: () => {
      count += 1;
      return `j-${count}`;
    },
  });
};
const signed = (unsigned: Unsigned | undefined) => {
  const input = unsigned?.signingInput ?? '';
  const signature = sign('RSA-SHA256', Buffer.from(input), issuer.access.privateKey).toString('base64url');
  return `${input}.${signature}`;
};
const verify = (compact: string, nowSeconds = NOW_SECONDS) =>
  VerifiedRunToken.verify(compact, { issuer: ORIGIN, keys: issuer.keys, nowSeconds });

describe('the tokens of a run', () => {
  const two: Run = {
    ...run,
    services: new Map([
      ['context-store', section('voyage-7')],
      ['maps', section('voyage-8')],
    ]),
  };

  test('are one for all services', () => {
    const tokens = minted(two);
    expect([...tokens.keys()]).toEqual(['context-store']);
    const verified = verify(signed(tokens.get('context-store')));
    expect(verified.ok && verified.value.claims).toEqual({
      runId: 'run-1',
      orgId: 'acme',
      clientId: 'courier',
      jti: 'j-1',
      issuedAtSeconds: NOW_SECONDS,
      expiresAtSeconds: NOW_SECONDS + 600,
      permissions: ['read', 'write'],
      services: two.services,
    });
    expect(verified.ok && VerifiedRunToken.is(verified.value)).toBe(true);
    for (const other of [{}, null, 'token']) expect(VerifiedRunToken.is(other)).toBe(false);
  });

  test('are, where it is split, one for each service, which sees no other’s', () => {
    const tokens = minted({ ...two, split: true });
    expect([...tokens.keys()]).toEqual(['context-store', 'maps']);
    const claimsOf = (name: string) => {
      const verified = verify(signed(tokens.get(name)));
      return verified.ok ? verified.value.claims : undefined;
    };
    expect(claimsOf('maps')?.services).toEqual(new Map([['maps', section('voyage-8')]]));
    expect(claimsOf('maps')?.jti).not.toBe(claimsOf('context-store')?.jti);
  });

  test('are none of a run without services', () => {
    expect(verify(signed(minted({ ...run, services: new Map() }).get('')))).toMatchObject({ ok: false });
  });
});

describe('a run token', () => {
  const CLAIMS: Changes = {
    iss: ORIGIN,
    sub: 'run-1',
    aud: 'context-store',
    org_id: 'acme',
    client_id: 'courier',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 600,
    jti: 'j-1',
    token_kind: 'run',
    namespace: 'voyage-7',
  };
  const token = (changes: Changes) =>
    issuer.sign(issuer.header({ typ: 'JWT' }), JSON.stringify({ ...CLAIMS, ...changes }));
  const sections = { 'context-store': { namespace: 'voyage-7' }, maps: { namespace: 'voyage-8' } };
  const inSections = { namespace: undefined, services: sections };

  test.for<readonly [Changes, object]>([
    [{}, { permissions: ['read', 'write'], services: new Map([['context-store', section('voyage-7')]]) }],
    [{ permissions: ['read'] }, { permissions: ['read'] }],
    [{ permissions: ['write', 'read'] }, { permissions: ['read', 'write'] }],
    [inSections, { services: new Map([['context-store', section('voyage-7')]]) }],
    [{ ...inSections, aud: ['maps'] }, { services: new Map([['maps', section('voyage-8')]]) }],
    [{ ...inSections, aud: ['other'] }, { services: new Map() }],
  ])('with %j says %o', ([changes, expected]) => {
    expect(verify(token(changes))).toMatchObject({ ok: true, value: { claims: expected } });
  });

  test.for<readonly [Changes, string]>([
    [{ iss: 'https://elsewhere.example' }, 'issuer'],
    [{ exp: NOW_SECONDS }, 'lifetime'],
    [{ exp: NOW_SECONDS + 3_601 }, 'lifetime'],
    [{ iat: NOW_SECONDS + 6, exp: NOW_SECONDS + 60 }, 'not_yet_valid'],
    [{ iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 5 }, 'expired'],
    [{ sub: 'run 1' }, 'claims'],
    [{ sub: undefined }, 'claims'],
    [{ org_id: '' }, 'claims'],
    [{ client_id: 7 }, 'claims'],
    [{ jti: 'j'.repeat(256) }, 'claims'],
    [{ iat: '1' }, 'claims'],
    [{ exp: undefined }, 'claims'],
    [{ permissions: ['write'] }, 'claims'],
    [{ permissions: ['read', 'read'] }, 'claims'],
    [{ permissions: 'read' }, 'claims'],
    [{ token_kind: 'session' }, 'claims'],
    [{ cnf: {} }, 'claims'],
    [{ nbf: NOW_SECONDS }, 'claims'],
    [{ aud: undefined }, 'claims'],
    [{ aud: [] }, 'claims'],
    [{ aud: [''] }, 'claims'],
    [{ aud: ['context-store', 'maps'] }, 'claims'],
    [{ ...inSections, services: [] }, 'claims'],
    [{ ...inSections, services: { maps: 'all' } }, 'claims'],
    [{ ...inSections, namespace: 'voyage-7' }, 'claims'],
    [{ ...inSections, scope_filters: {} }, 'claims'],
  ])('with %j is refused: %s', ([changes, detail]) => {
    expect(verify(token(changes))).toEqual({ ok: false, error: { reason: 'bad_token', detail } });
  });

  test('of another type is none', () => {
    expect(verify(issuer.accessToken())).toMatchObject({ ok: false });
  });
});
