import { html } from 'hono/html';
import type { ScopeWords } from '../../core/scope-words.ts';
import { type Markup, toPageResponse } from './page.ts';
import { describeRedirect, type RedirectTarget } from './redirect-target.ts';

/** What a user is asked, as it is shown. */
export type ConsentQuestion = {
  readonly client: ShownClient;
  /** Where the answer goes. */
  readonly redirectUri: string;
  readonly gateway: string;
  /** The server that the access is for; undefined: every server that the permissions reach. */
  readonly server: string | undefined;
  readonly scopes: readonly ScopeWords[];
  /** Of the scopes, are only those given that concern the server? */
  readonly isOfServerAlone: boolean;
  readonly idps: readonly { readonly name: string; readonly displayName: string }[];
  /** Who is logged in in this browser; undefined: nobody. */
  readonly user: { readonly displayName: string; readonly idp: string } | undefined;
  /** The sealed request, bound to this browser. */
  readonly ticket: string;
};

/** An application as it is shown. */
export type ShownClient = {
  readonly name: string;
  /** Where it is published, which no name replaces; undefined for one that is no address. */
  readonly host: string | undefined;
  /** Did an administrator write its name, or does it say that of itself? */
  readonly isVetted: boolean;
};

/**
 * The consent page: who asks, where the answer goes, for what, and as whom. Every button answers the question; there is no script.
 * `formAction` names every place that the browser may be led to when it has answered.
 */
export function consentPage(
  question: ConsentQuestion,
  formAction: readonly string[],
  cookies: readonly string[],
): Promise<Response> {
  const { client, gateway, server, scopes, user, ticket } = question;
  const redirect = describeRedirect(question.redirectUri);
  const content = html`<p>It asks to act for you at <strong>${gateway}</strong>. You can only give what you have yourself.</p>
<dl>
<dt>Application</dt><dd>${describeClient(client)}</dd>
<dt>The answer goes to</dt><dd>${redirect.text}</dd>
<dt>For</dt><dd>${server === undefined ? 'Every server that these permissions reach' : html`The server ${server}`}</dd>
${user === undefined ? '' : html`<dt>Signed in as</dt><dd>${user.displayName} (${user.idp})</dd>`}
</dl>
<h2 id="permissions">It would be allowed to</h2>
<ul aria-labelledby="permissions">
${scopes.map(({ scope, words }) => html`<li>${words.join('; ')}<code>${scope}</code></li>`)}
</ul>
${question.isOfServerAlone ? html`<p>Of these only what concerns this server, where anything does.</p>` : ''}
${warnings(client, redirect)}
<form method="post" action="/oauth/consent" aria-label="Your answer">
<input type="hidden" name="ticket" value="${ticket}">
${buttons(question)}
<button class="deny" name="answer" value="deny">Do not allow</button>
</form>`;
  const title = `Allow ${client.host ?? (client.isVetted ? client.name : 'this application')} to act for you?`;
  return toPageResponse({ title, content, status: 200, formAction, cookies });
}

/** The first button is the one that most people want. */
function buttons({ idps, user }: ConsentQuestion): Markup {
  const withIdp = idps.map(({ name, displayName }, index) => {
    const words =
      user === undefined
        ? `Allow and sign in with ${displayName}`
        : `Allow, as somebody else at ${displayName}`;
    const isFirst = user === undefined && index === 0;
    return html`<button class="${isFirst ? 'first' : ''}" name="answer" value="idp:${name}">${words}</button>\n`;
  });
  const asUser =
    user === undefined
      ? ''
      : html`<button class="first" name="answer" value="session">Allow as ${user.displayName}</button>\n`;
  return html`${asUser}${withIdp}`;
}

function warnings(client: ShownClient, redirect: RedirectTarget): Markup {
  const unvetted = client.isVetted
    ? ''
    : html`<p class="warning">Nobody here has looked at this application, and it can call itself what it likes. Go by ${client.host === undefined ? 'where the answer goes' : html`its address <strong>${client.host}</strong>, and by where the answer goes`}; if you do not expect them, do not allow it.</p>`;
  const local = redirect.isLocal
    ? html`<p class="warning">The answer goes to a program on this computer, and no one can tell from here which. Allow it only if you have just started it yourself.</p>`
    : '';
  return html`${unvetted}${local}`;
}

/** Where a name could close our quotation marks, its next words would pass for ours. The apostrophe is none of them. */
const QUOTATION_MARKS = /["“-‟«»″‶〝-〟＂]/g;

/** An application in words; one that nobody has vetted only says that of itself. */
export function describeClient({ name, host, isVetted }: ShownClient): Markup {
  const said = isVetted
    ? html`${name}`
    : html`it calls itself “<bdi>${name.replace(QUOTATION_MARKS, '')}</bdi>”`;
  if (host === undefined) return said;
  return name === host ? html`${host}` : html`${host} (${said})`;
}
