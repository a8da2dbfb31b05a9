import { readAuthorizationQuery } from '../../core/authorization-request.ts';
import { wantedScopes } from '../../core/connect-scopes.ts';
import { type ConnectTicket, readConnectTicket } from '../../core/connect-ticket.ts';
import type { Invocation } from '../../core/invocation.ts';
import { digestOfScopes, loginSecrets } from '../../core/login-ticket.ts';
import { namedError } from '../../core/oauth-error.ts';
import { connectPath } from '../../core/own-page.ts';
import { connectCallbackUrl } from '../../core/provider.ts';
import { sendOn } from '../login/answer.ts';
import { knownBrowser } from '../login/browser.ts';
import { openTicket, useOnce } from '../login/tickets.ts';
import { recordDecision } from '../oauth-answer.ts';
import { otherAccountPage } from '../pages/other-account-page.ts';
import { problemPage } from '../pages/problem-page.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { connectUrl } from './link.ts';
import { type Connecting, endConnecting, isOwnTicket, mayConnect, readSituation } from './situation.ts';

/**
 * `GET /connect/{provider}/callback`: the answer of a provider. In this order: from a browser that is marked, each parameter once, by a user
 * who is signed in and may connect there; our state, for this browser and this provider, in time, of this user in this session; `iss` is the provider's where it
 * has one (RFC 9207 §2.4); once; no error; what was shown is still what is asked for. The record is durable before the code is redeemed.
 * Another account than the one that is connected is refused, and said. Nothing of what the provider writes is shown.
 */
export async function callback(
  ports: ConnectPorts,
  request: Request,
  providerName: string,
  invocation: Invocation,
): Promise<Response> {
  const { parameters, repeated } = readAuthorizationQuery(new URL(request.url).searchParams);
  const browserId = knownBrowser(request);
  if (browserId === undefined) return endConnecting(ports, invocation, 'wrong_browser');
  const isTwice = ['state', 'code', 'error', 'iss'].some((name) => repeated.has(name));
  if (isTwice) return endConnecting(ports, invocation, 'bad_request');
  const read = await readSituation(ports, request, providerName);
  if (!read.ok) return endConnecting(ports, invocation, read.error);
  const connecting = mayConnect(read.value);
  if (!connecting.ok) return endConnecting(ports, invocation, connecting.error, read.value.about);
  const situation = connecting.value;
  const { provider, owner } = situation;
  const about = { ...situation.about, method: 'connect' };
  const end = (problem: Parameters<typeof endConnecting>[2]) =>
    endConnecting(ports, invocation, problem, about);
  const place = { kind: 'connecting', provider: provider.name } as const;
  const state = parameters.get('state') ?? '';
  const opened = await openTicket(ports, place, browserId, state, readConnectTicket);
  if (!opened.ok) return end(opened.error);
  const ticket = opened.value;
  if (!isOwnTicket(ticket, situation)) return end('changed');
  // One that is known to name itself always does; of the others the redirect URI alone, which is each provider's own, tells whose answer it is.
  if (provider.issuer !== undefined && parameters.get('iss') !== provider.issuer) return end('bad_request');
  const used = await useOnce(ports, place, loginSecrets(ticket).onceId, owner.orgId);
  if (!used.ok) return end(used.error);
  const error = parameters.get('error');
  const code = parameters.get('code');
  if (error !== undefined || code === undefined) {
    const cause = error === undefined ? 'no_code' : `provider ${namedError(error)}`;
    const reason = `not_connected: ${cause}`;
    await recordDecision(ports, invocation, { decision: 'deny', reason, ...about });
    return problemPage('not_connected', invocation.requestId);
  }
  return redeem(ports, invocation, situation, ticket, code);
}

async function redeem(
  ports: ConnectPorts,
  invocation: Invocation,
  { policy, provider, owner, about: who }: Connecting,
  ticket: ConnectTicket,
  code: string,
): Promise<Response> {
  const about = {
    ...who,
    method: 'connect',
    ...(ticket.clientId === undefined ? {} : { client_id: ticket.clientId }),
  };
  const found = await ports.connections.find(owner, provider);
  if (!found.ok) return endConnecting(ports, invocation, 'interrupted', about);
  const { asked } = wantedScopes(policy, provider, owner.orgId, ticket.target, found.value);
  if (digestOfScopes(asked) !== ticket.shown) return endConnecting(ports, invocation, 'changed', about);
  const startedAtMs = ports.now();
  const decision = { decision: 'allow', reason: 'connect', ...about, scopes: asked } as const;
  const written = await recordDecision(ports, invocation, decision);
  if (!written.ok) return problemPage('interrupted', invocation.requestId);
  const connected = await ports.connections.connect(owner, provider, {
    code,
    codeVerifier: loginSecrets(ticket).codeVerifier,
    redirectUri: connectCallbackUrl(provider, invocation.origin),
    scopes: asked,
  });
  const end = (reason: string) =>
    recordDecision(ports, invocation, {
      ...decision,
      event: 'outcome',
      reason,
      duration_ms: ports.now() - startedAtMs,
    });
  if (connected.ok) {
    await end('connected');
    const { clientId, target } = ticket;
    if (clientId === undefined) return sendOn(invocation.origin + connectPath(provider.name));
    const back = await connectUrl(ports, provider.name, { ...owner, target, clientId }, invocation.origin);
    return sendOn(back.ok ? back.value : invocation.origin + connectPath(provider.name));
  }
  const { reason, detail } = connected.error;
  await end(`${reason}: ${detail}`);
  ports.log({ level: 'error', event: 'not_connected', request_id: invocation.requestId, reason, detail });
  switch (reason) {
    case 'other_account': {
      const { displayName } = provider;
      const page = connectPath(provider.name);
      return otherAccountPage({ displayName, connected: connected.error.connected, page });
    }
    case 'refused':
      return problemPage('provider_refused', invocation.requestId);
    case 'unavailable':
      return problemPage('interrupted', invocation.requestId);
  }
}
