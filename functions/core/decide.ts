import type { Action } from './action.ts';
import type { Actions } from './addressed.ts';
import { Caller } from './caller.ts';
import type { Policy, Rule } from './policy.ts';
import { runMay } from './run-access.ts';

/** Why policy refuses. `unknown_server` covers servers of other organisations: hidden is nonexistent. */
export type PolicyRefusal = {
  readonly reason: 'unknown_server' | 'no_server_access' | 'not_granted';
  /** Scopes that would allow this action and that this client may obtain; all that are needed, or none. */
  readonly obtainable: readonly string[];
};

/** What policy says of one action, with the rule that decided. */
export type Decision =
  | { readonly allow: true; readonly scope: string; readonly at: string }
  | { readonly allow: false; readonly refusal: PolicyRefusal };

/** Methods that a grant of the key grants too: the gateway never translates, but discovery is the same right. */
const GRANTED_BY: ReadonlyMap<string, string> = new Map([['server/discover', 'initialize']]);

/** Requests that a client may send in one of the revisions that the gateway carries, the tasks extension included. */
const PROTOCOL_METHODS: ReadonlySet<string> = new Set([
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

/**
 * May this caller do this? The one decision: the authorizer asks it about headers, the gateway about the body that it
 * sends, list pruning about each item. Default deny; the first granting rule in the token's scope order decides.
 *
 * A tool call needs `tools/call` among a rule's methods and the tool among the same rule's tools. Any other method needs to
 * be among the methods; tools never grant methods. `ping`, client notifications (`notifications/…` without an id) and client
 * answers need any rule on the server; another method without an id is decided like a request, because a server may run it.
 * A grant of `initialize` is a grant of `server/discover`. A run has no scopes: its permissions decide, at the context store alone.
 *
 * @throws TypeError on a caller that {@link Caller.fromToken} did not make
 */
export function decide(policy: Policy, caller: Caller, action: Action): Decision {
  if (!Caller.is(caller)) throw new TypeError('a decision needs a verified caller');
  if (!policy.hasServer(action.server, caller)) return deny('unknown_server', []);
  if (caller.kind === 'run') return decideRun(caller, action);
  const granted = findGrant(policy, caller.scopes, action);
  if (granted !== undefined) return { allow: true, scope: granted.scope, at: granted.at };
  const obtainable = findGrant(policy, caller.obtainableScopes, action);
  const missing = obtainable === undefined ? [] : [obtainable.scope];
  return deny(hasAccess(policy, caller, action.server) ? 'not_granted' : 'no_server_access', missing);
}

/**
 * May this caller do all that one message needs? Each action is decided by {@link decide}; the first refusal stands for all, with
 * every scope that is missing, or none where one of them cannot be obtained. The rule of the message's own action decides.
 */
export function decideAll(policy: Policy, caller: Caller, [own, ...addressed]: Actions): Decision {
  const decision = decide(policy, caller, own);
  const refusals = [decision, ...addressed.map((action) => decide(policy, caller, action))].flatMap((one) =>
    one.allow ? [] : [one.refusal],
  );
  const [first] = refusals;
  if (first === undefined) return decision;
  const isObtainable = refusals.every(({ obtainable }) => obtainable.length > 0);
  return deny(first.reason, isObtainable ? [...new Set(refusals.flatMap((one) => one.obtainable))] : []);
}

/** May this caller do anything at all on this server? For requests whose body is not in sight. */
export function decideServer(policy: Policy, caller: Caller, server: string): Decision {
  return decide(policy, caller, { server, kind: 'notification', method: undefined, name: undefined });
}

/** A run whose token has no section for the context store has no access to it. */
function decideRun({ runPermissions, context }: Caller, action: Action): Decision {
  if (runPermissions === undefined || context.namespace === undefined) return deny('no_server_access', []);
  if (runMay(runPermissions, action))
    return { allow: true, scope: 'run', at: `run:${runPermissions.join(',')}` };
  return deny('not_granted', []);
}

function hasAccess(policy: Policy, caller: Caller, server: string): boolean {
  return caller.scopes.some((scope) => policy.rules(scope, server).length > 0);
}

function findGrant(policy: Policy, scopes: readonly string[], action: Action): Rule | undefined {
  for (const scope of scopes) {
    const rule = policy.rules(scope, action.server).find((candidate) => grants(candidate, action));
    if (rule !== undefined) return rule;
  }
  return undefined;
}

function grants(rule: Rule, action: Action): boolean {
  const { kind, method, name } = action;
  if (method === undefined) return kind !== 'request';
  if (method === 'ping' || (kind === 'notification' && method.startsWith('notifications/'))) return true;
  const alias = GRANTED_BY.get(method);
  const methodGranted =
    coversAsWildcard(rule, method) ||
    rule.methods.has(method) ||
    (alias !== undefined && rule.methods.has(alias));
  if (!methodGranted) return false;
  if (method !== 'tools/call') return true;
  return name !== undefined && name !== '' && (rule.everyTool || rule.tools.has(name));
}

/**
 * A wildcard stands for the methods of the protocol. Any other word passes only where every tool is granted too: a server that takes
 * unknown methods for tools must not be a way around its list of tools.
 */
function coversAsWildcard(rule: Rule, method: string): boolean {
  return rule.everyMethod && (rule.everyTool || PROTOCOL_METHODS.has(method));
}

function deny(reason: PolicyRefusal['reason'], obtainable: readonly string[]): Decision {
  return { allow: false, refusal: { reason, obtainable } };
}
