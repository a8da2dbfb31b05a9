/** How old the policy and the public keys may be that a function decides by (contract §13). */
export const STALE_AFTER_SECONDS = 15;

/**
 * Is what was seen then still no older than this? What seems to have been seen in the future was seen before the clock was set back: nobody
 * knows how old it is, so it is not.
 */
export function isFresh(seenAtSeconds: number, maxAgeSeconds: number, nowSeconds: number): boolean {
  const ageSeconds = nowSeconds - seenAtSeconds;
  return ageSeconds >= 0 && ageSeconds < maxAgeSeconds;
}

/** How long others may keep the published keys: `max-age` of the JWKS. */
export const JWKS_MAX_AGE_SECONDS = 300;
