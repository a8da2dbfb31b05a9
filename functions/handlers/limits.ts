import type { Action } from '../core/action.ts';
import type { Caller } from '../core/caller.ts';
import type { Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import type { RateLimited } from '../core/rate-limit.ts';
import { ok, type Result } from '../core/result.ts';
import { isCounted, type Limit, limitSubject, limitsOn } from '../core/rules/limit.ts';
import { type CountingPorts, countOne, countUse } from './rate-counter.ts';

/**
 * Counts one request that was allowed, before anything comes of it, on every limit of `scopes.yml` that counts it, one after another: the
 * first that is used up refuses, and those before it have counted it. Where no limit counts it, nothing is asked of anybody; where one does
 * and cannot be counted, it is refused. Last comes the token itself, where it may be used so many times.
 */
export async function countRequest(
  ports: CountingPorts,
  { caller, policy }: { readonly caller: Caller; readonly policy: Policy },
  action: Action,
): Promise<Result<void, Unavailable | RateLimited>> {
  const counted = await countOn(ports, limitsOn(policy, caller, action), caller, action);
  const { maxUses, orgId, jti, endsAtSeconds } = caller;
  if (!counted.ok || maxUses === undefined || !isCounted(action)) return counted;
  return countUse(ports, { max: maxUses, endsAtSeconds }, [orgId, jti]);
}

/** The same of a request to a service: on those limits that name the service, so that what a server asks of APIs uses up nothing else. */
export async function countServiceRequest(
  ports: CountingPorts,
  { caller, policy }: { readonly caller: Caller; readonly policy: Policy },
  action: Action,
): Promise<Result<void, Unavailable | RateLimited>> {
  const limits = limitsOn(policy, caller, action).filter(({ server }) => server === action.server);
  return countOn(ports, limits, caller, action);
}

async function countOn(
  ports: CountingPorts,
  limits: readonly Limit[],
  caller: Caller,
  action: Action,
): Promise<Result<void, Unavailable | RateLimited>> {
  const distinct = new Map(limits.map((limit) => [identityOf(limit), limit]));
  for (const [identity, limit] of distinct) {
    const { requests: max, windowSeconds } = limit;
    const subject = [identity, ...limitSubject(limit, caller, action)];
    const counted = await countOne(ports, { name: 'requests', max, windowSeconds }, subject);
    if (!counted.ok) return counted;
  }
  return ok(undefined);
}

/** What a limit says, wherever in the file: two that say the same are one, and one that says something else counts from the start. */
function identityOf({ per, requests, windowSeconds, server, tools, org, scope }: Limit): string {
  const bounds = [server ?? null, tools ?? null, org ?? null, scope ?? null];
  return JSON.stringify([per, requests, windowSeconds, ...bounds]);
}
