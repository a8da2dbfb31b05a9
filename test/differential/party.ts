import { mapping, type Plain, texts } from './plain.ts';
import type { Claims } from './world.ts';

/** The files of a configuration, as plain values. */
export type Files = {
  readonly scopes: Plain;
  readonly servers: Plain;
  readonly clients: Plain;
  readonly orgs: Plain;
  readonly idps: Plain;
};

/** Who calls, as far as the rules ask. */
export type Party = {
  readonly org: string;
  readonly subject: string;
  readonly client: string;
  /** The scopes that the token really has today. */
  readonly scopes: readonly string[];
  /** The scopes that the caller would have with any other token; what they forbid is forbidden with this one. */
  readonly entitled: readonly string[];
  readonly teams: readonly string[];
  /** Public items alone, not even its own. */
  readonly isPublicOnly: boolean;
};

/** Who a token speaks for, undefined where it speaks for nobody that may call. */
export function whoIs(files: Files, claims: Claims, nowSeconds: number): Party | undefined {
  const [org, subject, client] = [claims['org_id'], claims['sub'], claims['client_id']].map(String);
  if (org === undefined || subject === undefined || client === undefined) return undefined;
  const ofOrg = mapping(files.orgs[org]);
  if (ofOrg === undefined || ofOrg['suspended'] === true) return undefined;

  const isUser = subject.includes(':');
  const idp = mapping(files.idps[subject.split(':')[0] ?? '']);
  if (isUser && idp?.['org'] !== org) return undefined;
  const names = isUser ? [client] : [client, subject];
  for (const name of names) {
    const entry = mapping(files.clients[name]);
    if (entry === undefined || entry['org'] !== org || entry['disabled'] === true) return undefined;
  }

  const groups = isUser ? (texts(claims['groups']) ?? []) : [];
  const own = isUser ? mapped(files, groups) : scopesOf(files, subject);
  const carried = String(claims['scope']).split(' ').filter(Boolean);
  const scopes = carried.filter((one) => own.includes(one) && scopesOf(files, client).includes(one));
  const entitled = isUser ? own : [...own, ...scopesOf(files, client)];

  const allTeams = mapping(ofOrg['teams']) ?? {};
  const isAdmin = administers(ofOrg, subject, groups, nowSeconds);
  const present = isAdmin
    ? Object.keys(allTeams)
    : below(allTeams, (name) => isMember(allTeams[name], subject, groups));
  const asked = texts(claims['teams']) ?? [];
  const shown = below(allTeams, (name) => asked.includes(name));
  const asksAll = claims['token_kind'] === 'session' && (isAdmin || asked.length === 0);
  const teams = asksAll ? present : present.filter((team) => shown.includes(team));
  return { org, subject, client, scopes, entitled, teams, isPublicOnly: !asksAll && teams.length === 0 };
}

/** Has somebody the role of those who are in every team, until later than now? */
function administers(org: Plain, subject: string, groups: readonly string[], nowSeconds: number): boolean {
  const bindings = Array.isArray(org['role_bindings']) ? org['role_bindings'] : [];
  return bindings
    .map((one) => mapping(one) ?? {})
    .filter(({ role, team }) => role === 'platform_admin' && team === undefined)
    .filter(({ expires_at: end }) => end === undefined || nowSeconds < Date.parse(String(end)) / 1000)
    .some((binding) => isMember(binding, subject, groups));
}

function groupsOf(files: Files, client: string): string[] {
  return texts(mapping(files.clients[client])?.['groups']) ?? [];
}

function scopesOf(files: Files, client: string): string[] {
  const listed = texts(mapping(files.clients[client])?.['scopes']) ?? [];
  return [...listed, ...mapped(files, groupsOf(files, client))];
}

function mapped(files: Files, groups: readonly string[]): string[] {
  const mappings = mapping(files.scopes['group_mappings']) ?? {};
  const named = groups.flatMap((group) =>
    Object.hasOwn(mappings, group) ? (texts(mappings[group]) ?? []) : [],
  );
  const documents = documentsOf(files).filter((one) =>
    texts(one['group_mappings'])?.some((group) => groups.includes(group)),
  );
  return [...named, ...documents.map((one) => String(one['scope_name']))];
}

/** Scopes in the form of one document for each. */
export function documentsOf(files: Files): Plain[] {
  const documents = files.scopes['Scope-Documents'];
  return Array.isArray(documents) ? documents.map((one) => mapping(one) ?? {}) : [];
}

function isMember(group: unknown, subject: string, groups: readonly string[]): boolean {
  const { members, groups: named } = mapping(group) ?? {};
  const isInGroup = texts(named)?.some((one) => groups.includes(one)) ?? false;
  return isInGroup || (texts(members)?.includes(subject) ?? false);
}

/** The teams for which something holds, and those that inherit from them. */
function below(teams: Plain, holds: (name: string) => boolean): string[] {
  const isIn = (name: string): boolean => {
    const team = mapping(teams[name]);
    if (team === undefined) return false;
    return holds(name) || (team['inherit'] === true && isIn(String(team['parent'])));
  };
  return Object.keys(teams).filter(isIn);
}
