import type { Action } from './action.ts';
import type { Actions } from './addressed.ts';
import { Caller } from './caller.ts';
import type { Policy } from './policy.ts';
import type { ArgumentFailure } from './rules/argument-schema.ts';
import { hasToolLimit } from './rules/limit.ts';
import {
  argumentFailureOf,
  forbids,
  forbidsEvery,
  isFor,
  isOfProtocol,
  PROTOCOL_METHODS,
  type Question,
  questionOf,
  verdictOf,
} from './rules/match.ts';
import type { Rule } from './rules/ready-rule.ts';
import { DEFAULTS } from './rules/rule.ts';
import { isOver, type TimeWindow } from './rules/time-window.ts';
import { runMay } from './run-access.ts';

/** The rule that stood in the way, where one did. `scope` is the one in which it stands, or {@link DEFAULTS}. */
export type RefusalCause = { readonly scope: string; readonly at: string } & (
  | { readonly kind: 'denied' }
  /** A grant that the caller has, for another time, which may be over for good. */
  | { readonly kind: 'closed'; readonly when: TimeWindow; readonly isOver: boolean }
  /** A grant that the caller has, for other arguments. */
  | { readonly kind: 'constrained'; readonly failure: ArgumentFailure }
);

/** Why policy refuses. `unknown_server` covers servers of other organisations: hidden is nonexistent. */
export type PolicyRefusal = {
  readonly reason: 'unknown_server' | 'no_server_access' | 'not_granted';
  /** Scopes that would allow this action and that this client may obtain; all that are needed, or none. */
  readonly obtainable: readonly string[];
  /** Absent: no rule of the caller's is about this action. */
  readonly cause?: RefusalCause;
};

/** What policy says of one action, with the rule that decided. */
export type Decision =
  | { readonly allow: true; readonly scope: string; readonly at: string }
  | { readonly allow: false; readonly refusal: PolicyRefusal };

/**
 * May this caller do this now? The one decision: the authorizer asks it about headers, the gateway about the body that it
 * sends, list pruning about each item. Default deny. In this order: the server is there for the caller; no deny forbids it, of the scopes
 * that the caller is entitled to or of the defaults; then the first grant decides, in the token's scope order and the defaults at last.
 *
 * A tool call needs `tools/call` among a rule's methods and the tool among the same rule's tools. Any other method needs to
 * be among the methods; tools never grant methods. `ping`, client notifications (`notifications/…` without an id) and client
 * answers need any rule on the server; another method without an id is decided like a request, because a server may run it.
 * A grant of `initialize` is a grant of `server/discover`. A run has no scopes: its permissions decide, at the context store alone, where
 * no deny forbids it that holds for everyone or for the client that opened it.
 *
 * @throws TypeError on a caller that {@link Caller.fromToken} did not make
 */
export function decide(policy: Policy, caller: Caller, action: Action, nowSeconds: number): Decision {
  if (!Caller.is(caller)) throw new TypeError('a decision needs a verified caller');
  return decideFor(policy, caller, action, nowSeconds);
}

/** What a decision asks of a caller. */
export type Party = Pick<
  Caller,
  | 'orgId'
  | 'subject'
  | 'clientId'
  | 'kind'
  | 'scopes'
  | 'obtainableScopes'
  | 'teams'
  | 'isPublicOnly'
  | 'context'
  | 'runPermissions'
  | 'isEntitledTo'
>;

/**
 * {@link decide} for a party that may be nobody, so that it opens nothing: for those who explain decisions, and for no one else. Whoever
 * acts on a decision asks {@link decide}.
 */
