import { afterEach, beforeAll, expect, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Policy, Snapshot } from '../../functions/core/policy.ts';
import type { RevocableToken } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { RoleBinding } from '../../functions/core/role.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import type { ModulePorts } from '../../functions/handlers/module.ts';
import { NO_FOREIGN_KEYS } from '../support/foreign-issuer.ts';
import { invocationOf } from '../support/invocation.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

/** A request without its token. */
export type Probe = { readonly path: string; readonly init?: RequestInit };

/** An app as the gateway's host calls it. */
export type App = { fetch(request: Request, invocation: Invocation): Response | Promise<Response> };

/** What the matrix must know of a module. */
export type ModuleUnderTest = {
  /** Parts of the policy that the module needs, in `acme`, whose cast is {@link CAST}. */
  readonly policy?: Partial<Omit<Snapshot, 'format' | 'clients' | 'teams'>>;
  /** The scopes of everybody in the cast, and what else their registration says. */
  readonly client?: Parameters<typeof clientEntry>[1];
  /** Claims of every token beside the usual ones, and the resource that it is for. */
  readonly claims?: Changes;
  /** The app over these ports, and whatever its probes need in place. */
  start(world: World): App | Promise<App>;
  /** What `courier` may do, and only then has an effect that can be counted. */
  readonly allowed: Probe;
  /** How often what `allowed` asks for has been done; undefined where it changes nothing. */
  readonly effects?: () => number;
  /** Is what is allowed recorded before it is done, so that it is not done where it cannot be? */
  readonly isRecorded: boolean;
  /** Something that is not there. */
  readonly missing: Probe;
  /** The same kind of thing, of `acme`: for the team `pilots`, private to `courier`, and for all. */
  readonly items?: { readonly ofTeam: Probe; readonly ofCourier: Probe; readonly ofOrg: Probe };
  /** What a caller that sees it may not do, and the status of that answer. */
  readonly unpermitted: {
    readonly probe: Probe;
    readonly as?: Member;
    readonly claims?: Changes;
    readonly status: number;
  };
};

/** The cast: all are clients of `acme` but `spy`; `courier` alone is in the team, `root` administers the platform. */
export const CAST = ['courier', 'stranger', 'root', 'spy'] as const;

/** One of the cast. */
export type Member = (typeof CAST)[number];

/** Where a module runs: real tokens and a real ingress, and dependencies that can be taken away. */
export type World = {
  readonly ports: ModulePorts;
  readonly issuer: TestIssuer;
  readonly policy: Policy;
  /** What {@link World.policy} is made of, as the store has it. */
  readonly snapshot: Snapshot;
  readonly down: Set<'rulebook' | 'revocations' | 'audit'>;
  readonly revoked: Set<string>;
  readonly looks: RevocableToken[];
  readonly records: AuditRecord[];
  call(probe: Probe, authorization: string | undefined): Promise<Response>;
};

/** A role of `acme` for one of the cast. */
export function roleBinding(role: string, member: Member): RoleBinding {
  return { org: 'acme', role, team: undefined, members: [member], groups: [], expiresAtSeconds: undefined };
}

const DOWN = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);

