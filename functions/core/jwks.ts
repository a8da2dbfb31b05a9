import { stringList } from './compact-jws.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ForeignKey } from './ports.ts';

/** What is kept of a key: the members that are public and that a verifier looks at (RFC 7517 §4, RFC 7518 §6). */
const KEPT_MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e'] as const;
/** Who publishes one of these has published a private or a shared key: anybody can sign with it. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const MAX_KEYS = 100;

/** Does a member of this name make a JWK a private or a shared key? */
export function isPrivateMember(name: string): boolean {
  return PRIVATE_MEMBERS.some((known) => known === name);
}

/**
 * The keys of a JWK set (RFC 7517 §5) that may verify a signature. Keys for something else, of another type, mistyped or private ones are
 * passed over, as the RFC asks; undefined where the value is no set, or one of more than 100 keys. Does NOT look at the key itself.
 */
export function readJwks(value: Json): readonly ForeignKey[] | undefined {
  const keys = isJsonObject(value) ? value.get('keys') : undefined;
  if (!isJsonArray(keys) || keys.length > MAX_KEYS) return undefined;
  return keys.flatMap((key) => {
    const kept = isJsonObject(key) ? readKey(key) : undefined;
    return kept === undefined ? [] : [kept];
  });
}

function readKey(key: JsonObject): ForeignKey | undefined {
  if ([...key.keys()].some(isPrivateMember)) return undefined;
  const kept: Record<string, string> = {};
  for (const name of KEPT_MEMBERS) {
    const value = key.get(name);
    if (value === undefined) continue;
    if (typeof value !== 'string') return undefined;
    kept[name] = value;
  }
  const isForVerifying = !key.has('key_ops') || stringList(key.get('key_ops'))?.includes('verify') === true;
  const isForSignatures = kept['use'] === undefined || kept['use'] === 'sig';
  const isOfKnownType = kept['kty'] === 'RSA' || kept['kty'] === 'EC';
  return isForVerifying && isForSignatures && isOfKnownType ? kept : undefined;
}
