import type { Caller } from '../core/caller.ts';
import type { Denial } from '../core/denial.ts';
import { mayAdminister } from '../core/may.ts';
import { Policy, type Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyStore } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Admission } from './ingress.ts';

/** What is administered for every organisation at once. */
export type Administration = 'manage_policy' | 'manage_secrets';

/** What an administrator of one organisation may do there, and one of the platform's in every organisation. */
export type OrgAdministration = 'revoke' | 'read_audit' | 'manage_policy' | 'manage_secrets';

/** Who administers, by the policy that is stored. */
export type Authority = {
  readonly pointer: PolicyPointer;
  readonly snapshot: Snapshot;
  /** Does this caller rule every organisation, and not its own alone? */
  readonly isOfPlatform: boolean;
};

/**
 * May this caller administer what every organisation shares? It takes a UI scope with the action on `all`, what {@link mayAdminister} asks
 * for, and, where there are several organisations, a client of the first one in `orgs.yml`, the platform's own, whoever else has clients.
 * Without `orgs.yml` none is the first: where clients or identity providers are of several, nobody may. Judged on the policy that is
 * stored, and not on the remembered copy alone; gives its pointer.
 */
export async function authorizeAdministration(
  policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>,
  admission: Admission,
  action: Administration,
  nowSeconds: number,
): Promise<Result<PolicyPointer, Denial>> {
  const authority = await authorizeOn(policies, admission, action, nowSeconds);
  if (!authority.ok) return authority;
  const { pointer, isOfPlatform } = authority.value;
  return isOfPlatform ? ok(pointer) : err({ reason: 'not_granted', obtainable: [] });
}

/**
 * May this caller administer its own organisation? It takes a UI scope with the action on `all`, or on the one server or service `on`, and
 * what {@link mayAdminister} asks for; `isOfPlatform` says whether it may in
 * every other one too. Whoever asks holds it to that.
 */
export function authorizeInOrg(
  policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>,
  admission: Admission,
  action: OrgAdministration,
  nowSeconds: number,
  on = 'all',
): Promise<Result<Authority, Denial>> {
  return authorizeOn(policies, admission, action, nowSeconds, on);
}

async function authorizeOn(
  policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>,
  { caller, policy }: Admission,
  action: Administration | OrgAdministration,
  nowSeconds: number,
  on = 'all',
): Promise<Result<Authority, Denial>> {
  const refusal = { reason: 'not_granted', obtainable: [] } as const;
  if (!administers(policy, caller, action, on)) return err(refusal);
  const pointer = await policies.readPointer();
  if (!pointer.ok) return pointer;
  if (pointer.value === undefined) return err({ reason: 'unavailable', detail: 'the policy is gone' });
  const snapshot = await policies.readSnapshot(pointer.value);
  if (!snapshot.ok) return snapshot;
  const stored = new Policy(snapshot.value, pointer.value.version);
  if (!couldAdminister(stored, caller, action, nowSeconds, on)) return err(refusal);
  const isOfPlatform = rulesEveryOrg(snapshot.value, caller.orgId);
  return ok({ pointer: pointer.value, snapshot: snapshot.value, isOfPlatform });
}

/**
 * Does the caller's token administer under this policy too? Admission is by a copy that is some seconds old, and in these an administrator
 * who was dismissed must not undo it: each of its parties is judged again, its scopes, its roles, and that it may have a token for all.
 */
function couldAdminister(
  policy: Policy,
  admitted: Caller,
  action: Administration | OrgAdministration,
  nowSeconds: number,
  on: string,
): boolean {
  const now = admitted.under(policy, nowSeconds);
  if (!now.ok || (admitted.isGatewayClient && !now.value.isGatewayClient)) return false;
  return administers(policy, now.value, action, on);
}

function administers(
  policy: Policy,
  caller: Caller,
  action: Administration | OrgAdministration,
  on: string,
): boolean {
  const isGranted = caller.scopes.some((scope) => policy.permits(scope, action, on));
  return isGranted && mayAdminister(policy, caller, action);
}

/** May an administrator of `orgId` name this organisation? One of the platform's may name every one that there is. */
export function mayReach(
  {
    isOfPlatform,
    snapshot,
    orgId: own,
  }: Pick<Authority, 'isOfPlatform' | 'snapshot'> & { readonly orgId: string },
  orgId: string,
): boolean {
  return orgId === own || (isOfPlatform && orgsOf(snapshot).has(orgId));
}

function orgsOf({ orgs, clients, idps = [] }: Snapshot): ReadonlySet<string> {
  return new Set([...orgs.map(({ id }) => id), ...[...clients, ...idps].map(({ org }) => org)]);
}

/** With several organisations the first one's alone; with one, its own, where nobody of another one can come in by any door. */
export function rulesEveryOrg({ clients, orgs, idps = [] }: Snapshot, orgId: string): boolean {
  if (orgs.length > 1) return orgs[0]?.id === orgId;
  return [...clients, ...idps].every(({ org }) => org === orgId);
}
