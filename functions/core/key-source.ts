import type { Unavailable } from './ports.ts';
import { ok, type Result } from './result.ts';
import type { KeySet, TokenRefusal } from './signed-token.ts';

/**
 * Where a verifier has its public keys from, and whatever else is read along with them. `missingKeyId` asks for one fresh look when a
 * token names an unknown key, which the source may decline.
 */
export type KeySource<T extends { readonly keys: KeySet }> = {
  read(missingKeyId?: string): Promise<Result<T, Unavailable>>;
};

/**
 * Verifies with the keys at hand; where the token names an unknown key, once more after one fresh look. `found` is what was read with the
 * keys that verified it.
 */
export async function verifyWithKeys<V, T extends { readonly keys: KeySet }>(
  source: KeySource<T>,
  verify: (keys: KeySet) => Result<V, TokenRefusal>,
): Promise<Result<{ readonly token: V; readonly found: T }, TokenRefusal | Unavailable>> {
  const held = await source.read();
  if (!held.ok) return held;
  const first = verify(held.value.keys);
  if (first.ok) return ok({ token: first.value, found: held.value });
  const { missingKeyId } = first.error;
  if (missingKeyId === undefined) return first;
  const fresh = await source.read(missingKeyId);
  if (!fresh.ok) return fresh;
  const second = verify(fresh.value.keys);
  return second.ok ? ok({ token: second.value, found: fresh.value }) : second;
}
