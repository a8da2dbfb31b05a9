import type { Action } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import type { Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { type RateLimited, rateWindow, wholeLife } from '../core/rate-limit.ts';
import type { Result } from '../core/result.ts';
import { isCounted, type Limit, type LimitSubject, limitSubject, limitsOn } from '../core/rules/limit.ts';
import { type Count, countEach, type LimitPorts } from './rate-counter.ts';

/** Of what a count is shared with ever more other callers. */
const NARROWEST_FIRST: readonly LimitSubject[] = ['token', 'user', 'client', 'tool', 'server', 'org'];

/**
 * Counts one request that was allowed, before anything comes of it, on every limit of `scopes.yml` that counts it, and on its token, where
 * that may be used so many times: a request to a server, or to a service on behalf of a caller. One that is refused by any of them has
 * used up none. Where nothing counts it, nothing is asked of anybody; where something does and cannot be counted, it is refused.
 */
export function countRequest(
  ports: LimitPorts,
  { caller, policy }: { readonly caller: Caller; readonly policy: Policy },
  action: Action,
): Promise<Result<void, Unavailable | RateLimited>> {
  const nowSeconds = Math.floor(ports.now() / 1_000);
  const limits = limitsOn(policy, caller, action).map((limit): [string, Limit] => [identityOf(limit), limit]);
  // What is the caller's own first: where that refuses, nothing that others share is taken from them even for a moment. Of equals the
  // smallest, which is the likeliest to refuse.
  const distinct = [...new Map(limits)].sort(
    ([, one], [, other]) => breadthOf(one) - breadthOf(other) || one.requests - other.requests,
  );
  const counts = distinct.map(([identity, limit]): Count => {
    const { requests: max, windowSeconds } = limit;
    const subject = [identity, ...limitSubject(limit, caller, action)];
    return { window: rateWindow({ name: 'requests', max, windowSeconds }, subject, nowSeconds), max };
  });
  return countEach(ports, [...usesOf(caller, action), ...counts], nowSeconds);
}

function usesOf({ maxUses: max, orgId, jti, endsAtSeconds }: Caller, action: Action): readonly Count[] {
  if (max === undefined || !isCounted(action)) return [];
  return [{ window: wholeLife([orgId, jti], endsAtSeconds), max }];
}

/** A count of several things together is as narrow as the narrowest of them. */
function breadthOf({ per }: Limit): number {
  return Math.min(...per.map((subject) => NARROWEST_FIRST.indexOf(subject)));
}

/** What a limit says, wherever in the file: two that say the same are one, and one that says something else counts from the start. */
function identityOf({ per, requests, windowSeconds, server, tools, org, scope }: Limit): string {
  const bounds = [server ?? null, tools ?? null, org ?? null, scope ?? null];
  return JSON.stringify([per, requests, windowSeconds, ...bounds]);
}
