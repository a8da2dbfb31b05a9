import { isJsonObject, type Json } from './json.ts';

/** A token is delegated this often at most; more is a loop, or nobody's intention. */
export const MAX_ACTORS = 4;

const MAX_IDENTIFIER_CHARACTERS = 255;

/**
 * Who acts, from an `act` claim (RFC 8693 §4.1): the present actor first, then those before it; nobody where there is no claim. Undefined
 * where one of them has no `sub`, or there are more than {@link MAX_ACTORS}.
 */
export function fromActClaim(claim: Json | undefined): readonly string[] | undefined {
  const actors: string[] = [];
  for (let act = claim; act !== undefined; ) {
    const subject: Json | undefined = isJsonObject(act) ? act.get('sub') : undefined;
    if (typeof subject !== 'string' || subject === '' || subject.length > MAX_IDENTIFIER_CHARACTERS) {
      return undefined;
    }
    actors.push(subject);
    if (actors.length > MAX_ACTORS) return undefined;
    act = isJsonObject(act) ? act.get('act') : undefined;
  }
  return actors;
}

/** The `act` claim of these actors, the present one first; undefined for nobody. */
export function toActClaim(actors: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const [actor, ...before] = actors;
  if (actor === undefined) return undefined;
  const act = toActClaim(before);
  return act === undefined ? { sub: actor } : { sub: actor, act };
}
