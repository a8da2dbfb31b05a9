import type { ArgumentSchema } from './argument-schema.ts';
import type { TimeWindow } from './time-window.ts';

/**
 * One access rule as it is stored. A grant allows what it names; absent `prompts` and `resources` leave all that `methods` grants. A deny
 * is stored with every method that it forbids among `methods`, so that it forbids exactly what the same grant would allow; one of a whole
 * server (`deny: 'server'`) names nothing. `at` names the line, for the audit record and for people.
 */
export type ScopeRule = {
  readonly server: string;
  readonly methods: readonly string[];
  readonly tools: readonly string[];
  readonly at: string;
  readonly deny?: 'server' | 'part';
  readonly prompts?: readonly string[];
  /** Patterns of URIs. */
  readonly resources?: readonly string[];
  /** What the arguments of a tool must be like. */
  readonly arguments?: readonly (readonly [tool: string, schema: ArgumentSchema])[];
  readonly when?: TimeWindow;
};

/** A rule that holds whatever a caller's scopes are. `org` undefined: for every organisation. */
export type DefaultRule = ScopeRule & { readonly org?: string };

/** What `scopes.yml` says of a scope beside its rules. */
export type ScopeSettings = {
  /** Bounds every token that carries the scope. */
  readonly tokenTtlMaxSeconds?: number;
  /** What the scope lets its holder do, in words for the consent page. */
  readonly description?: string;
};

/** The name under which a decision names the rules that stand in no scope; no scope can have it. */
export const DEFAULTS = 'Defaults';

/** The words that stand for every method, tool, prompt, resource. */
export const WILDCARDS: ReadonlySet<string> = new Set(['all', '*']);
