import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import { Policy, type Snapshot } from '../../../functions/core/policy.ts';
import { MAX_TEAM_DEPTH } from '../../../functions/core/team.ts';

/** Compiles a configuration of these organisations, with one client in each. */
function compile(orgsFile: unknown, others: Readonly<Record<string, unknown>> = {}) {
  const orgs = typeof orgsFile === 'object' && orgsFile !== null && 'orgs' in orgsFile ? orgsFile.orgs : {};
  const names = Object.keys(orgs ?? {});
  const clients = (names.length === 0 ? ['default'] : names).map((org) => [
    `${org}-bot`,
    { org, secret: { ref: `sallyport/{stage}/clients/${org}-bot` } },
  ]);
  const files = {
    'scopes.yml': {},
    'servers.yml': {},
    'clients.yml': { clients: Object.fromEntries(clients) },
    'orgs.yml': orgsFile,
    ...others,
  };
  const result = compileConfiguration(
    new Map(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value, null, 1)])),
  );
  return result.ok
    ? {
        snapshot: result.value.snapshot,
        problems: [],
        warnings: result.value.warnings
          .filter(({ file }) => file !== 'clients.yml')
          .map(({ message }) => message),
      }
    : { snapshot: undefined, problems: result.error.map(({ message }) => message), warnings: [] };
}

function snapshotOf(orgsFile: unknown, others: Readonly<Record<string, unknown>> = {}): Snapshot {
  const { snapshot, problems } = compile(orgsFile, others);
  if (snapshot === undefined) throw new Error(problems.join('\n'));
  return snapshot;
}

const ADMIN = { role: 'platform_admin', members: ['acme-bot'] };
const acme = (parts: object) => ({ orgs: { acme: parts } });

describe('teams, roles and bindings of an organisation', () => {
  const written = acme({
    teams: {
      pilots: { members: ['acme-bot'], groups: ['flight'] },
      night: { parent: 'pilots', inherit: true },
      mates: { parent: 'pilots' },
    },
    roles: {
      auditor: { scope: 'global', permissions: ['admin.security_audit'], description: 'reads what was done' },
      lead: { permissions: ['teams.manage_members'], inherits: ['helper', 'viewer'] },
      helper: { permissions: ['tools.update', 'teams.manage_members'] },
    },
    role_bindings: [
      { ...ADMIN, groups: ['root'] },
      { role: 'lead', team: 'night', members: ['acme-bot'], expires_at: '2027-01-31T18:00:00Z' },
      { role: 'auditor', groups: ['audit'], expires_at: '2027-01-31T19:00:00+01:00' },
    ],
  });
  const snapshot = snapshotOf(written);

  test('are compiled', () => {
    expect(snapshot.teams).toEqual([
      {
        org: 'acme',
        name: 'pilots',
        members: ['acme-bot'],
        groups: ['flight'],
        parent: undefined,
        inherit: false,
      },
      { org: 'acme', name: 'night', members: [], groups: [], parent: 'pilots', inherit: true },
      { org: 'acme', name: 'mates', members: [], groups: [], parent: 'pilots', inherit: false },
    ]);
    const expiresAtSeconds = Date.UTC(2027, 0, 31, 18) / 1000;
    expect(snapshot.roleBindings).toEqual([
      { org: 'acme', role: 'platform_admin', team: undefined, members: ['acme-bot'], groups: ['root'] },
      { org: 'acme', role: 'lead', team: 'night', members: ['acme-bot'], groups: [], expiresAtSeconds },
      { org: 'acme', role: 'auditor', team: undefined, members: [], groups: ['audit'], expiresAtSeconds },
    ]);
    expect(compile(written).warnings).toEqual([]);
  });

  test('have what a role inherits, each permission once', () => {
    const [auditor, lead] = snapshot.roles ?? [];
    expect(auditor).toEqual({
      org: 'acme',
      name: 'auditor',
      scope: 'global',
      permissions: ['admin.security_audit'],
    });
    const permissions = lead?.permissions ?? [];
    expect(permissions.slice(0, 2)).toEqual(['teams.manage_members', 'tools.update']);
    expect(permissions).toContain('prompts.read');
    expect(new Set(permissions).size).toBe(permissions.length);
  });

  test('hold after they were stored', () => {
    const stored = new Policy(JSON.parse(JSON.stringify(snapshot)), 1);
    expect(stored.teams.of('acme', 'acme-bot', [])).toEqual(['pilots', 'night']);
    const party = { orgId: 'acme', subject: 'acme-bot', groups: [] };
    expect(stored.roles.of(party, 0).map(({ role }) => role)).toEqual(['platform_admin', 'lead']);
  });

  test('may stand beside the only organisation, or beside none', () => {
    const beside = {
      teams: { pilots: {} },
      role_bindings: [{ role: 'viewer', team: 'pilots', groups: ['g'] }],
    };
    expect(snapshotOf({ orgs: { acme: {} }, ...beside }).teams?.map(({ org }) => org)).toEqual(['acme']);
    expect(snapshotOf(beside).roleBindings?.map(({ org }) => org)).toEqual(['default']);
    expect(compile({ orgs: { acme: {}, rival: {} }, ...beside }).problems).toEqual([
      '`teams`: say whose: write `teams` within an organisation',
      '`role_bindings`: say whose: write `role_bindings` within an organisation',
    ]);
    expect(compile({ orgs: { acme: { teams: { a: {} } } }, teams: { b: {} } }).problems).toHaveLength(1);
  });

  test('are not stored where none are written, and keep older functions from reading what they would not obey', () => {
    const bare = snapshotOf(acme({}));
    expect([bare.format, 'teams' in bare, 'roles' in bare, 'roleBindings' in bare]).toEqual([
      1,
      false,
      false,
      false,
    ]);
    expect(snapshotOf(acme({ teams: { a: {} }, roles: { r: {} } })).format).toBe(1);
    expect(snapshotOf(acme({ role_bindings: [ADMIN] })).format).toBe(2);
  });
});

