import type { Denial } from '../core/denial.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyStore } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Admission } from './ingress.ts';

/** What is administered for every organisation at once. */
export type Administration = 'manage_policy' | 'manage_secrets';

/**
 * May this caller administer what every organisation shares? It takes a UI scope with the action on `all`, and, where clients of several
 * organisations are registered, a client of the first organisation in `orgs.yml`, the platform's own. Without `orgs.yml` none is the
 * first: then nobody may. Judged on the policy that is stored, not on a remembered copy; gives its pointer.
 */
export async function authorizeAdministration(
  policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>,
  { caller, policy }: Admission,
  action: Administration,
): Promise<Result<PolicyPointer, Denial>> {
  const isGranted = caller.scopes.some((scope) => policy.permits(scope, action, 'all'));
  if (!isGranted) return err({ reason: 'not_granted', obtainable: [] });
  const pointer = await policies.readPointer();
  if (!pointer.ok) return pointer;
  if (pointer.value === undefined) return err({ reason: 'unavailable', detail: 'the policy is gone' });
  const snapshot = await policies.readSnapshot(pointer.value);
  if (!snapshot.ok) return snapshot;
  const isOfPlatform = rulesEveryOrg(snapshot.value, caller.orgId);
  return isOfPlatform ? ok(pointer.value) : err({ reason: 'not_granted', obtainable: [] });
}

function rulesEveryOrg({ clients, orgs }: Snapshot, orgId: string): boolean {
  return clients.every(({ org }) => org === orgId) || orgs[0]?.id === orgId;
}
