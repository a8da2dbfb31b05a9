import type { Invocation } from '../../core/invocation.ts';
import { connectPath, loginUrl } from '../../core/own-page.ts';
import { sendOn } from '../login/answer.ts';
import { connectionsPage } from '../pages/connections-page.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { endConnecting, readSignedIn } from './situation.ts';

/** `GET /connect`: the providers of the signed-in user's organisation, and which of them are connected. It changes nothing. */
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
  const { policy, held, owner } = read.value;
  const providers = policy.providersOf(owner.orgId);
  const connections = await ports.connections.list(owner, providers);
  if (!connections.ok) return endConnecting(ports, invocation, 'unavailable');
  return connectionsPage({
    user: held.session.displayName,
    gateway: new URL(invocation.origin).host,
    providers: providers.map(({ name, displayName }) => ({
      displayName,
      page: connectPath(name),
      connection: connections.value.find(({ provider }) => provider === name),
    })),
  });
}
