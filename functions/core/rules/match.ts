import type { Action } from '../action.ts';
import { type ArgumentFailure, type ArgumentSchema, checkArguments } from './argument-schema.ts';
import type { Rule } from './ready-rule.ts';
import { coversResource, forbidsResource, type PatternParty } from './resource-pattern.ts';
import { ResourceUri } from './resource-uri.ts';
import type { StepBudget } from './text-program.ts';
import { isOpen } from './time-window.ts';

/** One action of one caller at one moment. All rules that are asked share what may be looked at. */
export type Question = {
  readonly action: Action;
  readonly caller: PatternParty;
  readonly nowSeconds: number;
  readonly budget: StepBudget;
  readonly uri: ResourceUri | undefined;
};

/** For one decision, whatever the number of its rules: where it is used up no rule with constraints or patterns grants, and each such deny forbids. */
const MAX_STEPS = 1_000_000;

/** A question of which nothing has been asked yet. */
export function questionOf(action: Action, caller: PatternParty, nowSeconds: number): Question {
  const uri = action.name === undefined ? undefined : new ResourceUri(action.name);
  return { action, caller, nowSeconds, budget: { stepsLeft: MAX_STEPS }, uri };
}

/** What a rule says of a question: `closed` and `constrained` are what it would grant at another time, or with other arguments. */
export type Verdict = 'grants' | 'closed' | 'constrained' | 'none';

/** Methods that a grant of the key grants too: the gateway never translates, but discovery is the same right. */
const GRANTED_BY: ReadonlyMap<string, string> = new Map([['server/discover', 'initialize']]);

/** Requests that a client may send in one of the revisions that the gateway carries, the tasks extension included. */
export const PROTOCOL_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tasks/cancel',
]);

/** Those of them that name a resource. */
const RESOURCE_METHODS: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
]);

/** What a client may notify a server of in one of them. */
const PROTOCOL_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
]);

/** Is the rule for this caller's organisation? Only defaults are for one. */
export function isFor(rule: Rule, orgId: string): boolean {
  return rule.org === undefined || rule.org === orgId;
}

/**
 * What a grant says. `ping`, client notifications and client answers need any grant on the server; everything else needs its method among
 * the rule's, and a call, a prompt, a resource its name too. What arguments nobody has seen yet are is left to whoever sees them.
 */
export function verdictOf(rule: Rule, question: Question): Verdict {
  const { action, caller, nowSeconds } = question;
  if (!isFor(rule, caller.orgId)) return 'none';
  if (!isFree(action) && !covers(rule, question)) return 'none';
  if (rule.when !== undefined && !isOpen(rule.when, rule.shared.clocks, nowSeconds)) return 'closed';
  return action.arguments === 'unseen' || meetsArguments(rule, question) ? 'grants' : 'constrained';
}

/**
 * Does a deny forbid it? One of a part forbids nothing where there is no method to be about. A deny with constraints forbids calls whose arguments meet them, and those of which that cannot be told; where
 * nobody has seen the arguments yet it forbids nothing.
 */
export function forbids(rule: Rule, question: Question): boolean {
  const { action, caller, nowSeconds } = question;
  if (!isFor(rule, caller.orgId)) return false;
  if (rule.deny === 'part' && !covers(rule, question)) return false;
  if (rule.when !== undefined && !isOpen(rule.when, rule.shared.clocks, nowSeconds)) return false;
  if (rule.deny === 'server' || schemaOf(rule, action) === undefined) return true;
  return action.arguments !== 'unseen' && mayMeetArguments(rule, question);
}

/** Does a deny forbid the method, whatever it names and with whatever arguments? */
export function forbidsEvery(rule: Rule, method: string, { caller, nowSeconds }: Question): boolean {
  if (!isFor(rule, caller.orgId) || !coversMethod(rule, method)) return false;
  if (rule.when !== undefined && !isOpen(rule.when, rule.shared.clocks, nowSeconds)) return false;
  switch (method) {
    case 'tools/call':
      return rule.everyTool && rule.arguments.size === 0;
    case 'prompts/get':
      return rule.prompts === undefined;
    default:
      return !RESOURCE_METHODS.has(method) || rule.resources === undefined;
  }
}

/** Does a revision of the protocol know the message? Of one that none knows, nobody can say what a server takes it for. */
export function isOfProtocol(kind: Action['kind'], method: string): boolean {
  return PROTOCOL_METHODS.has(method) || (kind === 'notification' && PROTOCOL_NOTIFICATIONS.has(method));
}

/** What is wrong with the arguments of a call, by a grant that names constraints. */
export function argumentFailureOf(rule: Rule, { action, budget }: Question): ArgumentFailure | undefined {
  const schema = schemaOf(rule, action);
  if (schema === undefined || action.arguments === 'unseen') return undefined;
  if (action.arguments === 'unreadable')
    return { argument: '', constraint: 'must be an object', isKnown: false };
  return checkArguments(schema, action.arguments, rule.shared, budget);
}

function meetsArguments(rule: Rule, question: Question): boolean {
  return argumentFailureOf(rule, question) === undefined;
}

function mayMeetArguments(rule: Rule, question: Question): boolean {
  return argumentFailureOf(rule, question)?.isKnown !== true;
}

function schemaOf(rule: Rule, { method, name }: Action): ArgumentSchema | undefined {
  return method === 'tools/call' && name !== undefined ? rule.arguments.get(name) : undefined;
}

function isFree({ kind, method }: Action): boolean {
  if (method === undefined) return kind !== 'request';
  return method === 'ping' || (kind === 'notification' && method.startsWith('notifications/'));
}

function covers(rule: Rule, question: Question): boolean {
  const { method, name } = question.action;
  if (method === undefined || !coversMethod(rule, method)) return false;
  switch (method) {
    case 'tools/call':
      return name !== undefined && name !== '' && (rule.everyTool || rule.tools.has(name));
    case 'prompts/get':
      if (rule.prompts === undefined) return true;
      // A deny that names some forbids what has no name, too.
      return name === undefined ? rule.deny !== undefined : rule.prompts.has(name);
    default:
      if (rule.resources === undefined || !RESOURCE_METHODS.has(method)) return true;
      return isAmongResources(rule, rule.resources, question);
  }
}

function coversMethod(rule: Rule, method: string): boolean {
  if (coversAsWildcard(rule, method) || rule.methods.has(method)) return true;
  const alias = GRANTED_BY.get(method);
  return alias !== undefined && rule.methods.has(alias);
}

function isAmongResources(
  rule: Rule,
  patterns: NonNullable<Rule['resources']>,
  { uri, caller, budget }: Question,
): boolean {
  if (uri === undefined) return rule.deny !== undefined;
  const matches = rule.deny === undefined ? coversResource : forbidsResource;
  return patterns.some((pattern) => matches(pattern, uri, caller, budget));
}

/**
 * A wildcard stands for the methods of the protocol. Any other word passes only where the rule leaves nothing out: a server that takes
 * unknown methods for tools must not be a way around its list of tools. In a deny it stands for every word.
 */
function coversAsWildcard(rule: Rule, method: string): boolean {
  return rule.everyMethod && (rule.deny !== undefined || isWhole(rule) || PROTOCOL_METHODS.has(method));
}

/** Does it leave out nothing that there may be? */
function isWhole({ everyMethod, everyTool, prompts, resources, arguments: { size } }: Rule): boolean {
  return everyMethod && everyTool && prompts === undefined && resources === undefined && size === 0;
}
