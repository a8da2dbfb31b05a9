import { openClassOf } from '../../core/client-id.ts';
import { displayName as shownName } from '../../core/display-name.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import type { ShownClient } from '../pages/consent-page.ts';

/** What an open client says of itself nobody has checked, unless an entry of the configuration is about it. */
export function shownClient(policy: Policy, { id, displayName }: ClientEntry): ShownClient {
  const host = hostOfClient(id);
  const name = shownName(displayName ?? host ?? id);
  return { name, host, isVetted: !isSelfDescribed(policy, id) };
}

/** Is everything that is known of this client its own words: an open client without an entry in the configuration? */
export function isSelfDescribed(policy: Policy, clientId: string): boolean {
  return openClassOf(clientId) !== undefined && !policy.clients.has(clientId);
}

/** The host that publishes the document of a client; undefined where its id is no address. */
export function hostOfClient(clientId: string): string | undefined {
  return openClassOf(clientId) === 'document' ? new URL(clientId).host : undefined;
}
