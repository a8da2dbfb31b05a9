import { wantedScopes } from '../../core/connect-scopes.ts';
import { type ConnectTicket, readConnectTicket, writeConnectTicket } from '../../core/connect-ticket.ts';
import type { Invocation } from '../../core/invocation.ts';
import { digestOfScopes, LOGIN_SECONDS, loginSecrets } from '../../core/login-ticket.ts';
import { authorizationUrl, connectCallbackUrl } from '../../core/provider.ts';
import { sendOn } from '../login/answer.ts';
import { isSameOrigin, knownBrowser } from '../login/browser.ts';
import { openTicket, sealTicket, useOnce } from '../login/tickets.ts';
import { readRequestForm, recordDecision } from '../oauth-answer.ts';
import { disconnectedPage, nothingConnectedPage } from '../pages/connection-ended-page.ts';
import { problemPage } from '../pages/problem-page.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { disconnectOutcome } from './disconnect-outcome.ts';
import {
  endConnecting,
  isOwnTicket,
  mayConnect,
  readSituation,
  type Situation,
  shownName,
} from './situation.ts';

/**
 * `POST /connect/{provider}`: the answer to the connect page. In this order: sent by a page of ours, from a browser that is marked, by a user
 * who is signed in, with the ticket of a page that this browser showed this user in this session, in time, and not answered before. Then
 * `connect` leads to the provider, as long as the user may connect there and what was shown is still what is asked for; `disconnect` ends the connection; `cancel` does
 * nothing. Only now is there a `state`.
 */
export async function answer(
  ports: ConnectPorts,
  request: Request,
  providerName: string,
  invocation: Invocation,
): Promise<Response> {
  if (!isSameOrigin(request, invocation.origin)) return endConnecting(ports, invocation, 'not_from_our_page');
  const form = await readRequestForm(request);
  const browserId = knownBrowser(request);
  if (browserId === undefined) return endConnecting(ports, invocation, 'wrong_browser');
  const read = await readSituation(ports, request, providerName);
  if (!read.ok) return endConnecting(ports, invocation, read.error);
  const situation = read.value;
  const { about, owner, provider } = situation;
  const fields = form.ok ? form.value.form : new Map<string, string>();
  const place = { kind: 'connect', provider: provider.name } as const;
  const opened = await openTicket(ports, place, browserId, fields.get('ticket') ?? '', readConnectTicket);
  if (!opened.ok) return endConnecting(ports, invocation, opened.error, about);
  const ticket = opened.value;
  if (!isOwnTicket(ticket, situation)) return endConnecting(ports, invocation, 'changed', about);
  const used = await useOnce(ports, place, loginSecrets(ticket).onceId, owner.orgId);
  if (!used.ok) return endConnecting(ports, invocation, used.error, about);
  switch (fields.get('answer')) {
    case 'connect':
      return leadToProvider(ports, invocation, situation, ticket, browserId);
    case 'disconnect':
      return disconnect(ports, invocation, situation);
    case 'cancel':
      return nothingConnectedPage(shownName(provider));
    default:
      return endConnecting(ports, invocation, 'bad_request', about);
  }
}

async function leadToProvider(
  ports: ConnectPorts,
  invocation: Invocation,
  situation: Situation,
  shown: ConnectTicket,
  browserId: string,
): Promise<Response> {
  const connecting = mayConnect(situation);
  if (!connecting.ok) return endConnecting(ports, invocation, connecting.error, situation.about);
  const { policy, provider, owner, about } = connecting.value;
  const found = await ports.connections.find(owner, provider);
  if (!found.ok) return endConnecting(ports, invocation, 'unavailable', about);
  const { asked } = wantedScopes(policy, provider, owner.orgId, shown.target, found.value);
  if (digestOfScopes(asked) !== shown.shown) return endConnecting(ports, invocation, 'changed', about);
  const ticket: ConnectTicket = {
    ...shown,
    secret: Buffer.from(ports.randomBytes(32)).toString('base64url'),
    expiresAtSeconds: Math.floor(ports.now() / 1000) + LOGIN_SECONDS,
  };
  const place = { kind: 'connecting', provider: provider.name } as const;
  const state = await sealTicket(ports, place, browserId, writeConnectTicket(ticket));
  if (state === undefined) return endConnecting(ports, invocation, 'unavailable', about);
  const url = authorizationUrl(provider, {
    redirectUri: connectCallbackUrl(provider, invocation.origin),
    state,
    codeChallenge: loginSecrets(ticket).codeChallenge,
    scopes: asked,
  });
  return sendOn(url.href);
}

async function disconnect(
  ports: ConnectPorts,
  invocation: Invocation,
  { provider, owner, about }: Situation,
): Promise<Response> {
  const decision = { decision: 'allow', reason: 'disconnect', ...about, method: 'disconnect' } as const;
  const written = await recordDecision(ports, invocation, decision);
  if (!written.ok) return problemPage('interrupted', invocation.requestId);
  const startedAtMs = ports.now();
  const ended = await ports.connections.disconnect(owner, provider);
  await recordDecision(ports, invocation, {
    ...decision,
    event: 'outcome',
    reason: disconnectOutcome(ended),
    duration_ms: ports.now() - startedAtMs,
  });
  return ended.ok
    ? disconnectedPage(shownName(provider), ended.value.revoked)
    : problemPage('interrupted', invocation.requestId);
}
