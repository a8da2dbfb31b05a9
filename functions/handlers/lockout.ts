import type { Caller } from '../core/caller.ts';
import { mayAdminister } from '../core/may.ts';
import { findParties } from '../core/parties.ts';
import { Policy, type Snapshot } from '../core/policy.ts';
import { standingOf } from '../core/standing.ts';
import { userScopes } from '../core/user-grant.ts';
import { rulesEveryOrg } from './administration.ts';

/** Whoever changes the policy could not change it back: `caller` may manage what runs now, and not what would run. */
export const LOCKOUT = 'after this, the client with whose token you ask could not change the policy any more';

/**
 * Could this caller still manage the policy, with a fresh token, where this one ran? Its client is there and may have such a token, its
 * organisation rules every other, and what it would have permits `manage_policy`. Does NOT look at grants, secrets or keys: with the
 * configuration alone nobody can say that a token can be had.
 */
export function locksOut(next: Snapshot, caller: Caller, nowSeconds: number): boolean {
  const policy = new Policy(next, 0);
  const { orgId, subject, clientId, groups } = caller;
  const parties = findParties(policy, { orgId, clientId, subject });
  if (!parties.ok || policy.isSuspended(orgId) || !rulesEveryOrg(next, orgId)) return true;
  const { client, agent } = parties.value;
  if (client.audience !== 'gateway') return true;
  const scopes = agent === undefined ? userScopes(policy, client, groups, undefined) : client.scopes;
  if (!scopes.some((scope) => policy.permits(scope, 'manage_policy', 'all'))) return true;
  const held = agent === undefined ? groups : client.groups;
  const party = { orgId, subject, groups: held };
  const standing = standingOf(policy, party, { standing: 'session', claim: undefined }, nowSeconds);
  return !mayAdminister(policy, { orgId, subject, ...standing }, 'manage_policy');
}
