import { type AuthorizationRefusal, readAuthorizationQuery } from '../../core/authorization-request.ts';
import type { BrowserSession } from '../../core/browser-session.ts';
import { type IdentityProvider, subjectOf } from '../../core/identity-provider.ts';
import type { Invocation } from '../../core/invocation.ts';
import { loginSecrets } from '../../core/login-ticket.ts';
import { err, ok } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { auditedApplication, endHere, refuseClient } from './answer.ts';
import { knownBrowser } from './browser.ts';
import { identify } from './idp-exchange.ts';
import { issueCode } from './issue-code.ts';
import { providerFor } from './providers.ts';
import { recheck } from './recheck.ts';
import { beginSession } from './sessions.ts';
import { openTicket, useOnce } from './tickets.ts';

/**
 * `GET /oauth/callback/{idp}`: the answer of an identity provider. In this order: our state, for this browser and this provider, in time;
 * what was consented to still holds; `iss` names this provider where it is there (RFC 9207 §2.4); once; no error; the code is redeemed and
 * says who logged in. Then there is a code, a new session begins, and the client gets the code; an outage here says that the login is used
 * up, as the provider's code is. Before the state is known to be ours nobody is sent anywhere.
 */
export async function callback(
  ports: IssuerPorts,
  request: Request,
  idp: string,
  invocation: Invocation,
): Promise<Response> {
  const { parameters, repeated } = readAuthorizationQuery(new URL(request.url).searchParams);
  const browserId = knownBrowser(request);
  const at = { name: idp.slice(0, 64) };
  if (browserId === undefined) return endHere(ports, invocation, 'wrong_browser', at);
  const isTwice = ['state', 'code', 'error', 'iss'].some((name) => repeated.has(name));
  if (isTwice) return endHere(ports, invocation, 'bad_request', at);
  const place = { kind: 'login', idp } as const;
  const opened = await openTicket(ports, place, browserId, parameters.get('state') ?? '');
  if (!opened.ok) return endHere(ports, invocation, opened.error, at);
  const ticket = opened.value;
  const current = await recheck(ports, ticket, invocation);
  if (!current.ok) return endHere(ports, invocation, current.error, at);
  const { policy, client } = current.value;
  const about = { ...auditedApplication(client), ...at, policy_version: policy.version };
  const provider = providerFor(policy, client, idp);
  if (provider === undefined) return endHere(ports, invocation, 'changed', about);
  if (!isFrom(provider, parameters.get('iss'))) return endHere(ports, invocation, 'bad_request', about);
  const secrets = loginSecrets(ticket);
  const used = await useOnce(ports, place, secrets.onceId, provider.org);
  if (!used.ok) return endHere(ports, invocation, used.error, about);

  const refuse = (refusal: AuthorizationRefusal, cause: string) =>
    refuseClient(ports, invocation, ticket.request, refusal, { ...about, cause });
  const error = parameters.get('error');
  if (error !== undefined) return refuse(refusalOf(error), `idp ${printable(error)}`);
  const code = parameters.get('code');
  if (code === undefined) {
    return refuse({ error: 'server_error', description: 'the identity provider sent no code' }, 'no_code');
  }
  const identified = await identify(ports, provider, code, secrets, invocation.origin);
  if (!identified.ok) {
    const { detail, isOutage } = identified.error;
    return refuse(isOutage ? OUTAGE : NOT_ACCEPTED, detail);
  }
  const { userId, displayName, groups, hasMoreGroups, authTimeSeconds } = identified.value;
  const user: BrowserSession = {
    orgId: provider.org,
    idp: provider.name,
    subject: subjectOf(provider, userId),
    displayName,
    groups,
    authTimeSeconds,
    createdAtSeconds: Math.floor(ports.now() / 1000),
  };
  const login = {
    policy,
    client,
    request: ticket.request,
    user,
    hasMoreGroups,
    outage: 'interrupted',
  } as const;
  return issueCode(ports, invocation, login, async () => {
    const cookie = await beginSession(ports, user);
    return cookie.ok ? ok([cookie.value]) : err('interrupted');
  });
}

const OUTAGE: AuthorizationRefusal = {
  error: 'temporarily_unavailable',
  description: 'the identity provider did not answer as it should; try again in a moment',
};
const NOT_ACCEPTED: AuthorizationRefusal = {
  error: 'server_error',
  description: 'the answer of the identity provider was not accepted',
};

/** Of GitHub no issuer is known; there the redirect URI alone, which is each provider's own, tells whose answer this is. */
function isFrom({ proof }: IdentityProvider, issuer: string | undefined): boolean {
  return issuer === undefined || proof.kind !== 'id_token' || proof.issuer === issuer;
}

/** The words of a provider's error go to nobody: whoever made the link wrote them. */
function refusalOf(error: string): AuthorizationRefusal {
  if (error === 'temporarily_unavailable') return OUTAGE;
  if (error === 'server_error') return NOT_ACCEPTED;
  return { error: 'access_denied', description: 'the sign-in at the identity provider was not completed' };
}

function printable(error: string): string {
  return error.slice(0, 60).replace(/[^A-Za-z0-9_.-]/g, '?');
}
