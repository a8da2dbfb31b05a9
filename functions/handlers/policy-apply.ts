import { compileConfiguration } from '../core/configuration/compile.ts';
import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicySource, PolicyStore, PolicyWriting, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** A policy that is running now, and what its author should look at. */
export type Applied = { readonly version: number; readonly warnings: readonly ConfigurationProblem[] };

/** Why nothing was applied; the running policy stays. */
export type ApplyFailure =
  | { readonly reason: 'invalid'; readonly problems: readonly ConfigurationProblem[] }
  | { readonly reason: 'conflict' }
  | { readonly reason: 'newer_apply'; readonly version: number }
  | { readonly reason: 'lockout' }
  | Unavailable;

/**
 * Compiles and writes a configuration. All or nothing: with one problem in one file nothing changes. `over` is the pointer that the
 * caller has judged; without it, the running one. `written` is what the version's history says of it. Does NOT authorise; that is the
 * caller's part; what `isRefused` says of the compiled policy is `lockout`.
 *
 * A deploy whose content is that of the last deploy changes nothing, whatever was applied since. One with other content is
 * `newer_apply` where a policy was applied since the last deploy, unless it says what is running: so an administrator either
 * brings the applied changes into the directory or applies the directory, and deploys again.
 */
export async function applyConfiguration(
  store: PolicyStore,
  files: ReadonlyMap<string, string>,
  source: PolicySource,
  {
    over,
    written,
    isRefused,
  }: {
    readonly over?: PolicyPointer;
    readonly written?: PolicyWriting;
    readonly isRefused?: (snapshot: Snapshot) => boolean;
  } = {},
): Promise<Result<Applied, ApplyFailure>> {
  const compiled = compileConfiguration(files);
  if (!compiled.ok) return err({ reason: 'invalid', problems: compiled.error });
  const { snapshot, warnings } = compiled.value;
  if (isRefused?.(snapshot) === true) return err({ reason: 'lockout' });
  const read = over === undefined ? await store.readPointer() : ok(over);
  if (!read.ok) return read;
  const previous = read.value;
  if (source === 'deploy' && previous !== undefined) {
    const contentHash = store.contentHashOf(snapshot);
    if (contentHash === previous.deployedHash) return ok({ version: previous.version, warnings });
    if (previous.source === 'apply' && contentHash !== previous.contentHash) {
      return err({ reason: 'newer_apply', version: previous.version });
    }
  }
  const moved = await store.write(snapshot, previous, source, written);
  return moved.ok ? ok({ version: moved.value.version, warnings }) : moved;
}
