import { createHash } from 'node:crypto';
import { isFresh } from '../core/freshness.ts';
import type { VerifiedToken } from '../core/token.ts';

const MAX_REMEMBERED = 2_000;

type Remembered = {
  readonly token: VerifiedToken;
  readonly voucher: object;
  readonly keptAtSeconds: number;
  readonly keepSeconds: number;
};

/**
 * Tokens that were verified, by a digest of the whole token, so that each is verified once and not at every request. `voucher` is what
 * stood for it: the key set, or the IdP's entry. Bounded; expiry, revocation and everything about its client are looked at every time.
 */
export class TokenMemory {
  readonly #remembered = new Map<string, Remembered>();

  /** Undefined where it is not known, or its voucher does not hold any more. One that has expired is still found. */
  find(
    compact: string,
    origin: string,
    holds: (voucher: object) => boolean,
    nowSeconds: number,
  ): VerifiedToken | undefined {
    const known = this.#remembered.get(digestOf(compact, origin));
    if (known === undefined || !isFresh(known.keptAtSeconds, known.keepSeconds, nowSeconds)) return undefined;
    return holds(known.voucher) ? known.token : undefined;
  }

  keep(compact: string, origin: string, remembered: Remembered): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(digestOf(compact, origin), remembered);
  }
}

function digestOf(compact: string, origin: string): string {
  return createHash('sha256').update(origin).update('\n').update(compact).digest('base64');
}
