import { compileConfiguration } from '../core/configuration/compile.ts';
import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Change } from '../core/plan/change.ts';
import { comparePolicies } from '../core/plan/policy-changes.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyHistory, PolicyPointer, PolicyStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What another policy would change, against the version that it was compared with. */
export type PolicyPlan = {
  readonly over: number;
  readonly changes: readonly Change[];
  readonly warnings: readonly ConfigurationProblem[];
  /** Could whoever asked not change the policy any more? */
  readonly isLockout: boolean;
};

/** Why there is no plan. */
export type PlanFailure =
  | { readonly reason: 'invalid'; readonly problems: readonly ConfigurationProblem[] }
  | { readonly reason: 'unknown_version' }
  | Unavailable;

/** Where the policy is kept, and what ran before. */
export type PolicyPorts = { readonly policies: PolicyStore; readonly policyHistory: PolicyHistory };

/** Plans a configuration. Changes nothing. */
export async function planConfiguration(
  { policies }: PolicyPorts,
  files: ReadonlyMap<string, string>,
  over: PolicyPointer,
  locksOut: (snapshot: Snapshot) => boolean = () => false,
): Promise<Result<PolicyPlan, PlanFailure>> {
  const compiled = compileConfiguration(files);
  if (!compiled.ok) return err({ reason: 'invalid', problems: compiled.error });
  const { snapshot, warnings } = compiled.value;
  return compareWith(policies, snapshot, warnings, { over, isLockout: locksOut(snapshot) });
}

/** Plans a return to an earlier version. Changes nothing. */
export async function planRollback(
  { policies, policyHistory }: PolicyPorts,
  version: number,
  over: PolicyPointer,
  locksOut: (snapshot: Snapshot) => boolean = () => false,
): Promise<Result<PolicyPlan, PlanFailure>> {
  const snapshot = await readVersion({ policies, policyHistory }, version);
  if (!snapshot.ok) return snapshot;
  return compareWith(policies, snapshot.value, [], { over, isLockout: locksOut(snapshot.value) });
}

/** The policy of a version, as it was compiled then. */
export async function readVersion(
  { policies, policyHistory }: PolicyPorts,
  version: number,
): Promise<Result<Snapshot, { readonly reason: 'unknown_version' } | Unavailable>> {
  const pointer = await policyHistory.find(version);
  if (!pointer.ok) return pointer;
  return pointer.value === undefined
    ? err({ reason: 'unknown_version' })
    : policies.readSnapshot(pointer.value);
}

async function compareWith(
  policies: PolicyStore,
  next: Snapshot,
  warnings: readonly ConfigurationProblem[],
  { over, isLockout }: { readonly over: PolicyPointer; readonly isLockout: boolean },
): Promise<Result<PolicyPlan, Unavailable>> {
  const running = await policies.readSnapshot(over);
  if (!running.ok) return running;
  return ok({ over: over.version, changes: comparePolicies(running.value, next), warnings, isLockout });
}
