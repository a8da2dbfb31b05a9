import { type DefaultRule, type ScopeRule, WILDCARDS } from '../rules/rule.ts';
import { windowWords } from '../rules/time-window.ts';
import { canonical, shown } from './change.ts';

/** One thing that a rule grants or forbids, in words that complete "may …". */
export type Deed = { readonly isDeny: boolean; readonly words: string };

/** Members that the words below are made of. What else a rule has is said as it is. */
const SAID: ReadonlySet<string> = new Set([
  'server',
  'methods',
  'tools',
  'at',
  'deny',
  'prompts',
  'resources',
  'arguments',
  'when',
  'org',
]);

const RESOURCE_METHODS: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
]);

/** Everything that a rule grants or forbids, one deed for each tool, prompt, pattern and method, each with its conditions. */
export function deedsOf(rule: ScopeRule | DefaultRule): readonly Deed[] {
  const place = rule.server === '*' ? 'every server' : `the server ${rule.server}`;
  const conditions = conditionsOf(rule);
  const isDeny = rule.deny !== undefined;
  if (rule.deny === 'server') return [{ isDeny, words: `do anything on ${place}${conditions}` }];
  return actsOf(rule).map((act) => ({ isDeny, words: `${act} on ${place}${conditions}` }));
}

function actsOf(rule: ScopeRule): readonly string[] {
  const isEvery = rule.methods.some((method) => WILDCARDS.has(method));
  const acts = new Set<string>();
  if (isEvery) acts.add('use every method that is not about a tool, prompt or resource');
  for (const method of rule.methods.filter((name) => !WILDCARDS.has(name))) {
    if (method !== 'tools/call' && method !== 'prompts/get' && !RESOURCE_METHODS.has(method)) {
      acts.add(`use ${method}`);
    }
  }
  const has = (method: string) => isEvery || rule.methods.includes(method);
  if (has('tools/call')) for (const tool of rule.tools) acts.add(callOf(rule, tool));
  if (has('prompts/get')) for (const act of namesOf(rule.prompts, 'get', 'prompt')) acts.add(act);
  for (const method of RESOURCE_METHODS) {
    const verb = method.slice('resources/'.length);
    if (has(method)) for (const act of namesOf(rule.resources, verb, 'resource')) acts.add(act);
  }
  return [...acts];
}

function callOf(rule: ScopeRule, tool: string): string {
  const name = WILDCARDS.has(tool) ? 'every tool' : `the tool ${tool}`;
  const schema = rule.arguments?.find(([one]) => one === tool)?.[1];
  return schema === undefined ? `call ${name}` : `call ${name} with arguments ${canonical(schema)}`;
}

function namesOf(names: readonly string[] | undefined, verb: string, noun: string): readonly string[] {
  return names === undefined
    ? [`${verb} every ${noun}`]
    : names.map((name) => (WILDCARDS.has(name) ? `${verb} every ${noun}` : `${verb} the ${noun} ${name}`));
}

function conditionsOf(rule: ScopeRule): string {
  const window = rule.when === undefined ? '' : ` ${windowWords(rule.when)}`;
  const more = Object.entries(rule).filter(([member, value]) => !SAID.has(member) && value !== undefined);
  return `${window}${more.map(([member, value]) => ` with \`${member}\` ${shown(value)}`).join('')}`;
}
