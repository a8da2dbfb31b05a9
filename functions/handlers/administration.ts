import type { Denial } from '../core/denial.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyStore } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Admission } from './ingress.ts';

/** What is administered for every organisation at once. */
export type Administration = 'manage_policy' | 'manage_secrets';

/**
 * May this caller administer what every organisation shares? It takes a UI scope with the action on `all`, and, where there are several
 * organisations, a client of the first one in `orgs.yml`, the platform's own, whoever else has clients. Without `orgs.yml` none is the
 * first: where clients or identity providers are of several, nobody may. Judged on the policy that is stored, not on a remembered copy; gives its pointer.
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

/** With several organisations the first one's alone; with one, its own, where nobody of another one can come in by any door. */
function rulesEveryOrg({ clients, orgs, idps = [] }: Snapshot, orgId: string): boolean {
  if (orgs.length > 1) return orgs[0]?.id === orgId;
  return [...clients, ...idps].every(({ org }) => org === orgId);
}
