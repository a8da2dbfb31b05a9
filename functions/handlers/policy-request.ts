import { err, ok, type Result } from '../core/result.ts';

/** What a request to plan is about: a configuration, or an earlier version. */
export type PlannedContent =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: 'version'; readonly version: number };

/** Reads `{"files": {"scopes.yml": "…"}}`; undefined where it is anything else. */
export function readFiles(value: unknown): ReadonlyMap<string, string> | undefined {
  const files = typeof value === 'object' && value !== null && 'files' in value ? value.files : undefined;
  if (typeof files !== 'object' || files === null || Array.isArray(files)) return undefined;
  const entries = Object.entries(files).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === Object.keys(files).length ? new Map(entries) : undefined;
}

/** Reads `{"version": 12}`; undefined where it is anything else. */
export function readVersionNumber(value: unknown): number | undefined {
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  return typeof version === 'number' && Number.isSafeInteger(version) && version > 0 ? version : undefined;
}

/** Reads `{…, "allow_lockout": true}`: the sender means to give the policy into other hands. */
export function readAllowLockout(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'allow_lockout' in value && value.allow_lockout === true
  );
}

/** Reads either. */
export function readPlanned(value: unknown): PlannedContent | undefined {
  const files = readFiles(value);
  if (files !== undefined) return { kind: 'files', files };
  const version = readVersionNumber(value);
  return version === undefined ? undefined : { kind: 'version', version };
}

/**
 * The version that a change is meant to follow: `If-Match: "12"`, the ETag of the policy (RFC 9110 §13.1.1). Undefined where the header is
 * absent or `*`: whichever runs.
 */
export function readIfMatch(headers: Headers): Result<number | undefined, 'if_match'> {
  const value = headers.get('if-match');
  if (value === null || value === '*') return ok(undefined);
  const version = /^"([1-9][0-9]{0,14})"$/.exec(value)?.[1];
  return version === undefined ? err('if_match') : ok(Number(version));
}

/** The ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}
