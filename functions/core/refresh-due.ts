/** From how long before its end an access token is refreshed, as long as nothing has to wait for it. */
const EARLY_SECONDS = 300;
/** Below this much of its life a call waits for the refresh, also for an early one: the token could end under way. */
export const LAST_SECONDS = 60;
/** How long whoever refreshes may ask for, from the moment of the lease: a data key, our secret, the provider, and a second time where our secret is a new one. */
export const REFRESH_MS = 17_000;
/** The longest that one write to the table takes. */
export const WRITE_MS = 5_000;
/** For storing what a refresh has brought, twice at least where the store fails. */
const STORE_MS = 13_000;
/** How long a refresh may be under way before another one takes over: its holder neither asks nor stores any more then, unless it stood still. */
export const LEASE_MS = REFRESH_MS + STORE_MS;
/** After a refresh that failed, how long nobody tries again. */
export const PAUSE_MS = 5_000;
/** After one that the provider refused for no known reason: its refresh token may be dead, and is not sent all the time. */
export const DOUBT_PAUSE_MS = 60_000;
/** A token that came so short a time ago is not refreshed over a 401: the upstream, not the token, is what refuses. */
export const FORCE_AFTER_SECONDS = 30;

/** Until when the holder of a lease that ends then may ask the provider, in the same milliseconds. */
export function mayAskUntilMs(leaseUntilMs: number): number {
  return leaseUntilMs - STORE_MS;
}

/** Is there time for one more write, so that it is over before the lease is? */
export function mayStoreAgain(nowMs: number, leaseUntilMs: number): boolean {
  return nowMs + WRITE_MS <= leaseUntilMs;
}

/** What the life of an access token asks for. */
export type RefreshDue = 'no' | 'early' | 'now';

/**
 * Is a refresh due? `jitter` is from 0 to 1, another for every call, so that connections of one moment are not refreshed in one. Of a token
 * with a short life half of it is early.
 */
export function refreshDue(
  token: { readonly expiresAtSeconds: number | undefined; readonly refreshedAtSeconds: number },
  nowSeconds: number,
  jitter: number,
): RefreshDue {
  if (token.expiresAtSeconds === undefined) return 'no';
  const lifeSeconds = token.expiresAtSeconds - token.refreshedAtSeconds;
  const leftSeconds = token.expiresAtSeconds - nowSeconds;
  if (leftSeconds < Math.min(LAST_SECONDS, lifeSeconds / 4)) return 'now';
  const earlySeconds = Math.min(EARLY_SECONDS, lifeSeconds / 2);
  return leftSeconds < earlySeconds * (0.8 + 0.4 * jitter) ? 'early' : 'no';
}
