import type { Action } from '../action.ts';
import type { Caller } from '../caller.ts';
import { decideServer, isAllowed } from '../decide.ts';
import type { Policy } from '../policy.ts';
import { isFor } from './match.ts';
import type { Rule } from './ready-rule.ts';

/** What a caller may do on a server, as a catalogue shows it; `*` is every one that no deny names. */
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
  ];
  const may = (method: string, name: string | undefined) => {
    const action: Action = { server, kind: 'request', method, name, arguments: 'unseen' };
    return isAllowed(policy, caller, action, nowSeconds);
  };
  const calling = rules.filter((rule) => rule.everyMethod || rule.methods.has('tools/call'));
  const tools = calling.some((rule) => rule.everyTool)
    ? '*'
    : union(calling, (rule) => rule.tools).filter((tool) => may('tools/call', tool));
  const methods = rules.some((rule) => rule.everyMethod)
    ? '*'
    : union(rules, (rule) => rule.methods).filter((method) => BY_NAME.has(method) || may(method, undefined));
  return { methods, tools };
}

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
