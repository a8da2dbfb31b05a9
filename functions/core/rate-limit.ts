import { createHash } from 'node:crypto';

/** How often something may happen within one window of time. `name` keeps its counts apart from those of others. */
export type RateLimit = { readonly name: string; readonly max: number; readonly windowSeconds: number };

/** Too often; the same may be tried again then. */
export type RateLimited = { readonly reason: 'rate_limited'; readonly retryAfterSeconds: number };

/** The window of a limit that a moment lies in. `id` names its count. */
export type RateWindow = { readonly id: string; readonly endsAtSeconds: number };

/**
 * Windows follow each other without a gap and begin at multiples of their length: around their boundary twice the limit may happen in
 * the length of one. `subject` is whose count it is; only its digest is stored.
 */
export function rateWindow(limit: RateLimit, subject: readonly string[], nowSeconds: number): RateWindow {
  const index = Math.floor(nowSeconds / limit.windowSeconds);
  return {
    id: `${limit.name}.${index}.${digestOf(subject)}`,
    endsAtSeconds: (index + 1) * limit.windowSeconds,
  };
}

/** The one window of what may be used so many times and ends at a time of its own. */
export function wholeLife(subject: readonly string[], endsAtSeconds: number): RateWindow {
  return { id: `uses.${digestOf(subject)}`, endsAtSeconds };
}

function digestOf(subject: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(subject)).digest('base64url');
}
