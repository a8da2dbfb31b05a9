import { compileConfiguration } from '../core/configuration.ts';
import type { PolicySource, PolicyStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ConfigurationProblem } from '../core/yaml-reader.ts';

/** A policy that is running now, and what its author should look at. */
export type Applied = { readonly version: number; readonly warnings: readonly ConfigurationProblem[] };

/** Why nothing was applied; the running policy stays. */
export type ApplyFailure =
  | { readonly reason: 'invalid'; readonly problems: readonly ConfigurationProblem[] }
  | { readonly reason: 'conflict' }
  | Unavailable;

/**
 * Compiles and writes a configuration. All or nothing: with one problem in one file nothing changes. A deploy leaves a policy alone that
 * was applied since the last deploy. Does NOT authorise; that is the caller's part.
 */
export async function applyConfiguration(
  store: PolicyStore,
  files: ReadonlyMap<string, string>,
  source: PolicySource,
): Promise<Result<Applied, ApplyFailure>> {
  const compiled = compileConfiguration(files);
  if (!compiled.ok) return err({ reason: 'invalid', problems: compiled.error });
  const { snapshot, warnings } = compiled.value;
  const previous = await store.readPointer();
  if (!previous.ok) return previous;
  if (source === 'deploy' && previous.value?.source === 'apply') {
    return ok({ version: previous.value.version, warnings });
  }
  const written = await store.write(snapshot, previous.value, source);
  return written.ok ? ok({ version: written.value.version, warnings }) : written;
}

/** Reads `{"files": {"scopes.yml": "…"}}`; undefined where it is anything else. */
export function readFiles(value: unknown): ReadonlyMap<string, string> | undefined {
  const files = typeof value === 'object' && value !== null && 'files' in value ? value.files : undefined;
  if (typeof files !== 'object' || files === null || Array.isArray(files)) return undefined;
  const entries = Object.entries(files).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === Object.keys(files).length ? new Map(entries) : undefined;
}
