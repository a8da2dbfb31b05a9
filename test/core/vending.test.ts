import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { parseJsonText } from '../../functions/core/json.ts';
import { planVending, readVendingRequest, type VendingRequest } from '../../functions/core/vending.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

function read(body: unknown) {
  const json = parseJsonText(JSON.stringify(body));
  if (!json.ok) throw new Error('the test’s own body is no JSON');
  const request = readVendingRequest(json.value);
  return request.ok ? request.value : request.error;
}

const NOTHING = {
  scopes: undefined,
  resource: undefined,
  ttlSeconds: undefined,
  teams: [],
  maxUses: undefined,
};

describe('what a caller asks for', () => {
  test.for<readonly [unknown, Partial<VendingRequest>]>([
    [{}, NOTHING],
    [
      { scopes: ['a'], resource: 'r', ttl: 60, teams: ['t'], max_uses: 3 },
      { scopes: ['a'], resource: 'r', ttlSeconds: 60, teams: ['t'], maxUses: 3 },
    ],
    [{ ttl: 999_999 }, { ttlSeconds: 999_999 }],
  ])('by %j is %o', ([body, expected]) => {
    expect(read(body)).toEqual({ ...NOTHING, ...expected });
  });

  test.for<readonly [unknown, RegExp]>([
    [[], /^send a JSON object/],
    [{ scope: 'a' }, /^only `scopes`, `resource`, `ttl`, `teams` and `max_uses`/],
    [{ scopes: [] }, /^`scopes` is a list/],
    [{ scopes: 'a' }, /^`scopes` is a list/],
    [{ resource: 7 }, /^`resource` is a URL/],
    [{ ttl: 0 }, /^`ttl` is a whole number/],
    [{ ttl: 1_000_000 }, /^`ttl` is a whole number/],
    [{ ttl: '60' }, /^`ttl` is a whole number/],
    [{ max_uses: 1.5 }, /^`max_uses` is a whole number/],
    [{ teams: 't' }, /^`teams` is a list/],
  ])('by %j is refused: %s', ([body, words]) => {
    expect(read(body)).toMatch(words);
  });
});

const issuer = new TestIssuer();
const scopes = ['tokens/issue', 'maps/read'];
const manyTeams = Array.from({ length: 60 }, (_, index) => `crew-${index}-${'x'.repeat(40)}`);
const teamNames = ['pilots', ...manyTeams];
const policy = policyOf({
  clients: [clientEntry('courier', { scopes }), clientEntry('silent', { scopes: ['maps/read'] })],
  servers: [
    serverEntry('maps'),
    serverEntry('context-store'),
    serverEntry('tower', { org: 'acme', visibility: 'team:pilots' }),
  ],
  scopes: [['maps/read', [scopeRule('maps', ['tools/list'])]]],
  teams: teamNames.map((name) => ({
    org: 'acme',
    name,
    members: ['courier'],
    groups: [],
    parent: undefined,
    inherit: false,
  })),
});

function plan(request: Partial<VendingRequest>, claims: Changes = {}, under = policy) {
  const token = issuer.verified({ scope: scopes.join(' '), namespace: 'proj', ...claims });
  const caller = Caller.fromToken(token, policy);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  const planned = planVending(
    under,
    caller.value,
    { ...NOTHING, ...request },
    { origin: ORIGIN, nowSeconds: NOW_SECONDS },
  );
  return planned.ok ? planned.value : planned.error;
}

