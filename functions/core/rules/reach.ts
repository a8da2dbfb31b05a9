import type { Action } from '../action.ts';
import type { Caller } from '../caller.ts';
import { decide, decideServer, isAllowed } from '../decide.ts';
import type { Policy } from '../policy.ts';
import { isFor, PROTOCOL_METHODS } from './match.ts';
import type { Rule } from './ready-rule.ts';
import { isOpen } from './time-window.ts';

/** What a caller may do on a server, as a catalogue shows it; `*` is every one, less the tools that a deny names. */
export type Reach = { readonly methods: '*' | readonly string[]; readonly tools: '*' | readonly string[] };

/**
 * What a caller may do on a server now, in the order of its rules; undefined where it may do nothing there. Methods that address something
 * by name (prompts, resources) are in it where a rule grants the method, whatever names it leaves.
 */
export function reachOf(
  policy: Policy,
  caller: Caller,
  server: string,
  nowSeconds: number,
): Reach | undefined {
  if (!decideServer(policy, caller, server, nowSeconds).allow) return undefined;
  const rules = [
    ...caller.scopes.flatMap((scope) => policy.access.grants(scope, server)),
    ...policy.access.defaults(server).filter((rule) => isFor(rule, caller.orgId)),
  ].filter(({ when, shared }) => when === undefined || isOpen(when, shared.clocks, nowSeconds));
  const actionOf = (method: string, name: string | undefined): Action => ({
    server,
    kind: 'request',
    method,
    name,
    arguments: 'unseen',
  });
  const may = (method: string, name: string | undefined) =>
    isAllowed(policy, caller, actionOf(method, name), nowSeconds);
  const calling = rules.filter((rule) => rule.everyMethod || rule.methods.has('tools/call'));
  const tools = may('tools/call', ANY_NAME)
    ? '*'
    : union(calling, (rule) => rule.tools).filter((tool) => may('tools/call', tool));
  const isShown = (method: string) => {
    if (!BY_NAME.has(method)) return may(method, undefined);
    const decision = decide(policy, caller, actionOf(method, ANY_NAME), nowSeconds);
    return decision.allow || decision.refusal.cause?.kind !== 'denied';
  };
  const named = union(rules, (rule) => rule.methods);
  if (!rules.some((rule) => rule.everyMethod)) return { methods: named.filter(isShown), tools };
  const all = [...new Set([...PROTOCOL_METHODS, ...named])];
  const shown = all.filter(isShown);
  return { methods: shown.length === all.length ? '*' : shown, tools };
}

/** A name that nobody gives to anything: what holds for it holds for whatever has no rule of its own. */
const ANY_NAME = 'sallyport-any-name:';

/** Without a name none of them is granted; with one it depends on the name. */
const BY_NAME: ReadonlySet<string> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
]);

function union(rules: readonly Rule[], namesOf: (rule: Rule) => ReadonlySet<string>): readonly string[] {
  return [...new Set(rules.flatMap((rule) => [...namesOf(rule)]))];
}
