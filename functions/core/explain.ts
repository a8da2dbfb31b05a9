import type { Action } from './action.ts';
import { type Decision, decideFor, type Party } from './decide.ts';
import { refusalText } from './denial-wire.ts';
import type { Policy } from './policy.ts';
import { DEFAULTS } from './rules/rule.ts';
import { windowWords } from './rules/time-window.ts';

/** A decision and its reason, for the one whom it is about: no more than the refusal itself tells. */
export type Explanation = {
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
  /** In words. */
  readonly text: string;
  /** Which of the caller's scopes allows it; for a refusal, those that it may ask for and that would. */
  readonly scopes: readonly string[];
};

/** The same for an administrator: with the rule that decided, where one did, and where it stands. */
export type FullExplanation = Explanation & {
  readonly rule?: { readonly scope: string; readonly at: string; readonly words: string };
};

/** Explains a decision to the caller itself. What is hidden from it is told as what does not exist. */
export function explainToCaller(decision: Decision): Explanation {
  if (decision.allow) {
    return { decision: 'allow', reason: 'granted', text: 'this is allowed', scopes: scopesOf(decision) };
  }
  const { refusal } = decision;
  return {
    decision: 'deny',
    reason: refusal.reason === 'no_server_access' ? 'not_granted' : refusal.reason,
    text: refusalText({
      ...refusal,
      reason: refusal.reason === 'unknown_server' ? refusal.reason : 'not_granted',
    }),
    scopes: refusal.obtainable,
  };
}

/** Decides as the gate does, and explains it to an administrator. `party` may be a caller, or nobody at all. */
export function explainFully(
  policy: Policy,
  party: Party,
  action: Action,
  nowSeconds: number,
): FullExplanation {
  const decision = decideFor(policy, party, action, nowSeconds);
  const told = explainToCaller(decision);
  if (decision.allow) {
    const { scope, at } = decision;
    return { ...told, rule: { scope, at, words: `granted by ${nameOf(scope)}` } };
  }
  const { cause, reason } = decision.refusal;
  if (cause === undefined) return { ...told, reason };
  const { scope, at } = cause;
  return { ...told, reason, rule: { scope, at, words: causeWords(cause) } };
}

/** A scope in words, or the rules that stand in none. */
export function nameOf(scope: string): string {
  return scope === DEFAULTS ? `\`${DEFAULTS}\`` : `the scope ${scope}`;
}

function scopesOf({ scope }: { readonly scope: string }): readonly string[] {
  return scope === DEFAULTS || scope === 'run' ? [] : [scope];
}

type Cause = NonNullable<Extract<Decision, { allow: false }>['refusal']['cause']>;

function causeWords(cause: Cause): string {
  switch (cause.kind) {
    case 'denied':
      return `denied by ${nameOf(cause.scope)}`;
    case 'closed':
      return `granted by ${nameOf(cause.scope)} at another time: ${windowWords(cause.when)}`;
    case 'constrained': {
      const { argument, constraint } = cause.failure;
      const what = argument === '' ? 'the arguments' : `\`${argument}\``;
      return `granted by ${nameOf(cause.scope)} with other arguments: ${what} ${constraint}`;
    }
  }
}
