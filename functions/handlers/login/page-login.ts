import type { IdentityProvider } from '../../core/identity-provider.ts';
import type { Invocation } from '../../core/invocation.ts';
import { type OwnPage, readOwnPage } from '../../core/own-page.ts';
import { type PageTicket, writePageTicket } from '../../core/page-ticket.ts';
import type { Policy } from '../../core/policy.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { openLink } from '../connect/link.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { readRequestForm, recordDecision } from '../oauth-answer.ts';
import { formTargets } from '../pages/form-targets.ts';
import { type BrowserProblem, problemPage } from '../pages/problem-page.ts';
import { signInPage } from '../pages/sign-in-page.ts';
import { endHere, sendOn } from './answer.ts';
import { isSameOrigin, knownBrowser, markBrowser } from './browser.ts';
import { addressOfLogin } from './idp-address.ts';
import { readIdpAnswer } from './idp-answer.ts';
import { readSecret } from './idp-exchange.ts';
import { beginSession, pageSession } from './sessions.ts';

/** A login that is asked for: for which page, and where it may happen. */
type Asked = {
  readonly policy: Policy;
  readonly page: OwnPage;
  readonly idps: readonly IdentityProvider[];
};

/**
 * `GET /login?return_to=…`: asks where to log in, for a page of ours. It leads nowhere by itself, since any site can lead a browser here, and
 * nowhere at all but to {@link readOwnPage}'s paths. A sealed link in the path says of which organisation the user is.
 */
export async function askToSignIn(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const returnTo = searchParams.getAll('return_to');
  const asked = await readAsked(ports, returnTo.length === 1 ? (returnTo[0] ?? null) : null);
  if (!asked.ok) return endHere(ports, invocation, asked.error);
  const { policy, page, idps } = asked.value;
  const held = await pageSession(ports, policy, request);
  if (!held.ok) return endHere(ports, invocation, 'unavailable');
  const user = held.value?.session;
  const shown = {
    returnTo: page.path,
    gateway: new URL(invocation.origin).host,
    idps,
    user: user && { displayName: user.displayName, idp: policy.idps.get(user.idp)?.displayName ?? user.idp },
  };
  return signInPage(
    shown,
    formTargets(idps.map(({ authUrl }) => authUrl)),
    markBrowser(ports, request).cookies,
  );
}

/**
 * `POST /login`, from a page of ours alone: goes to the provider that was chosen. Only now is there a `state`; it holds for this browser, for
 * ten minutes, once. Whoever is signed in and chose to sign in again proves it again.
 */
export async function signIn(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  if (!isSameOrigin(request, invocation.origin)) return endHere(ports, invocation, 'not_from_our_page');
  const browserId = knownBrowser(request);
  if (browserId === undefined) return endHere(ports, invocation, 'wrong_browser');
  const read = await readRequestForm(request);
  const form = read.ok ? read.value.form : new Map<string, string>();
  const asked = await readAsked(ports, form.get('return_to') ?? null);
  if (!asked.ok) return endHere(ports, invocation, asked.error);
  const { policy, page, idps } = asked.value;
  const provider = idps.find(({ name }) => name === form.get('idp'));
  if (provider === undefined) return endHere(ports, invocation, 'bad_request');
  const about = { org_id: provider.org, name: provider.name, policy_version: policy.version };
  // Nobody is sent to a provider whose answer could not be used.
  const secret = await readSecret(ports, provider, false);
  if (!secret.ok && !secret.error.isOutage) return endHere(ports, invocation, 'incomplete', about);
  const held = await pageSession(ports, policy, request);
  if (!held.ok) return endHere(ports, invocation, 'unavailable', about);
  const begun = { browserId, provider, mustLogin: held.value !== undefined, origin: invocation.origin };
  const write = (fresh: Omit<PageTicket, 'returnTo'>) => writePageTicket({ ...fresh, returnTo: page.path });
  const location = await addressOfLogin(ports, begun, write);
  return location === undefined ? endHere(ports, invocation, 'unavailable', about) : sendOn(location);
}

/**
 * The end of a login for a page of ours: the same checks as for a client, and then a session begins and nothing is issued. Somebody whose
 * groups stand for nothing by now signs in too: what such a user may do, which is to end what is connected, is the pages' to say. The
 * record is durable before the session is.
 */
export async function finishPageLogin(
  ports: IssuerPorts,
  invocation: Invocation,
  answer: { readonly idp: string; readonly parameters: ReadonlyMap<string, string> },
  ticket: PageTicket,
): Promise<Response> {
  const { idp, parameters } = answer;
  const asked = await readAsked(ports, ticket.returnTo);
  if (!asked.ok) return endHere(ports, invocation, asked.error, { name: idp });
  const { policy, page, idps } = asked.value;
  const provider = idps.find(({ name }) => name === idp);
  if (provider === undefined) return endHere(ports, invocation, 'changed', { name: idp });
  const about = { org_id: provider.org, name: provider.name, policy_version: policy.version };
  const answered = await readIdpAnswer(ports, provider, parameters, ticket, invocation.origin);
  if (!answered.ok) {
    const failure = answered.error;
    if (failure.problem !== undefined) return endHere(ports, invocation, failure.problem, about);
    const { refusal, cause } = failure;
    const reason = `${refusal.error}: ${cause}`;
    await recordDecision(ports, invocation, { area: 'login', decision: 'deny', reason, ...about });
    return problemPage(PROBLEM_OF.get(refusal.error) ?? 'not_accepted', invocation.requestId);
  }
  const { user } = answered.value;
  const written = await recordDecision(ports, invocation, {
    area: 'login',
    decision: 'allow',
    reason: 'signed_in',
    ...about,
    subject: user.subject,
    kind: 'user',
  });
  if (!written.ok) return problemPage('interrupted', invocation.requestId);
  const cookie = await beginSession(ports, user);
  if (!cookie.ok) return endHere(ports, invocation, 'interrupted', about);
  return sendOn(invocation.origin + page.path, [cookie.value]);
}

const PROBLEM_OF: ReadonlyMap<string, BrowserProblem> = new Map([
  ['access_denied', 'not_signed_in'],
  ['temporarily_unavailable', 'interrupted'],
]);

/** The page, and the providers of the organisation that its link names; of every organisation where it names none. */
async function readAsked(
  ports: IssuerPorts,
  returnTo: string | null,
): Promise<Result<Asked, BrowserProblem>> {
  const page = readOwnPage(returnTo);
  if (page === undefined) return err('bad_return');
  const book = await ports.rulebook.read();
  if (!book.ok) return err('unavailable');
  const { policy } = book.value;
  const { provider = '', link: sealed } = page;
  const link = sealed === undefined ? ok(undefined) : await openLink(ports, provider, sealed);
  if (!link.ok) return err('unavailable');
  const orgs = link.value === undefined ? undefined : [link.value.orgId];
  const idps = [...policy.idps.values()].filter(
    ({ org }) => !policy.isSuspended(org) && (orgs?.includes(org) ?? true),
  );
  return idps.length === 0 ? err('no_login') : ok({ policy, page, idps });
}