describe('a mistake says what to write instead', () => {
  const teams = { pilots: {} };
  const deep = Object.fromEntries(
    Array.from({ length: MAX_TEAM_DEPTH + 2 }, (_, level) => [
      `t${level}`,
      level === 0 ? {} : { parent: `t${level - 1}` },
    ]),
  );
  const line = Object.fromEntries(
    Array.from({ length: 9 }, (_, level) => [
      `r${level}`,
      level === 8 ? {} : { inherits: [`r${level + 1}`] },
    ]),
  );

  test.for<readonly [string, object, readonly RegExp[]]>([
    ['a team’s name', { teams: { 'two words': {} } }, [/a team is named by letters/]],
    ['a team for all', { teams: { all: {} } }, [/never `all`/]],
    ['a team for none', { teams: { none: {} } }, [/or `none`/]],
    ['an unknown parent', { teams: { a: { parent: 'b' } } }, [/there is no team `b`/]],
    ['a parent that is none', { teams: { a: { parent: 1 } } }, [/write a text here/]],
    ['its own parent', { teams: { a: { parent: 'a' } } }, [/not above itself: a → a/]],
    [
      'a circle of parents, on each of its lines and on no other',
      { teams: { a: { parent: 'b' }, b: { parent: 'a' }, c: { parent: 'a' } } },
      [/a → b → a/, /b → a → b/],
    ],
    ['too many parents', { teams: deep }, [/at most 8 teams/]],
    ['nobody to inherit', { teams: { a: { inherit: true } } }, [/without a `parent`/]],
    ['a member that is no text', { teams: { a: { members: [1] } } }, [/write a text here/]],
    [
      'an unknown key of a team',
      { teams: { a: { owner: 'x' } } },
      [/unknown key `owner`; known here: members/],
    ],
    ['a built-in role', { roles: { viewer: {} } }, [/`viewer` is a built-in role/]],
    ['a role’s name', { roles: { 'a b': {} } }, [/a role is named by/]],
    [
      'an unknown permission',
      { roles: { r: { permissions: ['tools.fly'] } } },
      [/`tools.fly`; name each one of: tools.create,/],
    ],
    ['a category', { roles: { r: { permissions: ['tools.*'] } } }, [/`tools\.\*`; name each one of/]],
    [
      'an unknown category',
      { roles: { r: { permissions: ['planes.read'] } } },
      [/the categories are users, teams,/],
    ],
    ['every permission', { roles: { r: { permissions: ['*'] } } }, [/`platform_admin` alone/]],
    ['a permission that is none', { roles: { r: { permissions: [7] } } }, [/write a text here/]],
    [
      'an unknown role inherited',
      { roles: { r: { inherits: ['s'] }, q: { inherits: ['r'] } } },
      [/there is no role `s`/],
    ],
    ['the administrator inherited', { roles: { r: { inherits: ['platform_admin'] } } }, [/is not inherited/]],
    ['a role that inherits itself', { roles: { r: { inherits: ['r'] } } }, [/r → r/]],
    [
      'roles in a circle',
      { roles: { a: { inherits: ['b'] }, b: { inherits: ['a'] }, c: { inherits: ['a'] } } },
      [/a → b → a/, /b → a → b/],
    ],
    ['a line of roles that is too long', { roles: line }, [/at most 8 roles/]],
    ['a binding without a role', { role_bindings: [{ groups: ['g'] }] }, [/name the role/]],
    ['a binding of a role that is no text', { role_bindings: [{ role: 1 }] }, [/write a text here/]],
    [
      'a binding of an unknown role',
      { role_bindings: [{ role: 'boss', groups: ['g'] }] },
      [/there is no role `boss`; built in are/],
    ],
    [
      'a role of a team without one',
      { role_bindings: [{ role: 'viewer', groups: ['g'] }] },
      [/write `team: NAME`/],
    ],
    [
      'a role for the organisation in a team',
      { teams, role_bindings: [{ role: 'platform_admin', team: 'pilots', groups: ['g'] }] },
      [/leave `team` out/],
    ],
    [
      'an unknown team',
      { role_bindings: [{ role: 'viewer', team: 'x', groups: ['g'] }] },
      [/there is no team `x`/],
    ],
    ['no date', { role_bindings: [{ ...ADMIN, expires_at: '2027-01-31' }] }, [/2027-01-31T18:00:00Z/]],
    ['no such date', { role_bindings: [{ ...ADMIN, expires_at: '2027-13-31T18:00:00Z' }] }, [/write a time/]],
    ['no such day', { role_bindings: [{ ...ADMIN, expires_at: '2027-02-30T18:00:00Z' }] }, [/write a time/]],
    ['a date that is no text', { role_bindings: [{ ...ADMIN, expires_at: 5 }] }, [/write a text here/]],
  ])('%s', ([, parts, expected]) => {
    const { problems } = compile(acme(parts));
    expect(problems).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern);
  });

  test('a team or a role of another organisation is unknown', () => {
    const parts = {
      role_bindings: [
        { role: 'lead', groups: ['g'] },
        { role: 'viewer', team: 'a', groups: ['g'] },
      ],
    };
    const rival = { teams: { a: {} }, roles: { lead: {} } };
    expect(compile({ orgs: { rival, acme: parts } }).problems).toEqual([
      expect.stringMatching(/there is no role `lead`/),
      expect.stringMatching(/there is no team `a`/),
    ]);
  });
});

