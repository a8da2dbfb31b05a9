/**
 * Tokens descend from each other: a login begins a line, the tokens that are issued for it descend from it, and a token that is narrowed or
 * exchanged from one of them descends from that. The `jti` says so: it is the `jti` of what it descends from, a dot, and an id of its own.
 * What is revoked takes everything with it that descends from it, and nothing else.
 */

/** More than a delegation may be deep. A `jti` with more parts is none of ours, and is a line of its own. */
const MAX_PARTS = 8;
/** An id of ours is a UUID: each part of a `jti` of ours is at most this long. */
export const MAX_ID_LENGTH = 36;
/** What the token layer takes for an identifier (RFC 7519 sets no bound; keys of storage are bounded). */
const MAX_JTI_LENGTH = 255;

/** The `jti` of a token that descends from another, or from a login; undefined where the line would become too long. `id` has no dot. */
export function descendantOf(ancestor: string, id: string): string | undefined {
  const jti = `${ancestor}.${id}`;
  return jti.length <= MAX_JTI_LENGTH && jti.split('.').length <= MAX_PARTS ? jti : undefined;
}

/** May a token descend from this one, whatever id it is given? */
export function hasRoomBelow(jti: string): boolean {
  return descendantOf(jti, 'x'.repeat(MAX_ID_LENGTH)) !== undefined;
}

/** The ids by which a token can be revoked: its login's or first ancestor's, those between, and its own. */
export function lineOf(jti: string): readonly string[] {
  const parts = jti.split('.');
  return parts.length > MAX_PARTS ? [jti] : parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
