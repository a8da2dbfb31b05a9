/** How old the policy and the public keys may be that a function decides by (contract §13). */
export const STALE_AFTER_SECONDS = 15;

/** How long others may keep the published keys: `max-age` of the JWKS. */
export const JWKS_MAX_AGE_SECONDS = 300;
