import { stringList } from './compact-jws.ts';
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
  for (let act: Json | undefined = claim; act !== undefined; ) {
    if (!isJsonObject(act)) return undefined;
    const subject: Json | undefined = act.get('sub');
    if (typeof subject !== 'string' || subject === '' || subject.length > MAX_IDENTIFIER_CHARACTERS) {
      return undefined;
    }
    actors.push(subject);
    if (actors.length > MAX_ACTORS) return undefined;
    act = act.get('act');
  }
  return actors;
}

/**
 * The `jti` of each token by which somebody came to act, from the claim `act_jti`, which is ours; none where there is no claim, undefined
 * where it is anything else. What revokes one of these tokens revokes the token that names it.
 */
export function fromActorTokensClaim(claim: Json | undefined): readonly string[] | undefined {
  if (claim === undefined) return [];
  const ids = stringList(claim);
  const isWellFormed = ids?.every((id) => id !== '' && id.length <= MAX_IDENTIFIER_CHARACTERS);
  return isWellFormed === true && ids !== undefined && ids.length <= MAX_ACTORS ? ids : undefined;
}

/** The `act` claim of these actors, the present one first; undefined for nobody. */
export function toActClaim(actors: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const [actor, ...before] = actors;
  if (actor === undefined) return undefined;
  const act = toActClaim(before);
  return act === undefined ? { sub: actor } : { sub: actor, act };
}
