import type { ArgumentSchema } from './argument-schema.ts';
import { SchemaNames } from './member-names.ts';
import { type ResourcePattern, readyPattern } from './resource-pattern.ts';
import { type DefaultRule, WILDCARDS } from './rule.ts';
import { TextPatterns } from './text-pattern.ts';
import { type TimeWindow, WallClocks } from './time-window.ts';

/** A rule made ready to decide: exact names, wildcards as flags. */
export type Rule = {
  readonly scope: string;
  readonly at: string;
  /** Of two rules, the one that stands first in the file has the smaller one. */
  readonly order: number;
  readonly deny: 'server' | 'part' | undefined;
  readonly org: string | undefined;
  readonly everyMethod: boolean;
  readonly methods: ReadonlySet<string>;
  readonly everyTool: boolean;
  readonly tools: ReadonlySet<string>;
  /** Undefined: every prompt. */
  readonly prompts: ReadonlySet<string> | undefined;
  /** Undefined: every resource. */
  readonly resources: readonly ResourcePattern[] | undefined;
  /** By tool. */
  readonly arguments: ReadonlyMap<string, ArgumentSchema>;
  readonly when: TimeWindow | undefined;
  readonly shared: SharedParts;
};

/** What the rules of one policy have in common. */
export class SharedParts {
  readonly patterns = new TextPatterns();
  readonly names = new SchemaNames();
  readonly clocks = new WallClocks();
  readonly noArguments: Rule['arguments'] = new Map();
  readonly #names = new Map<string, ReadonlySet<string>>();

  /** The same set for the same list: thousands of rules have a few lists. */
  namesOf(list: readonly string[]): ReadonlySet<string> {
    const key = JSON.stringify(list);
    const known = this.#names.get(key) ?? new Set(list);
    this.#names.set(key, known);
    return known;
  }
}

/** Makes a stored rule ready. `order` is its place among all of them. */
export function readyRule(scope: string, rule: DefaultRule, order: number, shared: SharedParts): Rule {
  const { methods, tools, prompts, resources } = rule;
  return {
    scope,
    at: rule.at,
    order,
    deny: rule.deny,
    org: rule.org,
    everyMethod: hasWildcard(methods),
    methods: shared.namesOf(methods.filter((method) => !WILDCARDS.has(method))),
    everyTool: hasWildcard(tools),
    tools: shared.namesOf(tools),
    prompts: prompts === undefined || hasWildcard(prompts) ? undefined : shared.namesOf(prompts),
    resources: resources === undefined || hasWildcard(resources) ? undefined : resources.map(readyPattern),
    arguments: rule.arguments === undefined ? shared.noArguments : new Map(rule.arguments),
    when: rule.when,
    shared,
  };
}

function hasWildcard(names: readonly string[]): boolean {
  return names.some((name) => WILDCARDS.has(name));
}
