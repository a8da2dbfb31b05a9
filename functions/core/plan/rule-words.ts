import { questionOf, verdictOf } from '../rules/match.ts';
import { readyRule, SharedParts } from '../rules/ready-rule.ts';
import { type DefaultRule, type ScopeRule, WILDCARDS } from '../rules/rule.ts';
import { windowWords } from '../rules/time-window.ts';
import { canonical } from './change.ts';

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

/**
 * Everything that a rule grants or forbids, one deed for each tool, prompt, pattern and method, each with its conditions. Rules that stand
 * together grant and forbid what their deeds say together, so two lists with equal deeds decide alike.
 */
export function deedsOf(rule: ScopeRule | DefaultRule): readonly Deed[] {
  const conditions = conditionsOf(rule);
  const isDeny = rule.deny !== undefined;
  const acts = rule.deny === 'server' ? [`do anything on ${placeOf(rule)}`] : actsOf(rule);
  return acts.map((act) => ({ isDeny, words: `${act}${conditions}` }));
}

/** A rule as it is written but for its line, and equal for rules that differ in the order of their lists or the word for all of something. */
export function writtenAs({ at, ...rule }: ScopeRule | DefaultRule): string {
  const { methods, tools, prompts, resources } = rule;
  const names = (list: readonly string[] | undefined) =>
    list?.some((name) => WILDCARDS.has(name)) ? ['*'] : list && [...new Set(list)].sort();
  const all = (list: readonly string[] | undefined) => (names(list)?.[0] === '*' ? undefined : names(list));
  return canonical({
    ...rule,
    methods: [...new Set(methods.map((method) => (WILDCARDS.has(method) ? '*' : method)))].sort(),
    tools: names(tools),
    prompts: all(prompts),
    resources: all(resources),
  });
}

function placeOf({ server }: ScopeRule): string {
  return server === '*' ? 'every server' : `the server ${server}`;
}

function actsOf(rule: ScopeRule): readonly string[] {
  const isEvery = rule.methods.some((method) => WILDCARDS.has(method));
  const acts = new Set<string>();
  if (isEvery) acts.add('use every method that is not about a tool, prompt or resource');
  if (isEvery && rule.deny === undefined && isForUnknownMethods(rule))
    acts.add('use methods that nobody knows');
  for (const method of rule.methods.filter((name) => !WILDCARDS.has(name))) {
    if (method !== 'tools/call' && method !== 'prompts/get' && !RESOURCE_METHODS.has(method)) {
      acts.add(`use ${method}`);
    }
  }
  const has = (method: string) => isEvery || rule.methods.includes(method);
  if (has('tools/call')) for (const act of callsOf(rule)) acts.add(act);
  if (has('prompts/get')) for (const act of namesOf(rule.prompts, 'get', 'prompt')) acts.add(act);
  for (const method of RESOURCE_METHODS) {
    const verb = method.slice('resources/'.length);
    if (has(method)) for (const act of namesOf(rule.resources, verb, 'resource')) acts.add(act);
  }
  const place = placeOf(rule);
  const reach = rule.deny === undefined ? [`reach ${place}`] : [];
  return [...reach, ...Array.from(acts, (act) => `${act} on ${place}`)];
}

/** Does its wildcard stand for words that no revision of the protocol has? */
function isForUnknownMethods({ at, when, ...rule }: ScopeRule): boolean {
  const ready = readyRule('', { ...rule, at }, 0, new SharedParts());
  const action = { kind: 'request', method: 'unknown/word', name: undefined, arguments: 'unseen' } as const;
  const caller = { orgId: '', subject: '', clientId: '' };
  const named = { ...ready, methods: new Set<string>(), org: undefined };
  return verdictOf(named, questionOf({ server: rule.server, ...action }, caller, 0)) === 'grants';
}

/** Beside a wildcard a tool with constraints is a deed of its own, and none of the wildcard's. */
function callsOf(rule: ScopeRule): readonly string[] {
  const bound = new Map(rule.arguments);
  if (!rule.tools.some((tool) => WILDCARDS.has(tool))) {
    return rule.tools.map((tool) => callOf(tool, bound.get(tool)));
  }
  const but = bound.size === 0 ? '' : ` but ${[...bound.keys()].sort().join(', ')}`;
  return [`call every tool${but}`, ...Array.from(bound, ([tool, schema]) => callOf(tool, schema))];
}

function callOf(tool: string, schema: object | undefined): string {
  const call = `call the tool ${tool}`;
  return schema === undefined ? call : `${call} with arguments ${canonical(schema)}`;
}

function namesOf(names: readonly string[] | undefined, verb: string, noun: string): readonly string[] {
  return names === undefined
    ? [`${verb} every ${noun}`]
    : names.map((name) => (WILDCARDS.has(name) ? `${verb} every ${noun}` : `${verb} the ${noun} ${name}`));
}

function conditionsOf(rule: ScopeRule): string {
  const window = rule.when === undefined ? '' : ` ${windowWords(rule.when)}`;
  const more = Object.entries(rule).filter(([member, value]) => !SAID.has(member) && value !== undefined);
  return `${window}${more.map(([member, value]) => ` with \`${member}\` ${canonical(value)}`).join('')}`;
}
