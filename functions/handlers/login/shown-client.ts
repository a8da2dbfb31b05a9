import { openClassOf } from '../../core/client-id.ts';
import { displayName as shownName } from '../../core/display-name.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import type { ShownClient } from '../pages/consent-page.ts';

/** What an open client says of itself nobody has checked; its name is vetted where an entry of the configuration gives one. */
export function shownClient(policy: Policy, { id, displayName }: ClientEntry): ShownClient {
  const host = hostOfClient(id);
  const name = shownName(displayName ?? host ?? id);
  const isNamedByEntry = policy.clients.get(id)?.displayName !== undefined;
  return { name, host, isVetted: openClassOf(id) === undefined || isNamedByEntry };
}

/** Is everything that is known of this client its own words: an open client without an entry in the configuration? */
export function isSelfDescribed(policy: Policy, clientId: string): boolean {
  return openClassOf(clientId) !== undefined && !policy.clients.has(clientId);
}

/** The host that publishes the document of a client; undefined where its id is no address. */
export function hostOfClient(clientId: string): string | undefined {
  return openClassOf(clientId) === 'document' ? new URL(clientId).host : undefined;
}
