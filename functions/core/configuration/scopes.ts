import { type ScopeRule, type Snapshot, WILDCARDS } from '../policy.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** What `scopes.yml` holds. */
export type ScopesFile = Pick<Snapshot, 'scopes' | 'uiScopes' | 'groups'>;

const SCOPE_NAME = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Reads `scopes.yml`: `UI-Scopes`, `group_mappings`, and every other key as a server scope. Warns of a `/read` scope that
 * grants `tools/call`: in the source system's own file every one does, against its documentation.
 */
export function readScopes(file: YamlReader, warnings: ConfigurationProblem[]): ScopesFile {
  const scopes: [string, ScopeRule[]][] = [];
  const uiScopes: [string, [string, readonly string[]][]][] = [];
  const groups: [string, readonly string[]][] = [];
  for (const [name, value] of file.entries()) {
    if (name === 'UI-Scopes') {
      for (const [scope, actions] of value.entries()) {
        uiScopes.push([scope, actions.entries().map(([action, targets]) => [action, targets.strings()])]);
      }
    } else if (name === 'group_mappings') {
      for (const [group, mapped] of value.entries()) groups.push([group, mapped.strings()]);
    } else if (!SCOPE_NAME.test(name)) {
      value.problem('a scope name has no spaces, quotes or backslashes (RFC 6749 §3.3)');
    } else {
      const rules = value.items().flatMap((item) => readRule(item) ?? []);
      scopes.push([name, rules]);
      lint(name, rules, value, warnings);
    }
  }
  return { scopes, uiScopes, groups };
}

function readRule(rule: YamlReader): ScopeRule | undefined {
  const { server, methods, tools } = rule.members('server', 'methods', 'tools');
  const name = server?.string()?.replace(/^\/+|\/+$/g, '');
  if (name === undefined || name === '') return rule.problem('name the server: `server: fininfo`');
  return { server: name, methods: methods?.strings() ?? [], tools: tools?.strings() ?? [], at: rule.at };
}

function lint(
  scope: string,
  rules: readonly ScopeRule[],
  value: YamlReader,
  warnings: ConfigurationProblem[],
): void {
  const calling = rules.filter((rule) =>
    rule.methods.some((method) => method === 'tools/call' || WILDCARDS.has(method)),
  );
  if (!scope.endsWith('/read') || calling.length === 0) return;
  const servers = calling.map((rule) => rule.server).join(', ');
  value.warn(`the scope \`${scope}\` is named /read but grants \`tools/call\` on ${servers}`, warnings);
}