function createWorld(module: ModuleUnderTest, issuer: TestIssuer): World & { app: App | undefined } {
  const cast = CAST.map((id) => clientEntry(id, { ...module.client, org: id === 'spy' ? 'rival' : 'acme' }));
  const empty = { scopes: [], uiScopes: [], groups: [], servers: [], services: [] };
  const snapshot: Snapshot = {
    format: 1,
    ...empty,
    ...module.policy,
    orgs: [
      { id: 'acme', suspended: false },
      { id: 'rival', suspended: false },
      { id: 'frozen', suspended: true },
    ],
    idps: [identityProvider('corp')],
    roleBindings: [roleBinding('platform_admin', 'root'), ...(module.policy?.roleBindings ?? [])],
    clients: [
      ...cast,
      clientEntry('paused', { ...module.client, disabled: true }),
      clientEntry('iced', { ...module.client, org: 'frozen' }),
    ],
    teams: ['acme', 'rival'].map((org) => ({
      org,
      name: 'pilots',
      members: org === 'acme' ? ['courier'] : ['spy'],
      groups: [],
      parent: undefined,
      inherit: false,
    })),
  };
  const policy = policyOf(snapshot);
  const answer = async <T>(part: 'rulebook' | 'revocations' | 'audit', value: T) =>
    world.down.has(part) ? DOWN : ok(value);
  const revocations = {
    isRevoked: (token: RevocableToken) => {
      world.looks.push(token);
      const names = [token.jti, ...(token.teams ?? []).map((team) => `team:${team}`)];
      return answer(
        'revocations',
        names.some((name) => world.revoked.has(name)),
      );
    },
    revoke: () => Promise.resolve(ok(undefined)),
  };
  const ingress = createIngress({
    rulebook: { read: () => answer('rulebook', { policy, keys: issuer.keys }) },
    revocations,
    foreignKeys: NO_FOREIGN_KEYS,
    clock: () => NOW_SECONDS,
  });
  const world: World & { app: App | undefined } = {
    app: undefined,
    ports: {
      ingress,
      audit: {
        write(record) {
          world.records.push(record);
          return answer('audit', undefined);
        },
      },
      allowedOrigins: [],
      now: () => NOW_SECONDS * 1000,
      log: () => {},
    },
    issuer,
    policy,
    snapshot,
    down: new Set(),
    revoked: new Set(),
    looks: [],
    records: [],
    call(probe, authorization) {
      const headers = new Headers(probe.init?.headers);
      if (authorization !== undefined) headers.set('authorization', authorization);
      const invocation: Invocation = invocationOf();
      return Promise.resolve(
        world.app?.fetch(new Request(ORIGIN + probe.path, { ...probe.init, headers }), invocation) ??
          Response.error(),
      );
    },
  };
  return world;
}

/**
 * The answers that every module owes, as tests: who gets nothing (401), what is hidden (404, the very bytes of what does not exist), what
 * is not permitted, and what happens when something that must be asked cannot be (503). Nothing that is refused has an effect.
 */
