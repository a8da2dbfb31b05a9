import { foldName, isJsonObject, type Json, type JsonObject } from './json.ts';

/** Members by their exact names, those in them likewise. */
type Spelled = ReadonlyMap<string, { readonly name: string; readonly members: Spelled }>;
type Words = { readonly [name: string]: Words };

/** The member of `_meta` in which a request of the stateless revision says its version. */
export const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** The member of `_meta` in which a request of the stateless revision says what its client can do. */
export const CAPABILITIES_META = 'io.modelcontextprotocol/clientCapabilities';

/** What of `params` is decided on, or makes a server act: in another case it is the same to a reader that folds case. */
const PARAMS = spelled({
  _meta: { [VERSION_META]: {} },
  name: {},
  uri: {},
  taskId: {},
  arguments: {},
  ref: { type: {}, name: {}, uri: {} },
  notifications: { resourceSubscriptions: {} },
  inputResponses: {},
  requestState: {},
});

/**
 * Does every reader find the same in `params`, as far as the protocol gives it a meaning? Not where one of its members stands in another
 * case, nor where `__proto__` stands beside them, which some readers merge into the object that holds it. Arguments are data: they are
 * looked into by nobody.
 */
export function hasOneReading(params: Json | undefined): boolean {
  return isSpelledAs(params, PARAMS);
}

/** What stands under a name, in any case: some readers fold the case of members. */
export function membersLike(object: JsonObject, name: string): readonly Json[] {
  const folded = foldName(name);
  return [...object].flatMap(([member, value]) => (foldName(member) === folded ? [value] : []));
}

/**
 * An object in which every reader finds the same under these names, and nothing else: without the members that some take for one of them, by
 * another case or as what stands in for members that are missing. The same object where it has none.
 */
export function inOneSpelling(object: JsonObject, names: readonly string[]): JsonObject {
  const folded = new Set(names.map(foldName));
  const isOther = (name: string) =>
    name === '__proto__' || (folded.has(foldName(name)) && !names.includes(name));
  const kept = [...object].filter(([name]) => !isOther(name));
  return kept.length === object.size ? object : new Map(kept);
}

function isSpelledAs(object: Json | undefined, words: Spelled): boolean {
  if (!isJsonObject(object)) return true;
  for (const [name, value] of object) {
    const word = words.get(foldName(name));
    if (name === '__proto__' || (word !== undefined && word.name !== name)) return false;
    if (word !== undefined && word.members.size > 0 && !isSpelledAs(value, word.members)) return false;
  }
  return true;
}

function spelled(words: Words): Spelled {
  return new Map(
    Object.entries(words).map(([name, members]) => [foldName(name), { name, members: spelled(members) }]),
  );
}
