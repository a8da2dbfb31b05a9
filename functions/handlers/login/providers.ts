import type { IdentityProvider } from '../../core/identity-provider.ts';
import { NO_ORG } from '../../core/open-client.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';

/** Where users of a client may log in: at the providers of its organisation; through an open client, at any. */
export function providersFor(policy: Policy, client: ClientEntry): readonly IdentityProvider[] {
  if (client.org !== NO_ORG) return policy.idpsOf(client.org);
  return [...policy.idps.values()].filter(
    ({ org }) => policy.clientIn(client, org) && !policy.isSuspended(org),
  );
}

/** One of {@link providersFor} by its name. */
export function providerFor(policy: Policy, client: ClientEntry, name: string): IdentityProvider | undefined {
  return providersFor(policy, client).find((provider) => provider.name === name);
}
