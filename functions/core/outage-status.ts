import { type Json, member, stringMember } from './json.ts';

/** Does a status say that it may go better in a moment, whatever comes with it? Else a 4xx is what the other side means (RFC 9110 §15.5.9, RFC 6585 §4). */
export function isOutageStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** As GitHub and Google word it. */
const LIMIT = /\b(?:rate|daily) limit\b|\bquota exceeded\b/i;

/**
 * Is a 403 about how often somebody has asked, and not about what? By the headers or the words of GitHub
 * (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api), or Google's words
 * (https://developers.google.com/workspace/drive/api/guides/handle-errors). Header names are lower case.
 */
export function isRateLimit(status: number, headers: ReadonlyMap<string, string>, body: Json): boolean {
  if (status !== 403) return false;
  const message = stringMember(body, 'message') ?? stringMember(member(body, 'error'), 'message') ?? '';
  return headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after') || LIMIT.test(message);
}