export function decideFor(policy: Policy, caller: Party, action: Action, nowSeconds: number): Decision {
  const question = questionOf(action, caller, nowSeconds);
  const judged = judge(policy, caller, question);
  switch (judged.verdict) {
    case 'allow':
      return { allow: true, scope: judged.scope, at: judged.at };
    case 'hidden':
      return refuse('unknown_server', []);
    case 'denied': {
      const isOfNoMethod = action.method === undefined;
      const isWhole =
        judged.rule.deny === 'server' || isOfNoMethod || !hasAccess(policy, caller, action.server);
      const cause = { kind: 'denied', ...placeOf(judged.rule) } as const;
      return refuse(isWhole ? 'no_server_access' : 'not_granted', [], cause);
    }
    case 'none':
      return caller.kind === 'run' ? refuseRun(caller) : refuseUngranted(policy, caller, question);
  }
}

/** Does {@link decide} allow it? For those who ask about many things and tell nobody why. */
export function isAllowed(policy: Policy, caller: Caller, action: Action, nowSeconds: number): boolean {
  if (!Caller.is(caller)) throw new TypeError('a decision needs a verified caller');
  return judge(policy, caller, questionOf(action, caller, nowSeconds)).verdict === 'allow';
}

/**
 * May this caller do all that one message needs? Each action is decided by {@link decide}; the first refusal stands for all, with
 * every scope that is missing, or none where one of them cannot be obtained. The rule of the message's own action decides; where
 * that is out of reach, nothing else is looked at.
 */
export function decideAll(
  policy: Policy,
  caller: Caller,
  [own, ...addressed]: Actions,
  nowSeconds: number,
): Decision {
  const decision = decide(policy, caller, own, nowSeconds);
  if (!decision.allow && decision.refusal.obtainable.length === 0) return decision;
  const refusals = [
    decision,
    ...addressed.map((action) => decide(policy, caller, action, nowSeconds)),
  ].flatMap((one) => (one.allow ? [] : [one.refusal]));
  const [first] = refusals;
  if (first === undefined) return decision;
  const isObtainable = refusals.every(({ obtainable }) => obtainable.length > 0);
  const obtainable = isObtainable ? [...new Set(refusals.flatMap((one) => one.obtainable))] : [];
  return { allow: false, refusal: { ...first, obtainable } };
}

/** May this caller do anything at all on this server? For requests whose body is not in sight. */
export function decideServer(policy: Policy, caller: Caller, server: string, nowSeconds: number): Decision {
  const action: Action = {
    server,
    kind: 'notification',
    method: undefined,
    name: undefined,
    arguments: 'unseen',
  };
  return decide(policy, caller, action, nowSeconds);
}

type Judged =
  | { readonly verdict: 'allow'; readonly scope: string; readonly at: string }
  | { readonly verdict: 'denied'; readonly rule: Rule }
  | { readonly verdict: 'hidden' | 'none' };

function judge(policy: Policy, caller: Party, question: Question): Judged {
  const { server } = question.action;
  if (!policy.hasServer(server, caller)) return { verdict: 'hidden' };
  const deny =
    policy.access.findDeny(server, (rule) => concerns(rule, caller) && forbids(rule, question)) ??
    findClosing(policy, caller, question);
  if (deny !== undefined) return { verdict: 'denied', rule: deny };
  if (caller.kind === 'run') return judgeRun(caller, question.action);
  const granted = findGrant(policy, caller, caller.scopes, question);
  return granted === undefined ? { verdict: 'none' } : { verdict: 'allow', ...placeOf(granted) };
}

function judgeRun({ runPermissions, context }: Party, action: Action): Judged {
  const isOpen = runPermissions !== undefined && context.namespace !== undefined;
  return isOpen && runMay(runPermissions, action)
    ? { verdict: 'allow', scope: 'run', at: `run:${runPermissions.join(',')}` }
    : { verdict: 'none' };
}

/** A run whose token has no section for the context store has no access to it. */
function refuseRun({ context }: Party): Decision {
  return refuse(context.namespace === undefined ? 'no_server_access' : 'not_granted', []);
}

function refuseUngranted(policy: Policy, caller: Party, question: Question): Decision {
  const obtainable = findGrant(policy, caller, caller.obtainableScopes, question);
  return refuse(
    hasAccess(policy, caller, question.action.server) ? 'not_granted' : 'no_server_access',
    obtainable === undefined ? [] : [obtainable.scope],
    findCause(policy, caller, question),
  );
}

