import type { Snapshot } from '../policy.ts';
import { BUILT_IN_SCOPES, type ScopesFile } from './scopes.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** The names that a scope may have: of servers, of administration, built in. */
export type ScopeNames = { readonly servers: readonly string[]; readonly others: readonly string[] };

/** Every scope that `scopes.yml` defines, and the built-in ones. */
export function scopeNames(file: Pick<ScopesFile, 'scopes' | 'uiScopes'>): ScopeNames {
  return {
    servers: file.scopes.map(([name]) => name),
    others: [...file.uiScopes.map(([name]) => name), ...BUILT_IN_SCOPES],
  };
}

/** Reads a list of scopes; each must exist. */
export function readScopeList(scopes: YamlReader | undefined, names: ScopeNames): readonly string[] {
  return (scopes?.items() ?? []).flatMap((item) => {
    const name = item.string();
    if (name === undefined) return [];
    if (names.servers.includes(name) || names.others.includes(name)) return [name];
    return item.problem(`there is no scope \`${name}\`; scopes.yml defines them`) ?? [];
  });
}

/** The scopes of these groups, each once. A group maps unknown names to nothing (formats §3.1); one of nothing is worth a look. */
export function readGroupScopes(
  groups: YamlReader | undefined,
  mappings: Snapshot['groups'],
  names: ScopeNames,
  warnings: ConfigurationProblem[],
): readonly string[] {
  const mapped = new Map(mappings);
  const scopes = (groups?.items() ?? []).flatMap((item) => {
    const given = mapped.get(item.string() ?? '');
    if (given === undefined) item.warn('this group is mapped to nothing in `group_mappings`', warnings);
    return given ?? [];
  });
  const known = new Set([...names.servers, ...names.others]);
  return [...new Set(scopes.filter((name) => known.has(name)))];
}
