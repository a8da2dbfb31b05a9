import type { Action } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import type { Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { type RateLimited, rateWindow, wholeLife } from '../core/rate-limit.ts';
import type { Result } from '../core/result.ts';
import { isCounted, type Limit, limitSubject, limitsOn } from '../core/rules/limit.ts';
import { type Count, countEach, type LimitPorts } from './rate-counter.ts';

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
  // The smallest first: it is the likeliest to refuse, and then the others, which more callers share, have not been asked.
  const distinct = [...new Map(limits)].sort(([, one], [, other]) => one.requests - other.requests);
  const counts = distinct.map(([identity, limit]): Count => {
    const { requests: max, windowSeconds } = limit;
    const subject = [identity, ...limitSubject(limit, caller, action)];
    return { window: rateWindow({ name: 'requests', max, windowSeconds }, subject, nowSeconds), max };
  });
  return countEach(ports, [...counts, ...usesOf(caller, action)], nowSeconds);
}

function usesOf({ maxUses: max, orgId, jti, endsAtSeconds }: Caller, action: Action): readonly Count[] {
  if (max === undefined || !isCounted(action)) return [];
  return [{ window: wholeLife([orgId, jti], endsAtSeconds), max }];
}

/** What a limit says, wherever in the file: two that say the same are one, and one that says something else counts from the start. */
function identityOf({ per, requests, windowSeconds, server, tools, org, scope }: Limit): string {
  const bounds = [server ?? null, tools ?? null, org ?? null, scope ?? null];
  return JSON.stringify([per, requests, windowSeconds, ...bounds]);
}