export function denyMatrix(module: ModuleUnderTest): void {
  const issuer = new TestIssuer();
  const world = createWorld(module, issuer);
  beforeAll(async () => {
    world.app = await module.start(world);
  });
  afterEach(() => {
    world.down.clear();
    world.revoked.clear();
  });
  const claimsOf = (member: string, changes: Changes = {}): Changes => {
    const orgId = member === 'spy' ? 'rival' : 'acme';
    return {
      sub: member,
      client_id: member,
      org_id: orgId,
      jti: `j-${member}`,
      ...module.claims,
      ...changes,
    };
  };
  const tokenOf = (member: string, changes?: Changes) => issuer.accessToken(claimsOf(member, changes));
  const bearer = (token: string) => `Bearer ${token}`;

  /** The answer to a refused request: that status, a request id, and nothing done. */
  const refused = async (
    probe: Probe,
    authorization: string | undefined,
    status: number,
  ): Promise<string> => {
    const before = module.effects?.();
    const response = await world.call(probe, authorization);
    const body = await response.text();
    expect([response.status, module.effects?.()]).toEqual([status, before]);
    expect(response.headers.get('x-request-id')).toBe('r-1');
    expect(body).not.toMatch(/arn:|node_modules|\.ts:|DynamoDB|j-courier/);
    return body;
  };

  test('who may do it can do it, so that every refusal below is one', async () => {
    const before = module.effects?.() ?? 0;
    const response = await world.call(module.allowed, bearer(tokenOf('courier')));
    expect([response.status < 400, response.headers.get('x-request-id')]).toEqual([true, 'r-1']);
    if (module.effects !== undefined) expect(module.effects()).toBe(before + 1);
    if (module.isRecorded)
      expect(world.records.at(-1)).toMatchObject({ decision: 'allow', request_id: 'r-1' });
  });

  test.for<readonly [string, string | undefined]>([
    ['nothing', undefined],
    ['nothing behind the scheme', 'Bearer '],
    ['another scheme', 'Basic Y291cmllcjpzZWNyZXQ='],
    ['two tokens', `Bearer ${tokenOf('courier')}, Bearer ${tokenOf('courier')}`],
    ['a word', 'Bearer token'],
    ['a token that nobody signed', bearer(`${tokenOf('courier').split('.').slice(0, 2).join('.')}.`)],
    [
      'a token of no algorithm',
      bearer(issuer.sign(issuer.header({ alg: 'none' }), issuer.claims(claimsOf('courier')))),
    ],
    ['another one’s claims under a signature', bearer(transplanted(tokenOf('stranger'), tokenOf('courier')))],
    ['an identity token', bearer(issuer.identityToken(claimsOf('courier')))],
  ])('with %s as token: 401', async ([, authorization]) => {
    await refused(module.allowed, authorization, 401);
  });

  test.for<readonly [string, string, Changes]>([
    ['that is expired', 'courier', { iat: NOW_SECONDS - 400, exp: NOW_SECONDS - 100 }],
    ['that is not valid yet', 'courier', { iat: NOW_SECONDS + 100, exp: NOW_SECONDS + 400 }],
    ['that lives too long', 'courier', { exp: NOW_SECONDS + 901 }],
    ['of another issuer', 'courier', { iss: 'https://gate.example.org' }],
    ['for another resource', 'courier', { aud: `${ORIGIN}/elsewhere/mcp` }],
    ['for a resource of another origin', 'courier', { aud: 'https://gate.example.org' }],
    ['of an unknown kind', 'courier', { token_kind: 'admin' }],
    ['of a run', 'courier', { token_kind: 'run' }],
    ['of an unknown client', 'ghost', {}],
    ['of a client that is disabled', 'paused', {}],
    ['of an organisation that is suspended', 'iced', { org_id: 'frozen' }],
    ['of a client of another organisation', 'courier', { org_id: 'rival' }],
    ['of no organisation', 'courier', { org_id: undefined }],
    ['of a user whose provider is gone', 'courier', { sub: 'gone:alice' }],
    ['with teams that are null', 'courier', { teams: null }],
    ['with teams in a text', 'courier', { teams: 'pilots' }],
    ['with teams that are a number', 'courier', { teams: 1 }],
    ['with teams that are an object', 'courier', { teams: { id: 'pilots' } }],
    ['with teams as objects', 'courier', { teams: [{ id: 'pilots' }] }],
    ['with a team that is no text', 'courier', { teams: ['pilots', null] }],
    ['with groups in a text', 'courier', { groups: 'staff' }],
  ])('with a token %s: 401', async ([, member, changes]) => {
    await refused(module.allowed, bearer(tokenOf(member, changes)), 401);
  });

  test.for(['j-courier', 'team:pilots'])('with a token that is revoked by %s: 401', async (name) => {
    world.revoked.add(name);
    await refused(module.allowed, bearer(tokenOf('courier')), 401);
  });

  test('with headers that select another issuer: 401', async () => {
    const init = {
      ...module.allowed.init,
      headers: { ...headersOf(module.allowed), 'x-client-id': 'stranger' },
    };
    await refused({ ...module.allowed, init }, bearer(tokenOf('courier')), 401);
  });

  test.for(['rulebook', 'revocations'] as const)('while the %s cannot be read: 503', async (part) => {
    world.down.add(part);
    await refused(module.allowed, bearer(tokenOf('courier')), 503);
    const response = await world.call(module.allowed, bearer(tokenOf('courier')));
    expect(response.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
  });

  if (module.isRecorded) {
    test('while nothing can be recorded: 503', async () => {
      world.down.add('audit');
      await refused(module.allowed, bearer(tokenOf('courier')), 503);
    });
  }

  test('a denial stands while it cannot be recorded', async () => {
    world.down.add('audit');
    await refused(module.allowed, undefined, 401);
  });

  test(`what is seen and not permitted: ${module.unpermitted.status}`, async () => {
    const { probe, as = 'courier', claims, status } = module.unpermitted;
    await refused(probe, bearer(tokenOf(as, claims)), status);
  });

  test('what is not there: 404', async () => {
    await refused(module.missing, bearer(tokenOf('courier')), 404);
  });

  const { items: probes, missing } = module;
  if (probes === undefined) return;

  test.for<readonly [string, Probe, Member, Changes]>([
    ['of a team, to who is not in it', probes.ofTeam, 'stranger', {}],
    ['of a team, to a token without teams', probes.ofTeam, 'courier', { token_kind: undefined }],
    [
      'of a team, to a token of other teams',
      probes.ofTeam,
      'courier',
      { token_kind: undefined, teams: ['cooks'] },
    ],
    ['of a team, to a member that narrowed its token', probes.ofTeam, 'courier', { teams: ['cooks'] }],
    ['of a team, to who names it and is not in it', probes.ofTeam, 'stranger', { teams: ['pilots'] }],
    ['of a team, to a member of another organisation’s team of that name', probes.ofTeam, 'spy', {}],
    ['private to somebody, to another', probes.ofCourier, 'stranger', {}],
    ['private to somebody, to who administers the platform', probes.ofCourier, 'root', {}],
    [
      'private to somebody, to that one’s token without teams',
      probes.ofCourier,
      'courier',
      { token_kind: undefined },
    ],
    ['private to somebody, to another organisation', probes.ofCourier, 'spy', {}],
    ['of an organisation, to another one', probes.ofOrg, 'spy', {}],
  ])('what is %s: 404, as what does not exist', async ([, probe, member, changes]) => {
    const authorization = bearer(tokenOf(member, changes));
    const hidden = await refused(probe, authorization, 404);
    const nothing = await refused(missing, authorization, 404);
    expect(hidden).toBe(nothing);
  });

  test.for(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'what is hidden is nothing to %s either',
    async (method) => {
      const authorization = bearer(tokenOf('stranger'));
      const before = module.effects?.();
      const ask = async ({ path, init }: Probe) => {
        const body = method === 'GET' || method === 'HEAD' ? null : (init?.body ?? '{}');
        const response = await world.call({ path, init: { ...init, method, body } }, authorization);
        return [response.status, [...response.headers], await response.text()];
      };
      const nothing = await ask(missing);
      expect([await ask(probes.ofTeam), await ask(probes.ofCourier)]).toEqual([nothing, nothing]);
      expect([nothing[0], module.effects?.()]).toEqual([expect.toSatisfy((status) => status >= 400), before]);
    },
  );

  test.for<readonly [string, Probe, Member, Changes]>([
    ['of a team, by a member', probes.ofTeam, 'courier', {}],
    [
      'of a team, by a token that names it',
      probes.ofTeam,
      'courier',
      { token_kind: undefined, teams: ['pilots'] },
    ],
    ['of a team, by who administers the platform', probes.ofTeam, 'root', {}],
    ['private to somebody, by that one', probes.ofCourier, 'courier', {}],
    ['of an organisation, by a token without teams', probes.ofOrg, 'courier', { token_kind: undefined }],
  ])('what is %s is there', async ([, probe, member, changes]) => {
    const response = await world.call(probe, bearer(tokenOf(member, changes)));
    expect([200, 201, 204]).toContain(response.status);
  });
}

/** One token's header and claims under another's signature. */
function transplanted(token: string, donor: string): string {
  return `${token.split('.').slice(0, 2).join('.')}.${donor.split('.')[2]}`;
}

function headersOf({ init }: Probe): Readonly<Record<string, string>> {
  return Object.fromEntries(new Headers(init?.headers));
}
