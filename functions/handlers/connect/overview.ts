import type { Invocation } from '../../core/invocation.ts';
import { connectPath, loginUrl } from '../../core/own-page.ts';
import { sendOn } from '../login/answer.ts';
import { connectionsPage } from '../pages/connections-page.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { endConnecting, readSignedIn } from './situation.ts';

/**
 * `GET /connect`: the providers of the signed-in user's organisation, and which of them are connected; what is connected at others that are
 * gone by now, too. To a user without rights nothing but what is connected is there. It changes nothing.
 */
export async function overview(
  ports: ConnectPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const read = await readSignedIn(ports, request);
  if (!read.ok) {
    return read.error === 'signed_out'
      ? sendOn(loginUrl(invocation.origin, connectPath()))
      : endConnecting(ports, invocation, read.error);
  }
  const { policy, held, owner, hasRights } = read.value;
  const providers = policy.providersOf(owner.orgId);
  const connections = await ports.connections.list(owner, providers);
  if (!connections.ok) return endConnecting(ports, invocation, 'unavailable');
  const there = providers.map(({ name, displayName }) => ({ name, displayName, isUsable: hasRights }));
  const gone = connections.value
    .filter(({ provider }) => !providers.some(({ name }) => name === provider))
    .map(({ provider: name }) => ({ name, displayName: name, isUsable: false }));
  const shown = [...there, ...gone]
    .map(({ name, ...rest }) => ({
      ...rest,
      page: connectPath(name),
      connection: connections.value.find(({ provider }) => provider === name),
    }))
    .filter(({ isUsable, connection }) => isUsable || connection !== undefined);
  if (!hasRights && shown.length === 0) return endConnecting(ports, invocation, 'no_rights');
  return connectionsPage({
    user: held.session.displayName,
    gateway: new URL(invocation.origin).host,
    providers: shown,
  });
}
