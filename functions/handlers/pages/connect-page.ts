import { html } from 'hono/html';
import { providerScopeWords } from '../../core/connect-scopes.ts';
import type { Connection } from '../../core/connection.ts';
import { describeClient, type ShownClient } from './consent-page.ts';
import { type Markup, toPageResponse } from './page.ts';

/** What a user is asked, or told of a connection, as it is shown. */
export type ConnectQuestion = {
  readonly provider: { readonly displayName: string; readonly host: string };
  /** The path of the page, to which the form is sent. */
  readonly action: string;
  readonly gateway: string;
  readonly user: { readonly displayName: string; readonly idp: string };
  /** The server or service that needs it; undefined where the user came alone. */
  readonly target: string | undefined;
  /** The application through which it was asked for; undefined where none was, or it is not known any more. */
  readonly client: ShownClient | undefined;
  readonly scopes: readonly string[];
  readonly connection: Connection | undefined;
  /** The sealed question, bound to this browser and session. */
  readonly ticket: string;
};

/** Asks a signed-in user whether to connect an account: where, for what, and as whom. `formAction` names every place that the browser may be led to. */
export function connectPage(
  question: ConnectQuestion,
  formAction: readonly string[],
  cookies: readonly string[],
): Promise<Response> {
  const { provider, gateway, user, target, client, scopes, connection } = question;
  const { displayName, host } = provider;
  const content = html`<p><strong>${gateway}</strong> would act in your name at ${displayName}, whenever you call a server that works there. It asks for it at <strong>${host}</strong>, where you choose the account; take one that is yours. Applications never see the key to it; a server gets one that soon ends, for your calls alone. You can disconnect at any time.</p>
<dl>
<dt>Provider</dt><dd>${displayName} (${host})</dd>
<dt>Signed in here as</dt><dd>${user.displayName} (${user.idp})</dd>
${target === undefined ? '' : html`<dt>Needed for</dt><dd>${target}</dd>\n`}${client === undefined ? '' : html`<dt>Asked through</dt><dd>${describeClient(client)}</dd>\n`}</dl>
${scopeList('It would be allowed to', scopes)}
${connection === undefined ? '' : notice(connection, displayName)}
${connectForm(question, [
  html`<button class="first" name="answer" value="connect">Connect at ${displayName}</button>`,
  connection === undefined
    ? html`<button class="deny" name="answer" value="cancel">Do not connect</button>`
    : html`<button class="deny" name="answer" value="disconnect">Disconnect</button>`,
])}`;
  const title = `Connect your account at ${displayName}?`;
  return toPageResponse({ title, content, status: 200, formAction, cookies });
}

/** A form of the connect page: its answers are buttons. */
export function connectForm(
  { action, ticket }: Pick<ConnectQuestion, 'action' | 'ticket'>,
  buttons: readonly Markup[],
): Markup {
  return html`<form method="post" action="${action}" aria-label="Your answer">
<input type="hidden" name="ticket" value="${ticket}">
${buttons}
</form>`;
}

/** Scopes of a provider under a heading, in its own words and, where there are any, in people's. */
export function scopeList(heading: string, scopes: readonly string[]): Markup {
  if (scopes.length === 0) return html``;
  const items = scopes.map((scope) => {
    const words = providerScopeWords(scope);
    return words === undefined
      ? html`<li><code>${scope}</code></li>`
      : html`<li>${words}<code>${scope}</code></li>`;
  });
  return html`<h2 id="permissions">${heading}</h2>
<ul aria-labelledby="permissions">
${items}
</ul>`;
}

function notice({ status, account }: Connection, displayName: string): Markup {
  // Of such a one nobody can say whether it is the same.
  const again =
    account === undefined
      ? 'To connect again, disconnect first.'
      : 'Connect the same account again, or disconnect first to take another.';
  const which = account === undefined ? '' : html` (${account.name ?? account.id})`;
  return status === 'broken'
    ? html`<p class="warning">${displayName} does not accept the connection${which} any more. ${again}</p>`
    : html`<p class="warning">You are connected${which}, but not for all of this. ${again}</p>`;
}
