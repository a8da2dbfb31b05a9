import type { Snapshot } from '../policy.ts';
import type { Limit } from '../rules/limit.ts';
import { DEFAULTS, type DefaultRule, type ScopeRule, type ScopeSettings, WILDCARDS } from '../rules/rule.ts';
import { readLimits } from './limits.ts';
import { readDefault, readRule } from './rules.ts';
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
const SECTIONS: ReadonlySet<string> = new Set([UI_SCOPES, GROUPS, DEFAULTS, SETTINGS, LIMITS]);

/**
 * Reads `scopes.yml`: `UI-Scopes`, `group_mappings`, `Defaults`, `Scope-Settings`, `Limits`, and every other key as a server scope.
 * Warns of a `/read` scope that grants `tools/call`: in the source system's own file every one does, against its documentation.
 */
export function readScopes(
  file: YamlReader,
  orgs: Snapshot['orgs'],
  warnings: ConfigurationProblem[],
): ScopesFile {
  const entries = file.entries();
  const sections = new Map(entries.filter(([name]) => SECTIONS.has(name)));
  const scopes: [string, ScopeRule[]][] = [];
  for (const [name, value] of entries.filter(([one]) => !SECTIONS.has(one))) {
    if (!SCOPE_NAME.test(name)) {
      value.problem('a scope name has no spaces, quotes or backslashes (RFC 6749 §3.3)');
      continue;
    }
    const rules = value.items().flatMap((item) => readRule(item) ?? []);
    scopes.push([name, rules]);
    lint(name, rules, value, warnings);
  }
  const members = (section: string) => sections.get(section)?.entries() ?? [];
  const uiScopes = members(UI_SCOPES).map(
    ([scope, actions]) =>
      [scope, actions.entries().map(([action, targets]) => [action, targets.strings()] as const)] as const,
  );
  const groups = members(GROUPS).map(([group, mapped]) => [group, mapped.strings()] as const);
  const names = new Set<string>([...[...scopes, ...uiScopes].map(([name]) => name), ...BUILT_IN_SCOPES]);
  const hasScope = (name: string) => names.has(name);
  const limits = sections.get(LIMITS);
  const settings = sections.get(SETTINGS);
  const defaults = sections.get(DEFAULTS)?.items() ?? [];
  return {
    scopes,
    uiScopes,
    groups,
    defaults: defaults.flatMap((item) => readDefault(item, orgs) ?? []),
    scopeSettings: settings === undefined ? [] : readScopeSettings(settings, hasScope),
    limits: limits === undefined ? [] : readLimits(limits, { orgs, hasScope }),
  };
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
