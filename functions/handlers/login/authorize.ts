import {
  type AuthorizationRefusal,
  type AuthorizationRequest,
  offeredScopes,
  parseAuthorizationRequest,
  readAuthorizationQuery,
  stateOf,
} from '../../core/authorization-request.ts';
import type { BrowserSession } from '../../core/browser-session.ts';
import { serverOfResource } from '../../core/grant.ts';
import type { IdentityProvider } from '../../core/identity-provider.ts';
import type { Invocation } from '../../core/invocation.ts';
import { digestOfScopes, LOGIN_SECONDS, writeTicket } from '../../core/login-ticket.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import { matchesRedirectUri } from '../../core/redirect-uri.ts';
import { scopeWords } from '../../core/scope-words.ts';
import { viewerOf } from '../../core/standing.ts';
import { isForEverybody, scopesOn } from '../../core/user-grant.ts';
import { findClient } from '../client-registry.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { type ConsentQuestion, consentPage } from '../pages/consent-page.ts';
import { formTargets } from '../pages/form-targets.ts';
import { auditedApplication, endHere, refuseClient, refuseOnPage } from './answer.ts';
import { markBrowser } from './browser.ts';
import { providersFor } from './providers.ts';
import { currentSession } from './sessions.ts';
import { hostOfClient, isSelfDescribed, shownClient } from './shown-client.ts';
import { sealTicket } from './tickets.ts';

/**
 * `GET /oauth/authorize` (RFC 6749 §4.1.1). Until client and redirect URI are known to belong together, whatever is wrong ends on a page of
 * ours (RFC 9700 §4.11.2); from there on
 * the client is told, but for one that only describes itself, of which the user is told. What is asked for is shown before anybody logs in, and nothing is
 * remembered but in the page itself: sealed, for this browser, for ten minutes.
 */
export async function authorize(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const book = await ports.rulebook.read();
  if (!book.ok) return endHere(ports, invocation, 'unavailable');
  const { policy } = book.value;
  if (!policy.hasLogin) return noLogin();

  const query = readAuthorizationQuery(new URL(request.url).searchParams);
  const { parameters, repeated } = query;
  const clientId = parameters.get('client_id');
  const redirectUri = parameters.get('redirect_uri');
  const isAddressed = !repeated.has('client_id') && !repeated.has('redirect_uri');
  if (clientId === undefined || redirectUri === undefined || !isAddressed) {
    return endHere(ports, invocation, 'bad_request');
  }
  const found = await findClient(ports, policy, clientId, invocation.sourceIp);
  if (!found.ok) return endHere(ports, invocation, 'unavailable');
  const client = found.value;
  // Which clients there are for other grants is nobody's business here.
  if (!client?.grants.includes('authorization_code')) return endHere(ports, invocation, 'unknown_client');
  const about = { ...auditedApplication(client), policy_version: policy.version };
  if (!matchesRedirectUri(client.redirectUris, redirectUri)) {
    return endHere(ports, invocation, 'redirect_uri', about);
  }

  const to = { redirectUri, state: stateOf(query), host: hostOfClient(client.id) };
  const tell = isSelfDescribed(policy, client.id) ? refuseOnPage : refuseClient;
  const refuse = (refusal: AuthorizationRefusal) => tell(ports, invocation, to, refusal, about);
  const parsed = parseAuthorizationRequest(query, client, redirectUri, invocation.origin);
  if (!parsed.ok) return refuse(parsed.error);
  const idps = providersFor(policy, client);
  if (idps.length === 0) {
    const description = 'no identity provider is set up for the users of this client';
    return refuse({ error: 'unauthorized_client', description });
  }
  const session = await currentSession(ports, policy, client, request);
  if (!session.ok) return endHere(ports, invocation, 'unavailable', about);
  if (parsed.value.prompt === 'none') {
    return refuse(
      session.value === undefined
        ? { error: 'login_required', description: 'nobody is signed in in this browser' }
        : { error: 'consent_required', description: 'the user is asked every time' },
    );
  }
  const user = parsed.value.prompt === 'login' ? undefined : session.value;
  return ask(ports, request, invocation, { policy, client, idps, user, asked: parsed.value });
}

type Asking = {
  readonly policy: Policy;
  readonly client: ClientEntry;
  readonly idps: readonly IdentityProvider[];
  readonly user: BrowserSession | undefined;
  readonly asked: AuthorizationRequest;
};

async function ask(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
  { policy, client, idps, user, asked: sent }: Asking,
): Promise<Response> {
  const server = serverOfResource(sent.resource ?? '', invocation.origin);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const asked = { ...sent, scopes: sent.scopes ?? scopesThere(policy, client, server, user, nowSeconds) };
  const scopes = offeredScopes(client, asked.scopes);
  const browser = markBrowser(ports, request);
  const text = writeTicket({
    request: asked,
    shown: digestOfScopes(scopes),
    subject: user?.subject,
    secret: Buffer.from(ports.randomBytes(32)).toString('base64url'),
    expiresAtSeconds: nowSeconds + LOGIN_SECONDS,
  });
  const ticket = await sealTicket(ports, { kind: 'consent' }, browser.id, text);
  if (ticket === undefined) return endHere(ports, invocation, 'unavailable', auditedApplication(client));
  const idpOfUser = policy.idps.get(user?.idp ?? '');
  const question: ConsentQuestion = {
    client: shownClient(policy, client),
    redirectUri: asked.redirectUri,
    gateway: new URL(invocation.origin).host,
    server,
    isOfServerAlone: asked.scopes === undefined && server !== undefined,
    scopes: scopes.map((scope) => scopeWords(policy, scope)),
    idps,
    user: user && { displayName: user.displayName, idp: idpOfUser?.displayName ?? user.idp },
    ticket,
  };
  const targets = formTargets([asked.redirectUri, ...idps.map(({ authUrl }) => authUrl)]);
  return consentPage(question, targets, browser.cookies);
}

/**
 * What a request for a server that names no scopes is about: shown where the user is known, and may know of the server. Whoever is not
 * logged in sees what the client may have, whichever server is named: the page must not tell which there are.
 */
function scopesThere(
  policy: Policy,
  client: ClientEntry,
  server: string | undefined,
  user: BrowserSession | undefined,
  nowSeconds: number,
): readonly string[] | undefined {
  if (server === undefined || user === undefined || isForEverybody(policy, server, user.orgId))
    return undefined;
  const scopes = policy.hasServer(server, viewerOf(policy, user, nowSeconds))
    ? scopesOn(policy, client, server)
    : [];
  return scopes.length > 0 ? scopes : undefined;
}

/** Clients take metadata without an authorization endpoint for broken, so there is one; it never redirects. */
function noLogin(): Response {
  const text = 'No login is configured here. Ask your administrator for a client with client_credentials.\n';
  return new Response(text, {
    status: 400,
    headers: {
      'content-type': 'text/plain; charset=UTF-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    },
  });
}
