import type { RulebookStore } from '../core/ports.ts';
import { ok } from '../core/result.ts';
import { KeySet, type PublicKey } from '../core/signed-token.ts';
import type { IssuerKeys } from './discovery.ts';

/**
 * The rulebook as the issuer reads it: the running policy, and its own keys as it has published them. Others learn of a new key with the
 * next look at what is published; the issuer must not take its own token for unknown until then.
 */
export function withPublishedKeys(rulebook: RulebookStore, keys: IssuerKeys): RulebookStore {
  let held: { readonly published: readonly PublicKey[]; readonly keySet: KeySet } | undefined;
  return {
    async read(missingKeyId) {
      const published = await keys.publish(missingKeyId);
      if (!published.ok) return published;
      if (held?.published !== published.value) {
        held = { published: published.value, keySet: new KeySet(published.value) };
      }
      const { keySet } = held;
      const book = await rulebook.read(missingKeyId);
      return book.ok ? ok({ policy: book.value.policy, keys: keySet }) : book;
    },
  };
}