describe('what is valid and worth a look', () => {
  const idps = {
    'idps.yml': {
      providers: {
        corp: {
          issuer: 'https://sso.example.com',
          jwks_url: 'https://sso.example.com/jwks',
          login: false,
          org: 'acme',
          accept_access_tokens: { client_ids: ['acme-bot'] },
        },
      },
    },
  };

  test.for<readonly [string, object, object, readonly RegExp[]]>([
    [
      'nobody administers',
      { role_bindings: [{ role: 'platform_viewer', groups: ['g'] }] },
      {},
      [/nobody is `platform_admin` of `acme`/],
    ],
    [
      'nobody administers for good',
      { role_bindings: [{ ...ADMIN, expires_at: '2027-01-31T18:00:00Z' }] },
      {},
      [/for good/],
    ],
    [
      'an empty binding',
      { role_bindings: [ADMIN, { role: 'platform_viewer' }] },
      {},
      [/gives the role to nobody/],
    ],
    [
      'an administrator that is nobody',
      { role_bindings: [{ role: 'platform_admin' }] },
      {},
      [/to nobody/, /nobody is/],
    ],
    ['a client that is none', { teams: { a: { members: ['ghost'] } } }, {}, [/no client `ghost`/]],
    [
      'a client of another organisation',
      { teams: { a: { members: ['rival-bot'] } } },
      {},
      [/no client `rival-bot`/],
    ],
    [
      'a user of no provider',
      { teams: { a: { members: ['corp:alice'] } } },
      {},
      [/no identity provider whose user `corp:alice`/],
    ],
    ['a user of a provider', { teams: { a: { members: ['corp:alice'] } } }, idps, []],
    ['an open client', { teams: { a: { members: ['https://app.example.com/client.json'] } } }, {}, []],
  ])('%s', ([, parts, others, expected]) => {
    const { problems, warnings } = compile({ orgs: { acme: parts, rival: {} } }, { ...others });
    expect([problems, warnings.length]).toEqual([[], expected.length]);
    for (const [index, pattern] of expected.entries()) expect(warnings[index]).toMatch(pattern);
  });
});

