import { MAX_LIFETIME_SECONDS } from './grant.ts';
import type { RevocationEntry } from './ports.ts';
import { REFRESH_LIFETIME_SECONDS } from './refresh-token.ts';
import type { RevocationKind } from './revocation-request.ts';
import { lineOf } from './token-line.ts';

/** What is revoked: the party or the thing, and the organisation that it is of. */
export type RevocationTarget = { readonly kind: RevocationKind; readonly orgId: string; readonly id: string };

/** The clocks of two environments differ by less: what was signed by a fast one before the revocation has a later time. */
const SKEW_SECONDS = 1;
/** Nothing of ours is good for longer after it was last renewed: a refresh token, a run, and the last token of either. */
const LONGEST_LIFE_SECONDS = REFRESH_LIFETIME_SECONDS + MAX_LIFETIME_SECONDS + 60;

const STORED_KINDS: Readonly<Record<RevocationKind, RevocationEntry['kind']>> = {
  token: 'jti',
  family: 'family',
  run: 'run',
  client: 'client',
  user: 'subject',
  team: 'team',
  org: 'org',
  all: 'platform',
};

/**
 * The entry that ends a target. A party loses what was issued until `beforeSeconds`, or until now; a later time than now is now, so that
 * nobody is shut out of the future. A token, a login and a run end for good. Each is remembered as long as anything that it kills could live.
 */
export function planRevocation(
  { kind, orgId, id }: RevocationTarget,
  {
    nowSeconds,
    beforeSeconds = nowSeconds,
  }: { readonly nowSeconds: number; readonly beforeSeconds?: number },
): RevocationEntry {
  const forgetAtSeconds = nowSeconds + LONGEST_LIFE_SECONDS;
  const entry = { orgId, kind: storedKindOf(kind), forgetAtSeconds };
  switch (kind) {
    case 'token':
    case 'run':
      return { ...entry, id, beforeSeconds: forgetAtSeconds };
    case 'family':
      return { ...entry, id: String(lineOf(id)[0]), beforeSeconds: forgetAtSeconds };
    case 'client':
    case 'user':
    case 'team':
    case 'org':
    case 'all':
      return { ...entry, id, beforeSeconds: Math.min(beforeSeconds, nowSeconds) + SKEW_SECONDS };
  }
}

/** The kind of a target's entry. */
export function storedKindOf(kind: RevocationKind): RevocationEntry['kind'] {
  return STORED_KINDS[kind];
}

/** The name of a stored kind outside. */
export function revocationKindOf(stored: RevocationEntry['kind']): RevocationKind {
  switch (stored) {
    case 'jti':
      return 'token';
    case 'subject':
      return 'user';
    case 'platform':
      return 'all';
    case 'family':
    case 'run':
    case 'client':
    case 'team':
    case 'org':
      return stored;
  }
}

/** What an entry ends, in words for the administrator, and what it does not. One sentence each. */
export function describeRevocation(entry: RevocationEntry): readonly string[] {
  const { kind, id, orgId, beforeSeconds } = entry;
  const until = `issued until ${new Date(beforeSeconds * 1000).toISOString().replace('.000Z', 'Z')}`;
  const logins = `logins, their codes and refresh tokens, and browser sessions`;
  switch (kind) {
    case 'jti':
      return [
        `ends the token ${id} of ${orgId}, and every token that was narrowed or exchanged from it`,
        'does not end the login that it may have come from, nor other tokens of its client',
      ];
    case 'family':
      return [
        `ends the login ${id} of ${orgId}: its code, its refresh token, and every token that came of it`,
        'does not end the browser session: the same user may be logged in again without a password',
      ];
    case 'run':
      return [`ends the run ${id} of ${orgId} and its tokens; it gives no more of them`];
    case 'client':
      return [
        `ends every token of the client ${id} of ${orgId}, and every token delegated through it, ${until}`,
        `ends its ${logins} for it, and its runs, begun until then`,
        'does not keep it out: it gets new tokens; `disabled: true` in clients.yml does',
      ];
    case 'subject':
      return [
        `ends every token of the user ${id} of ${orgId}, and every token in which this user acts for another, ${until}`,
        `ends the user's ${logins}, begun until then`,
        'does not keep the user out: the identity provider does',
      ];
    case 'team':
      return [
        `ends every token of those who are in the team ${id} of ${orgId}, and every token that speaks for it, ${until}`,
        `ends their ${logins}, and their runs, begun until then`,
        'does not end what a `platform_admin` has who is in the team by that role alone; `revoke user` does',
        'does not keep them out: `members` and `groups` in orgs.yml do',
      ];
    case 'org':
      return [
        `ends every token of the organisation ${orgId}, ${until}, your own too if it is yours`,
        `ends all its ${logins}, and runs, begun until then`,
        'does not keep it out: `suspended: true` in orgs.yml does',
      ];
    case 'platform':
      return [
        `ends every token of every organisation, ${until}, your own too`,
        `ends all ${logins}, and runs, begun until then`,
      ];
  }
}