describe('a token that a caller makes for itself', () => {
  test.for<readonly [string, Partial<VendingRequest>, object]>([
    [
      'is all of its own but for the scope that makes tokens',
      {},
      {
        subject: 'courier',
        audience: ORIGIN,
        scopes: ['maps/read'],
        teams: [],
        maxUses: undefined,
        lifetimeSeconds: 300,
        descent: { ancestor: 'j-1', issuedAtSeconds: NOW_SECONDS },
      },
    ],
    ['is for a server', { resource: `${ORIGIN}/maps/mcp`, maxUses: 2 }, { maxUses: 2, context: {} }],
    ['is shorter', { ttlSeconds: 60 }, { lifetimeSeconds: 60 }],
    [
      'has each scope and team once',
      { scopes: ['maps/read', 'maps/read'], teams: ['pilots', 'pilots'] },
      { scopes: ['maps/read'], teams: ['pilots'] },
    ],
    [
      'is for a server of a team that it names',
      { resource: `${ORIGIN}/tower/mcp`, teams: ['pilots'] },
      { teams: ['pilots'] },
    ],
    [
      'opens what its own opens of the context store',
      { resource: `${ORIGIN}/context-store/mcp` },
      { context: {} },
    ],
  ])('%s', ([, request, expected]) => {
    expect(plan(request)).toMatchObject(expected);
  });

  const refused = (detail: string) => ({ reason: 'invalid_argument', detail });
  test.for<readonly [string, Partial<VendingRequest>, Changes, object]>([
    [
      'without the scope for it',
      {},
      { scope: 'maps/read' },
      { reason: 'not_granted', obtainable: ['tokens/issue'] },
    ],
    [
      'by a client that may never',
      {},
      { sub: 'silent', client_id: 'silent', scope: 'maps/read' },
      { reason: 'not_granted', obtainable: [] },
    ],
    ['with another scope', { scopes: ['admin'] }, {}, { reason: 'not_granted', obtainable: [] }],
    ['with another team', { teams: ['cooks'] }, {}, { reason: 'not_granted', obtainable: [] }],
    ['with no scope left', {}, { scope: 'tokens/issue' }, { reason: 'not_granted', obtainable: [] }],
    ['for what is no server', { resource: 'x' }, {}, refused('this `resource` is unknown')],
    [
      'for a server that is not there',
      { resource: `${ORIGIN}/ghost/mcp` },
      {},
      refused('this `resource` is unknown'),
    ],
    [
      'for so many uses everywhere',
      { maxUses: 1 },
      {},
      refused('with `max_uses`, name one server in `resource`'),
    ],
    [
      'for a server of a team that it does not name',
      { resource: `${ORIGIN}/tower/mcp` },
      {},
      refused('name a team that this `resource` is for in `teams`'),
    ],
    ['with too many teams', { teams: manyTeams }, {}, refused('these are too many `teams` for one token')],
    [
      'at the end of a line',
      {},
      { jti: 'a.b.c.d.e.f.g.h' },
      refused('this token was itself made in too many steps'),
    ],
    [
      'at the end of its own',
      {},
      { iat: NOW_SECONDS - 304, exp: NOW_SECONDS - 4 },
      refused('this token ends now'),
    ],
  ])('is none %s', ([, request, claims, expected]) => {
    expect(plan(request, claims)).toEqual(expected);
  });

  test('is none for whose client is gone, or where its groups are too many to say', () => {
    expect(plan({}, {}, policyOf())).toMatchObject({ reason: 'not_granted' });
    const groups = Array.from({ length: 150 }, (_, index) => `limited-${index}-${'x'.repeat(12)}`);
    const limits = [
      { per: ['client'], requests: 1, windowSeconds: 60, scope: 'maps/read', at: 'l' } as const,
    ];
    const clients = [clientEntry('courier', { scopes, groups })];
    const limited = policyOf({ clients, limits, groups: groups.map((one) => [one, ['maps/read']] as const) });
    const caller = Caller.fromToken(issuer.verified({ scope: scopes.join(' '), groups }), limited);
    if (!caller.ok) throw new Error(caller.error.reason);
    const place = { origin: ORIGIN, nowSeconds: NOW_SECONDS };
    expect(planVending(limited, caller.value, NOTHING, place)).toEqual({
      ok: false,
      error: refused('its groups are too many for one token'),
    });
  });
});
