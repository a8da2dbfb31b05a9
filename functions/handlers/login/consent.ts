import { offeredScopes } from '../../core/authorization-request.ts';
import type { Invocation } from '../../core/invocation.ts';
import { loginSecrets, readTicket, writeTicket } from '../../core/login-ticket.ts';
import { ok } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { readRequestForm, recordDecision } from '../oauth-answer.ts';
import { problemPage } from '../pages/problem-page.ts';
import { auditedApplication, endHere, refuseClient, sendOn } from './answer.ts';
import { isSameOrigin, knownBrowser } from './browser.ts';
import { addressOfLogin } from './idp-address.ts';
import { readSecret } from './idp-exchange.ts';
import { issueCode } from './issue-code.ts';
import { providerFor } from './providers.ts';
import { recheck } from './recheck.ts';
import { currentSession } from './sessions.ts';
import { openTicket, refuseUsed, useOnce } from './tickets.ts';

/**
 * `POST /oauth/consent`: the answer to the consent page. In this order: sent by a page of ours, from a browser that is marked, with the
 * ticket of a page that this browser was shown and not past its time; what was shown still holds; not answered before. Then `deny` tells the
 * client, `session` goes on as the user that was shown, and `idp:NAME` goes to log in; only now is there a `state`. The answer is used up by
 * the last write, so that it can be given again after an outage. Of two at the same moment both may be recorded as given, and one as `used`.
 */
export async function consent(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  if (!isSameOrigin(request, invocation.origin)) return endHere(ports, invocation, 'not_from_our_page');
  const read = await readRequestForm(request);
  const browserId = knownBrowser(request);
  if (browserId === undefined) return endHere(ports, invocation, 'wrong_browser');
  const form = read.ok ? read.value.form : new Map<string, string>();
  const answer = form.get('answer');
  const place = { kind: 'consent' } as const;
  const opened = await openTicket(ports, place, browserId, form.get('ticket') ?? '', readTicket);
  if (!opened.ok) return endHere(ports, invocation, opened.error);
  const ticket = opened.value;
  const current = await recheck(ports, ticket, invocation);
  if (!current.ok) return endHere(ports, invocation, current.error, { client_id: ticket.request.clientId });
  const { policy, client } = current.value;
  const about = { ...auditedApplication(client), policy_version: policy.version };
  const { onceId } = loginSecrets(ticket);
  const fresh = await refuseUsed(ports, place, onceId, client.org);
  if (!fresh.ok) return endHere(ports, invocation, fresh.error, about);
  const useUp = () => useOnce(ports, place, onceId, client.org);

  if (answer === 'deny') {
    const used = await useUp();
    if (!used.ok) return endHere(ports, invocation, used.error, about);
    const refusal = { error: 'access_denied', description: 'the user has not allowed it' } as const;
    return refuseClient(ports, invocation, ticket.request, refusal, { ...about, cause: 'user' });
  }
  if (answer === 'session') {
    const session = await currentSession(ports, policy, client, request);
    if (!session.ok) return endHere(ports, invocation, 'unavailable', about);
    const user = session.value;
    // Somebody else may have logged in in another tab since the page was shown.
    if (user === undefined || user.subject !== ticket.subject) {
      return endHere(ports, invocation, 'changed', about);
    }
    const { request: asked } = ticket;
    const login = {
      policy,
      client,
      request: asked,
      user,
      hasMoreGroups: false,
      outage: 'unavailable',
    } as const;
    return issueCode(ports, invocation, login, async () => {
      const used = await useUp();
      return used.ok ? ok([]) : used;
    });
  }
  const provider = providerFor(policy, client, /^idp:(.+)$/.exec(answer ?? '')?.[1] ?? '');
  if (provider === undefined) return endHere(ports, invocation, 'bad_request', about);
  // Nobody is sent to a provider whose answer could not be used.
  const secret = await readSecret(ports, provider, false);
  if (!secret.ok && !secret.error.isOutage) {
    return endHere(ports, invocation, 'incomplete', { ...about, name: provider.name });
  }
  // Whoever was logged in and chose to be somebody else logs in again.
  const mustLogin = ticket.request.prompt === 'login' || ticket.subject !== undefined;
  const begun = { browserId, provider, mustLogin, origin: invocation.origin };
  const location = await addressOfLogin(ports, begun, (fresh) => writeTicket({ ...ticket, ...fresh }));
  if (location === undefined) return endHere(ports, invocation, 'unavailable', about);
  const written = await recordDecision(ports, invocation, {
    area: 'login',
    decision: 'allow',
    reason: 'consent_given',
    ...about,
    name: provider.name,
    scopes: offeredScopes(client, ticket.request.scopes),
  });
  if (!written.ok) return problemPage('unavailable', invocation.requestId);
  const used = await useUp();
  if (!used.ok) return endHere(ports, invocation, used.error, about);
  return sendOn(location);
}
