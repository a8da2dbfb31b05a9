import { readAuthorizationQuery } from '../../core/authorization-request.ts';
import type { Invocation } from '../../core/invocation.ts';
import { type LoginTicket, readTicket } from '../../core/login-ticket.ts';
import { type PageTicket, readPageTicket } from '../../core/page-ticket.ts';
import { err, ok } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { auditedApplication, endHere, refuseClient } from './answer.ts';
import { knownBrowser } from './browser.ts';
import { readIdpAnswer } from './idp-answer.ts';
import { issueCode } from './issue-code.ts';
import { finishPageLogin } from './page-login.ts';
import { providerFor } from './providers.ts';
import { recheck } from './recheck.ts';
import { beginSession } from './sessions.ts';
import { openTicket } from './tickets.ts';

/** The answer of an identity provider, as it came. */
type IdpAnswer = {
  readonly idp: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** What a record names. */
  readonly at: { readonly name: string };
};

/**
 * `GET /oauth/callback/{idp}`: the answer of an identity provider. In this order: our state, for this browser and this provider, in time;
 * what was consented to still holds; `iss` names this provider where it is there (RFC 9207 §2.4); once; no error; the code is redeemed and
 * says who logged in. Then there is a code, a new session begins, and the client gets the code; an outage here says that the login is used
 * up, as the provider's code is. Before the state is known to be ours nobody is sent anywhere. A login for a page of ours ends in
 * {@link finishPageLogin}.
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
  const opened = await openTicket(ports, place, browserId, parameters.get('state') ?? '', readEither);
  if (!opened.ok) return endHere(ports, invocation, opened.error, at);
  const ticket = opened.value;
  const answer = { idp, parameters, at };
  return 'returnTo' in ticket
    ? finishPageLogin(ports, invocation, answer, ticket)
    : finishClientLogin(ports, invocation, answer, ticket);
}

function readEither(text: string): LoginTicket | PageTicket | undefined {
  return readTicket(text) ?? readPageTicket(text);
}

async function finishClientLogin(
  ports: IssuerPorts,
  invocation: Invocation,
  { idp, parameters, at }: IdpAnswer,
  ticket: LoginTicket,
): Promise<Response> {
  const current = await recheck(ports, ticket, invocation);
  if (!current.ok) return endHere(ports, invocation, current.error, at);
  const { policy, client } = current.value;
  const about = { ...auditedApplication(client), ...at, policy_version: policy.version };
  const provider = providerFor(policy, client, idp);
  if (provider === undefined) return endHere(ports, invocation, 'changed', about);
  const answered = await readIdpAnswer(ports, provider, parameters, ticket, invocation.origin);
  if (!answered.ok) {
    const failure = answered.error;
    if (failure.problem !== undefined) return endHere(ports, invocation, failure.problem, about);
    const { refusal, cause } = failure;
    return refuseClient(ports, invocation, ticket.request, refusal, { ...about, cause });
  }
  const { request } = ticket;
  const login = { policy, client, request, ...answered.value, outage: 'interrupted' } as const;
  return issueCode(ports, invocation, login, async () => {
    const cookie = await beginSession(ports, answered.value.user);
    return cookie.ok ? ok([cookie.value]) : err('interrupted');
  });
}
