import { openClassOf } from './client-id.ts';
import { type IdentityProvider, subjectOf } from './identity-provider.ts';
import type { ClientEntry, Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';

/** Why a party of a token may take part in nothing any more. */
export type PartyRefusal = {
  readonly reason:
    | 'unknown_client'
    | 'client_disabled'
    | 'org_mismatch'
    | 'org_suspended'
    | 'identity_provider_gone';
};

/** The clients that a token depends on. */
export type Parties = {
  /** The one that the token was issued to. */
  readonly client: ClientEntry;
  /** The one that it is about; undefined for a token about a user. */
  readonly agent: ClientEntry | undefined;
  /** Those that it was delegated through, by whomever it is about. */
  readonly between: readonly ClientEntry[];
};

/**
 * The clients behind a token, as the running policy has them. In this order: the client that it was issued to, those that it was
 * delegated through, and the one that it is about where that is no user. Each belongs to the token's organisation, is
 * registered or of a class that is still admitted, and is not disabled; the organisation is not suspended. Of a user
 * in any of these places, the identity provider is still one of the organisation's, for logins or for tokens.
 */
export function findParties(
  policy: Policy,
  claims: {
    readonly clientId: string;
    readonly orgId: string;
    readonly subject: string;
    readonly actors?: readonly string[];
  },
): Result<Parties, PartyRefusal> {
  const { clientId, orgId, subject, actors = [] } = claims;
  const client = findLiveClient(policy, clientId, orgId);
  if (!client.ok) return client;
  const between: ClientEntry[] = [];
  for (const actor of actors) {
    const before = findLiveParty(policy, actor, orgId);
    if (!before.ok) return before;
    if (before.value !== undefined) between.push(before.value);
  }
  const agent = findLiveParty(policy, subject, orgId);
  return agent.ok ? ok({ client: client.value, agent: agent.value, between }) : agent;
}

/** The client that this is; undefined for a user whom a provider of this organisation vouches for. */
function findLiveParty(
  policy: Policy,
  subject: string,
  orgId: string,
): Result<ClientEntry | undefined, PartyRefusal> {
  if (!isUser(subject)) return findLiveClient(policy, subject, orgId);
  return isVouchedFor(policy.vouchers, subject, orgId)
    ? ok(undefined)
    : err({ reason: 'identity_provider_gone' });
}

/** A client that may take part: of this organisation, known, not disabled, its organisation not suspended. */
export function findLiveClient(
  policy: Policy,
  clientId: string,
  orgId: string,
): Result<ClientEntry, PartyRefusal> {
  const registeredOrg = policy.clients.get(clientId)?.org ?? orgId;
  if (registeredOrg !== orgId) return err({ reason: 'org_mismatch' });
  const client = policy.findClient(clientId, orgId);
  if (client === undefined) return err({ reason: 'unknown_client' });
  if (client.disabled) return err({ reason: 'client_disabled' });
  return policy.isSuspended(client.org) ? err({ reason: 'org_suspended' }) : ok(client);
}

/** Is this a user, and not a client? A user is `{idp}:{sub}`; no client id has a colon, but for those that are URLs. */
export function isUser(subject: string): boolean {
  return subject.includes(':') && openClassOf(subject) === undefined;
}

/** Is this user of one of these providers, and the provider of this organisation? */
export function isVouchedFor(
  providers: readonly IdentityProvider[],
  subject: string,
  orgId: string,
): boolean {
  return providers.some((idp) => idp.org === orgId && subject.startsWith(subjectOf(idp, '')));
}
