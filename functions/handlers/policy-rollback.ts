import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyWriting, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type PolicyPorts, readVersion } from './policy-plan.ts';

/** Why nothing was rolled back; the running policy stays. */
export type RollbackFailure = { readonly reason: 'unknown_version' | 'conflict' | 'lockout' } | Unavailable;

/**
 * Makes the content of an earlier version run again, under a new version: nobody's history is rewritten. It is the policy as it was compiled
 * then, not the files; one in a format that this function does not know is `unavailable`. To a deploy it is an `apply`. What `isRefused` says of it is `lockout`. Does NOT authorise.
 */
export async function rollBack(
  ports: PolicyPorts,
  version: number,
  over: PolicyPointer,
  written: PolicyWriting,
  isRefused: (snapshot: Snapshot) => boolean = () => false,
): Promise<Result<{ readonly version: number }, RollbackFailure>> {
  const snapshot = await readVersion(ports, version);
  if (!snapshot.ok) return snapshot;
  if (isRefused(snapshot.value)) return err({ reason: 'lockout' });
  const note = { ...written, restored: version };
  const moved = await ports.policies.write(snapshot.value, over, 'apply', note);
  return moved.ok ? ok({ version: moved.value.version }) : moved;
}