/**
 * Without a method it is asked for anything at all: a stream, an answer to the server. Where several denies together forbid every method
 * that there may be, there is nothing. `ping` is nothing, and a word that no revision knows is something only where a grant names it.
 */
function findClosing(policy: Policy, caller: Party, question: Question): Rule | undefined {
  const { server, method } = question.action;
  if (method !== undefined) return undefined;
  const denyOf = (one: string) =>
    policy.access.findDeny(server, (rule) => concerns(rule, caller) && forbidsEvery(rule, one, question));
  let first: Rule | undefined;
  for (const one of PROTOCOL_METHODS) {
    if (one === 'ping') continue;
    const deny = denyOf(one);
    if (deny === undefined) return undefined;
    first ??= deny;
  }
  const isOpenWord = (word: string) =>
    word !== 'ping' && !word.startsWith('notifications/') && denyOf(word) === undefined;
  const named = policy.access.findGrant(
    caller.scopes,
    server,
    (rule) => isFor(rule, caller.orgId) && [...rule.methods].some(isOpenWord),
  );
  return named === undefined ? first : undefined;
}

/** A deny holds for whoever is entitled to its scope: a token that leaves the scope out is no way around it. */
function concerns(deny: Rule, caller: Party): boolean {
  return deny.scope === DEFAULTS || caller.isEntitledTo(deny.scope);
}

function findGrant(
  policy: Policy,
  caller: Party,
  scopes: readonly string[],
  question: Question,
): Rule | undefined {
  const { server, method } = question.action;
  const found = policy.access.findGrant(scopes, server, (rule) => verdictOf(rule, question) === 'grants');
  if (found === undefined || method === undefined) return found;
  if (isOfProtocol(question.action.kind, method) || found.methods.has(method)) return found;
  // Beside a deny of a part a wildcard leaves something out too, and a word that a server may take for that part is no word of its own. Nor
  // may a call pass uncounted under such a word.
  const deny = policy.access.findDeny(server, (rule) => concerns(rule, caller) && isFor(rule, caller.orgId));
  if (deny === undefined && !hasToolLimit(policy, caller, server)) return found;
  return policy.access.findGrant(
    scopes,
    server,
    (rule) => rule.methods.has(method) && verdictOf(rule, question) === 'grants',
  );
}

function hasAccess(policy: Policy, caller: Party, server: string): boolean {
  return policy.access.findGrant(caller.scopes, server, (rule) => isFor(rule, caller.orgId)) !== undefined;
}

/** The grant that came nearest: the caller has it, so it may know what it says. */
function findCause(policy: Policy, caller: Party, question: Question): RefusalCause | undefined {
  const { nowSeconds } = question;
  let closed: Rule | undefined;
  const constrained = policy.access.findGrant(caller.scopes, question.action.server, (rule) => {
    const verdict = verdictOf(rule, question);
    // One that opens again is nearer than one that is over.
    if (verdict === 'closed' && (closed === undefined || isPast(closed, nowSeconds))) closed = rule;
    return verdict === 'constrained';
  });
  const failure = constrained && argumentFailureOf(constrained, question);
  if (constrained !== undefined && failure !== undefined) {
    return { kind: 'constrained', ...placeOf(constrained), failure };
  }
  return (
    closed?.when && {
      kind: 'closed',
      ...placeOf(closed),
      when: closed.when,
      isOver: isPast(closed, nowSeconds),
    }
  );
}

function isPast({ when }: Rule, nowSeconds: number): boolean {
  return when !== undefined && isOver(when, nowSeconds);
}

function placeOf({ scope, at }: Rule): { readonly scope: string; readonly at: string } {
  return { scope, at };
}

function refuse(
  reason: PolicyRefusal['reason'],
  obtainable: readonly string[],
  cause?: RefusalCause,
): Decision {
  return { allow: false, refusal: { reason, obtainable, ...(cause === undefined ? {} : { cause }) } };
}
