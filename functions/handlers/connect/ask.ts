import type { ConnectLink } from '../../core/connect-link.ts';
import { wantedScopes } from '../../core/connect-scopes.ts';
import { writeConnectTicket } from '../../core/connect-ticket.ts';
import type { Invocation } from '../../core/invocation.ts';
import { digestOfScopes, LOGIN_SECONDS } from '../../core/login-ticket.ts';
import { connectPath, loginUrl, readOwnPage } from '../../core/own-page.ts';
import { sendOn } from '../login/answer.ts';
import { markBrowser } from '../login/browser.ts';
import { shownClient } from '../login/shown-client.ts';
import { sealTicket } from '../login/tickets.ts';
import { recordDecision } from '../oauth-answer.ts';
import { type ConnectQuestion, connectPage } from '../pages/connect-page.ts';
import { connectedPage } from '../pages/connected-page.ts';
import { endingPage } from '../pages/ending-page.ts';
import { formTargets } from '../pages/form-targets.ts';
import { somebodyElsePage } from '../pages/somebody-else-page.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { openLink } from './link.ts';
import { endConnecting, mayConnect, readSituation, type Situation, shownName } from './situation.ts';

/**
 * `GET /connect/{provider}`: what the signed-in user would connect, for which server and on whose behalf, or what is connected. Who is not
 * signed in is asked to. It changes nothing and leads nowhere by itself: any page can lead a browser here. A link that was made for another
 * user than the one who is signed in is never answered by a question, so that nobody connects an account for somebody else. Who may not
 * connect, or not there any more, may end what is connected.
 */
export async function ask(
  ports: ConnectPorts,
  request: Request,
  providerName: string,
  invocation: Invocation,
): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const page = readOwnPage(pathname + search);
  if (page === undefined) return endConnecting(ports, invocation, 'bad_link');
  const read = await readSituation(ports, request, providerName);
  if (!read.ok) {
    return read.error === 'signed_out'
      ? sendOn(loginUrl(invocation.origin, page.path))
      : endConnecting(ports, invocation, read.error);
  }
  const situation = read.value;
  if (page.link === undefined) return show(ports, request, invocation, situation, undefined);
  const link = await openLink(ports, providerName, page.link);
  if (!link.ok) return endConnecting(ports, invocation, 'unavailable', situation.about);
  if (link.value === undefined) return endConnecting(ports, invocation, 'bad_link', situation.about);
  const { orgId, subject } = link.value;
  if (orgId === situation.owner.orgId && subject === situation.owner.subject) {
    return show(ports, request, invocation, situation, link.value);
  }
  const reason = 'somebody_else';
  await recordDecision(ports, invocation, {
    area: 'connection',
    decision: 'deny',
    reason,
    ...situation.about,
  });
  const { displayName } = situation.held.session;
  return somebodyElsePage({
    displayName,
    loginUrl: loginUrl('', page.path),
    requestId: invocation.requestId,
  });
}

/** What is asked for of whom nothing is. */
const NOTHING = { asked: [], missing: [] } as const;

async function show(
  ports: ConnectPorts,
  request: Request,
  invocation: Invocation,
  situation: Situation,
  link: ConnectLink | undefined,
): Promise<Response> {
  const { policy, held, owner, about } = situation;
  const found = await ports.connections.find(owner, situation.provider);
  const isUnreadable = !found.ok && found.error.isUnreadable === true;
  if (!found.ok && !isUnreadable) return endConnecting(ports, invocation, 'unavailable', about);
  const connection = found.ok ? found.value : undefined;
  const connecting = mayConnect(situation);
  if (!connecting.ok && found.ok && connection === undefined) {
    return endConnecting(ports, invocation, connecting.error, about);
  }
  const { asked, missing } = connecting.ok
    ? wantedScopes(policy, connecting.value.provider, owner.orgId, link?.target, connection)
    : NOTHING;
  const browser = markBrowser(ports, request);
  const text = writeConnectTicket({
    ...owner,
    session: held.id,
    target: link?.target,
    clientId: link?.clientId,
    shown: digestOfScopes(asked),
    secret: Buffer.from(ports.randomBytes(32)).toString('base64url'),
    expiresAtSeconds: Math.floor(ports.now() / 1000) + LOGIN_SECONDS,
  });
  const place = { kind: 'connect', provider: situation.provider.name } as const;
  const ticket = await sealTicket(ports, place, browser.id, text);
  if (ticket === undefined) return endConnecting(ports, invocation, 'unavailable', about);
  const action = connectPath(situation.provider.name);
  if (!connecting.ok || isUnreadable) {
    const gone = 'isGone' in situation.provider ? 'unknown_provider' : undefined;
    const why = connecting.ok ? 'unreadable' : (gone ?? connecting.error);
    return endingPage({ displayName: shownName(situation.provider), action, ticket }, why, browser.cookies);
  }
  const { provider } = connecting.value;
  const targets = formTargets([provider.authUrl, provider.redirectUri ?? invocation.origin]);
  const { displayName, idp } = held.session;
  const client = link === undefined ? undefined : policy.findClient(link.clientId, owner.orgId);
  const question: ConnectQuestion = {
    provider: { displayName: provider.displayName, host: new URL(provider.authUrl).host },
    action,
    gateway: new URL(invocation.origin).host,
    user: { displayName, idp: policy.idps.get(idp)?.displayName ?? idp },
    target: link?.target,
    client: client && shownClient(policy, client),
    scopes: asked,
    connection,
    ticket,
  };
  return connection?.status === 'active' && missing.length === 0
    ? connectedPage(question, connection, targets, browser.cookies)
    : connectPage(question, targets, browser.cookies);
}
