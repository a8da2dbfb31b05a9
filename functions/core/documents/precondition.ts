import { err, ok, type Result } from '../result.ts';
import { type Document, sha256, toWireDocument } from './document.ts';
import { type InvalidArgument, refuse } from './input.ts';

/** The versions of a document that a write may replace, or what their entity tags say; `*` is any that there is. */
export type Precondition = ReadonlySet<number | string> | '*';

/** The document is not (or no longer) of a version that the caller means to replace. */
export type VersionConflict = { readonly reason: 'version_conflict' };

const MAX_TAGS = 20;

/** An entity tag (RFC 9110 §8.8.3); a comma may be part of one. */
const TAG = /(?:W\/)?"[!#-~]{0,64}"/;

/** Of a digest, so much that nobody finds a second document for it. */
const DIGEST_DIGITS = 32;

/**
 * The entity tag of a document (RFC 9110 §8.8.3): its version, and a digest of all that callers see of it. It is strong: an id that was deleted
 * and comes again, by an import, may come with the version that it had and with other content.
 */
export function toEntityTag(document: Document): string {
  return `"${toOpaqueTag(document)}"`;
}

/**
 * What a write is conditional on: `If-Match` (RFC 9110 §13.1.1), `*` or entity tags. A tag may be the version alone, for who knows no more. One that
 * is weak, or none of ours, matches nothing; what is no list of entity tags is refused. Absent is `*`. `If-None-Match` is refused: a write is of
 * what is there.
 */
export function parsePrecondition(header: {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}): Result<Precondition, InvalidArgument> {
  if (header.ifNoneMatch !== undefined) {
    return refuse('If-None-Match', 'is not for what writes; name in If-Match what may be replaced');
  }
  const { ifMatch } = header;
  if (ifMatch === undefined || ifMatch.trim() === '*') return ok('*');
  const tags = readTags(ifMatch);
  if (tags === undefined) return refuse('If-Match', 'must be `*` or entity tags such as `"3"`');
  return ok(new Set(tags.flatMap(toExpected)));
}

/**
 * Does `If-None-Match` (RFC 9110 §13.1.2, weak comparison) name this document as it is? Then the caller has it already. A version alone does
 * not: see {@link toEntityTag}.
 */
export function isKnown(ifNoneMatch: string | undefined, document: Document): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const own = toEntityTag(document);
  return readTags(ifNoneMatch)?.some((tag) => tag.replace(/^W\//, '') === own) ?? false;
}

/** The entity tags of a list, of which members may be empty (RFC 9110 §5.6.1); undefined for what is none, or a list without any. */
function readTags(list: string): readonly string[] | undefined {
  const tags = list.match(new RegExp(TAG, 'g')) ?? [];
  const between = list.split(TAG);
  const isApart = between.every(
    (separator, index) =>
      /^[ \t,]*$/.test(separator) && (index === 0 || index === tags.length || separator.includes(',')),
  );
  return isApart && tags.length > 0 && tags.length <= MAX_TAGS ? tags : undefined;
}

/** Refuses a write on a document that is not as it is meant to be. */
export function checkVersion(precondition: Precondition, document: Document): Result<void, VersionConflict> {
  const isMeant =
    precondition === '*' || precondition.has(document.version) || precondition.has(toOpaqueTag(document));
  return isMeant ? ok(undefined) : err({ reason: 'version_conflict' });
}

function toOpaqueTag(document: Document): string {
  const { metadata, ...rest } = toWireDocument(document, '');
  // A table may tell the pairs in another order than they came in.
  const pairs = Object.keys(metadata)
    .toSorted()
    .map((name) => [name, metadata[name]]);
  const digest = sha256(JSON.stringify([rest, pairs])).slice(0, DIGEST_DIGITS);
  return `${document.version}-${digest}`;
}

function toExpected(tag: string): readonly (number | string)[] {
  const [, version = '', digest] = /^"([1-9][0-9]{0,14})(-[0-9a-f]+)?"$/.exec(tag) ?? [];
  if (version === '') return [];
  return [digest === undefined ? Number(version) : `${version}${digest}`];
}
