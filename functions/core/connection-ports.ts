import type { Unavailable } from './ports.ts';
import type { Result } from './result.ts';

/** What a data key is bound to: it is given out again for the very same context and no other. */
export type DataKeyContext = Readonly<Record<string, string>>;

/** A data key, and the form in which it may be stored. */
export type DataKey = { readonly plaintext: Uint8Array; readonly wrapped: string };

/** This was not wrapped for this context, or not by our key. */
export type NotWrapped = { readonly reason: 'not_wrapped'; readonly detail: string };

/** Keys of 256 bits that are stored wrapped by a key that never leaves its store. */
export type DataKeys = {
  /** Another one at every call. */
  generate(context: DataKeyContext): Promise<Result<DataKey, Unavailable>>;
  unwrap(wrapped: string, context: DataKeyContext): Promise<Result<Uint8Array, Unavailable | NotWrapped>>;
};
