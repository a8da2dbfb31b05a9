import type { Denial } from '../../core/denial.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { askToConnect, type LinkPorts } from '../connect/link.ts';
import type { Connections, ConnectionToken } from '../connections/connections.ts';
import type { CredentialCall } from './mode.ts';

/** The ports of modes that put on the token of a user's connection. */
export type ConnectionTokenPorts = LinkPorts & { readonly connections: Pick<Connections, 'accessToken'> };

/** Where the caller may name one of the sites of its connection. */
const CLOUD_ID = 'x-atlassian-cloud-id';

/**
 * The token of the calling user's own connection. Who is no user has none: an agent acts by its own rights, and not by those of whoever
 * set it up. A connection that is missing, broken or lacks scopes is a denial with the page on which the user connects.
 */
export async function connectionToken(
  ports: ConnectionTokenPorts,
  { caller, target, provider, origin, refused, waitUntil }: CredentialCall,
): Promise<Result<ConnectionToken, Denial>> {
  if (provider === undefined) {
    const detail = `${target.name} needs a provider that its users can connect at, and the policy has none for them`;
    return err({ reason: 'missing_credential', detail });
  }
  if (caller.kind !== 'user') {
    const detail = `${target.name} is called with a user's connection at ${provider.name}, and ${caller.clientId} is no user`;
    return err({ reason: 'missing_credential', detail });
  }
  const scopes = target.egress.scopes ?? provider.scopes;
  const owner = { orgId: caller.orgId, subject: caller.subject };
  const token = await ports.connections.accessToken(owner, provider, { scopes, refused, waitUntil });
  if (token.ok) return token;
  if (token.error.reason === 'unavailable') return err(token.error);
  const need = { provider, target: target.name, why: token.error.reason, origin };
  return err(await askToConnect(ports, caller, need));
}

/** May the call go without the token that it could not have, because nobody acts by it and its user has only not connected yet? */
export function mayGoWithout({ isPreparation = false }: CredentialCall, { reason }: Denial): boolean {
  return isPreparation && reason === 'connection_required';
}

/**
 * Names an Atlassian site to the upstream: the one that the caller names where the connection opens it, the first where it names none.
 */
export function putCloudId(
  { outgoing, target }: Pick<CredentialCall, 'outgoing' | 'target'>,
  { sitesUrl }: Pick<Provider, 'sitesUrl'>,
  { cloudIds }: ConnectionToken,
): Result<void, Denial> {
  if (sitesUrl === undefined) return ok(undefined);
  const named = outgoing.headers.get(CLOUD_ID);
  const cloudId = named === undefined ? cloudIds[0] : cloudIds.find((id) => id === named);
  if (cloudId !== undefined) {
    outgoing.headers.set(CLOUD_ID, cloudId);
    return ok(undefined);
  }
  const detail = `the connection of ${target.name} opens ${named === undefined ? 'no site' : 'other sites than the one that X-Atlassian-Cloud-Id names'}`;
  return err({ reason: 'missing_credential', detail });
}
