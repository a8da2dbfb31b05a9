import { err, ok, type Result } from '../result.ts';
import { type InvalidArgument, refuse } from './input.ts';

/** The versions of a document that a write may replace; `*` is any that there is. */
export type Precondition = ReadonlySet<number> | '*';

/** The document is not (or no longer) of a version that the caller means to replace. */
export type VersionConflict = { readonly reason: 'version_conflict' };

const MAX_TAGS = 20;

/** The entity tag of a version (RFC 9110 §8.8.3). It is strong: a version has one content. */
export function toEntityTag(version: number): string {
  return `"${version}"`;
}

/**
 * Parses `If-Match` (RFC 9110 §13.1.1): `*`, or entity tags. One that is weak, or none of ours, matches no version; what is no list of
 * entity tags is refused. Absent is `*`.
 */
export function parseIfMatch(header: string | undefined): Result<Precondition, InvalidArgument> {
  if (header === undefined || header.trim() === '*') return ok('*');
  const tags = header.split(',').map((tag) => tag.trim());
  const isList = tags.length <= MAX_TAGS && tags.every((tag) => /^(?:W\/)?"[!#-~]{0,64}"$/.test(tag));
  if (!isList) return refuse('If-Match', 'must be `*` or entity tags such as `"3"`');
  return ok(new Set(tags.flatMap(toVersions)));
}

/** Does `If-None-Match` (RFC 9110 §13.1.2, weak comparison) name this version? Then the caller has it already. */
export function hasVersion(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch
    .split(',')
    .slice(0, MAX_TAGS)
    .some((tag) => toVersions(tag.trim().replace(/^W\//, '')).includes(version));
}

/** Refuses a write on a version that it is not meant for. */
export function checkVersion(precondition: Precondition, version: number): Result<void, VersionConflict> {
  if (precondition === '*' || precondition.has(version)) return ok(undefined);
  return err({ reason: 'version_conflict' });
}

function toVersions(tag: string): readonly number[] {
  const digits = /^"([1-9][0-9]{0,14})"$/.exec(tag)?.[1];
  return digits === undefined ? [] : [Number(digits)];
}