describe('what an entry is for', () => {
  const entries = (visibility: unknown, org?: string) => ({
    'servers.yml': {
      servers: {
        maps: { url: 'https://maps.example.com/mcp', visibility, ...(org === undefined ? {} : { org }) },
      },
    },
    'services.yml': {
      services: {
        api: {
          url: 'https://api.example.com/',
          used_by: ['maps'],
          allow: [{ method: 'GET', path: '/**' }],
          visibility,
          ...(org === undefined ? {} : { org }),
        },
      },
    },
  });
  const orgs = { orgs: { acme: { teams: { pilots: {} } }, rival: {} } };

  test.for<readonly [unknown, string | undefined, number]>([
    ['public', undefined, 0],
    ['org', 'rival', 0],
    ['private:corp:alice', undefined, 0],
    ['team:pilots', undefined, 0],
    ['team:pilots', 'acme', 0],
    ['team:pilots', 'rival', 2],
    ['team:cooks', undefined, 2],
  ])('%j of %s is written, with %i warnings', ([visibility, org, expected]) => {
    const { snapshot, warnings } = compile(orgs, entries(visibility, org));
    expect(snapshot?.servers[0]?.visibility).toBe(visibility);
    expect(snapshot?.services[0]?.visibility).toBe(visibility);
    expect(warnings.filter((message) => message.includes('nobody sees this'))).toHaveLength(expected);
  });

  test.for(['everyone', 'team:', 'team:two words', 'team', 'private:', 'private', 'Public', ' org'])(
    '%j is refused',
    (visibility) => {
      const { problems } = compile(orgs, entries(visibility));
      expect(problems).toHaveLength(2);
      for (const problem of problems)
        expect(problem).toMatch(/write public, org, team:NAME or private:SUBJECT/);
    },
  );

  test('a service that is not for all keeps older functions from reading it, a server does not', () => {
    const { 'servers.yml': servers, 'services.yml': services } = entries('team:pilots');
    expect(snapshotOf(orgs, { 'servers.yml': servers }).format).toBe(1);
    const plain = entries(undefined)['servers.yml'];
    const unmarked = JSON.parse(JSON.stringify(plain));
    expect(snapshotOf(orgs, { 'servers.yml': unmarked, 'services.yml': services }).format).toBe(2);
  });
});
