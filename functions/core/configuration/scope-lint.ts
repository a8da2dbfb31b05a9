import { CONTEXT_STORE, type Snapshot } from '../policy.ts';
import { DEFAULTS, type ScopeRule, WILDCARDS } from '../rules/rule.ts';
import type { ScopesFile } from './scopes.ts';
import type { ConfigurationProblem } from './yaml-reader.ts';

type PlacedRule = ScopeRule & { readonly scope: string };

/** Rules of one scope on one server are compared with so many before them. */
const MAX_COMPARED = 50;

/**
 * What is valid in `scopes.yml` and hardly meant: a rule that never decides because one before it grants all of that, a wildcard of tools
 * from which nothing is denied, a scope that nobody has, a deny of what nothing grants.
 */
export function lintScopes(
  access: ScopesFile,
  clients: Snapshot['clients'],
): readonly ConfigurationProblem[] {
  const rules: readonly PlacedRule[] = [
    ...access.scopes.flatMap(([scope, list]) => list.map((rule) => ({ ...rule, scope }))),
    ...access.defaults.filter(({ org }) => org === undefined).map((rule) => ({ ...rule, scope: DEFAULTS })),
  ];
  const grants = rules.filter(({ deny }) => deny === undefined);
  const denies = rules.filter(({ deny }) => deny !== undefined);
  return [
    ...hiddenRules(grants),
    ...openWildcards(grants, denies),
    ...idleScopes(access, clients),
    ...idleDenies(denies, [...grants, ...access.defaults.filter(({ deny }) => deny === undefined)]),
  ];
}

function hiddenRules(grants: readonly PlacedRule[]): readonly ConfigurationProblem[] {
  const before = new Map<string, PlainGrant[]>();
  return grants.flatMap((rule) => {
    const key = JSON.stringify([rule.scope, rule.server]);
    const others = before.get(key) ?? [];
    if (isPlain(rule)) {
      const { at, methods, tools } = rule;
      others.push({ at, methods: new Set(methods), tools: new Set(tools) });
      before.set(key, others.slice(-MAX_COMPARED - 1));
    }
    const cover = others
      .slice(0, isPlain(rule) ? -1 : undefined)
      .find((other) => holdsAll(other.methods, rule.methods) && holdsAll(other.tools, rule.tools));
    return cover === undefined
      ? []
      : [problem(rule.at, `this rule never decides: ${cover.at} grants all of it`)];
  });
}

/** A grant that holds at any time, for any arguments, prompts and resources. */
type PlainGrant = {
  readonly at: string;
  readonly methods: ReadonlySet<string>;
  readonly tools: ReadonlySet<string>;
};

function isPlain({ when, arguments: constraints, prompts, resources }: ScopeRule): boolean {
  return [when, constraints, prompts, resources].every((bound) => bound === undefined);
}

function holdsAll(names: ReadonlySet<string>, others: readonly string[]): boolean {
  return names.has('*') || names.has('all') || others.every((name) => names.has(name));
}

function openWildcards(
  grants: readonly PlacedRule[],
  denies: readonly PlacedRule[],
): readonly ConfigurationProblem[] {
  const denied = new Set(denies.filter(({ tools }) => tools.length > 0).map(({ server }) => server));
  const isOpen = ({ server, methods, tools }: ScopeRule) =>
    hasWildcard(tools) &&
    (methods.includes('tools/call') || hasWildcard(methods)) &&
    ![server, '*'].some((one) => denied.has(one));
  return grants.filter(isOpen).map(({ at, server }) => {
    const whose = server === '*' ? 'every server' : `\`${server}\``;
    return problem(
      at,
      `this grants every tool of ${whose}, also those that delete and those to come; name tools, or deny some`,
    );
  });
}

/** A scope of users is one that a group is mapped to; which groups a user has, the identity provider says. */
function idleScopes(
  { scopes, groups }: ScopesFile,
  clients: Snapshot['clients'],
): readonly ConfigurationProblem[] {
  const had = new Set([
    ...groups.flatMap(([, mapped]) => mapped),
    ...clients.flatMap((client) => client.scopes),
  ]);
  return scopes.flatMap(([scope, [first]]) =>
    first === undefined || had.has(scope)
      ? []
      : [
          problem(
            first.at,
            `nobody has the scope \`${scope}\`: no group is mapped to it, and no client has it`,
          ),
        ],
  );
}

function idleDenies(
  denies: readonly PlacedRule[],
  grants: readonly ScopeRule[],
): readonly ConfigurationProblem[] {
  return denies.flatMap(({ at, server, tools, prompts = [] }) => {
    // What a run may do at the context store stands in no rule.
    if (server === CONTEXT_STORE || server === '*') return [];
    const here = grants.filter((grant) => grant.server === server || grant.server === '*');
    const naming = (method: string) =>
      here.filter(({ methods }) => methods.includes(method) || hasWildcard(methods));
    const isTool = (tool: string) =>
      naming('tools/call').some((grant) => hasWildcard(grant.tools) || grant.tools.includes(tool));
    const isPrompt = (prompt: string) =>
      naming('prompts/get').some(
        ({ prompts: granted }) => granted === undefined || hasWildcard(granted) || granted.includes(prompt),
      );
    const names = [
      ...tools.filter((tool) => !WILDCARDS.has(tool) && !isTool(tool)),
      ...prompts.filter((prompt) => !WILDCARDS.has(prompt) && !isPrompt(prompt)),
    ];
    return names.map((name) =>
      problem(at, `no rule grants \`${name}\` on \`${server}\`; this deny of it forbids nothing`),
    );
  });
}

function hasWildcard(names: readonly string[]): boolean {
  return names.some((name) => WILDCARDS.has(name));
}

function problem(at: string, message: string): ConfigurationProblem {
  const [file, line] = at.split(':');
  return { file: String(file), line: Number(line), message };
}
