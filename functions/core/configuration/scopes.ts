import type { Snapshot } from '../policy.ts';
import type { Limit } from '../rules/limit.ts';
import { DEFAULTS, type DefaultRule, type ScopeRule, type ScopeSettings, WILDCARDS } from '../rules/rule.ts';
import { type LimitReferences, readLimits } from './limits.ts';
import { readDefault, readRule } from './rules.ts';
import { readScopeDocuments, type ScopeDocument } from './scope-documents.ts';
import { readScopeSettings } from './scope-settings.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** What `scopes.yml` holds. */
export type ScopesFile = Pick<Snapshot, 'scopes' | 'uiScopes' | 'groups'> & {
  readonly defaults: readonly DefaultRule[];
  readonly scopeSettings: readonly (readonly [string, ScopeSettings])[];
  readonly limits: readonly Limit[];
};

/** Scopes that are not server scopes (contract §9). */
export const BUILT_IN_SCOPES = ['runs/issue', 'context/admin', 'tokens/issue'] as const;

const SCOPE_NAME = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Keys that are no scopes. */
const UI_SCOPES = 'UI-Scopes';
const GROUPS = 'group_mappings';
const SETTINGS = 'Scope-Settings';
const LIMITS = 'Limits';
const DOCUMENTS = 'Scope-Documents';
const SECTIONS: ReadonlySet<string> = new Set([UI_SCOPES, GROUPS, DEFAULTS, SETTINGS, LIMITS, DOCUMENTS]);

/**
 * Reads `scopes.yml`: `UI-Scopes`, `group_mappings`, `Defaults`, `Scope-Settings`, `Limits`, `Scope-Documents`, and every other key as a
 * server scope; or a list, which is one of scope documents alone. Warns of a `/read` scope that grants `tools/call`: in the source
 * system's own file every one does, against its documentation.
 */
export function readScopes(
  file: YamlReader,
  orgs: Snapshot['orgs'],
  warnings: ConfigurationProblem[],
): ScopesFile & Pick<LimitReferences, 'hasScope'> {
  const entries = file.kind === 'list' ? [[DOCUMENTS, file] as const] : file.entries();
  const sections = new Map(entries.filter(([name]) => SECTIONS.has(name)));
  const section = sections.get(DOCUMENTS);
  const documents = section === undefined ? [] : readScopeDocuments(section, warnings);
  const scopes = new Map<string, readonly ScopeRule[]>();
  for (const { name, rules, reader } of [
    ...entries.filter(([name]) => !SECTIONS.has(name)).map(([name, value]) => readScope(name, value)),
    ...documents,
  ]) {
    if (!SCOPE_NAME.test(name)) {
      reader.problem('a scope name has no spaces, quotes or backslashes (RFC 6749 §3.3)');
    } else if (scopes.has(name) || SECTIONS.has(name)) {
      reader.problem(`there is a \`${name}\` already`);
    } else {
      scopes.set(name, rules);
      lint(name, rules, reader, warnings);
    }
  }
  const members = (section: string) => sections.get(section)?.entries() ?? [];
  const uiScopes = new Map<string, Snapshot['uiScopes'][number][1]>(
    members(UI_SCOPES).map(
      ([scope, actions]) =>
        [scope, actions.entries().map(([action, targets]) => [action, targets.strings()] as const)] as const,
    ),
  );
  for (const { name, uiActions, reader } of documents) {
    if (uiActions.length === 0) continue;
    if (uiScopes.has(name)) reader.problem(`there is a UI scope \`${name}\` already`);
    uiScopes.set(name, uiActions);
  }
  const groups = new Map(members(GROUPS).map(([group, mapped]) => [group, mapped.strings()]));
  for (const { name, groups: named } of documents) {
    for (const group of named) groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  const names = new Set<string>([...scopes.keys(), ...uiScopes.keys(), ...BUILT_IN_SCOPES]);
  const hasScope = (name: string) => names.has(name);
  const settings = sections.get(SETTINGS);
  const described = new Map<string, ScopeSettings>(
    documents
      .filter(({ description }) => description !== undefined)
      .map(({ name, description }) => [name, { description }] as const),
  );
  for (const [name, own] of settings === undefined ? [] : readScopeSettings(settings, hasScope)) {
    described.set(name, { ...described.get(name), ...own });
  }
  const limits = sections.get(LIMITS);
  const defaults = sections.get(DEFAULTS)?.items() ?? [];
  return {
    hasScope,
    scopes: [...scopes],
    uiScopes: [...uiScopes],
    groups: [...groups],
    defaults: defaults.flatMap((item) => readDefault(item, orgs) ?? []),
    scopeSettings: [...described],
    limits: limits === undefined ? [] : readLimits(limits, { orgs, hasScope }),
  };
}

function readScope(name: string, value: YamlReader): Pick<ScopeDocument, 'name' | 'rules' | 'reader'> {
  return { name, rules: value.items().flatMap((item) => readRule(item) ?? []), reader: value };
}

function lint(
  scope: string,
  rules: readonly ScopeRule[],
  value: YamlReader,
  warnings: ConfigurationProblem[],
): void {
  const calling = rules.filter(
    (rule) =>
      rule.deny === undefined &&
      rule.methods.some((method) => method === 'tools/call' || WILDCARDS.has(method)),
  );
  if (!scope.endsWith('/read') || calling.length === 0) return;
  const servers = calling.map((rule) => rule.server).join(', ');
  value.warn(`the scope \`${scope}\` is named /read but grants \`tools/call\` on ${servers}`, warnings);
}
