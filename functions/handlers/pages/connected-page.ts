import { html } from 'hono/html';
import type { Connection } from '../../core/connection.ts';
import { type ConnectQuestion, connectForm, scopeList } from './connect-page.ts';
import { toPageResponse } from './page.ts';

/** Says that an account is connected, with all that is needed, and lets its user end that. */
export function connectedPage(
  question: ConnectQuestion,
  { account, connectedAtSeconds, scopes }: Connection,
  formAction: readonly string[],
  cookies: readonly string[],
): Promise<Response> {
  const { provider, user } = question;
  const content = html`<p>There is nothing more to do. You can close this page and go back to where you came from.</p>
<dl>
<dt>Account</dt><dd>${account?.name ?? account?.id ?? 'The provider does not say'}</dd>
<dt>Connected since</dt><dd>${new Date(connectedAtSeconds * 1000).toISOString().slice(0, 10)}</dd>
<dt>Signed in here as</dt><dd>${user.displayName} (${user.idp})</dd>
</dl>
${scopeList('It is allowed to', scopes)}
${connectForm(question, [
  html`<button name="answer" value="connect">Connect again</button>`,
  html`<button class="deny" name="answer" value="disconnect">Disconnect</button>`,
])}
<p class="quiet"><a href="/connect">All your connections</a></p>`;
  return toPageResponse({
    title: `${provider.displayName} is connected`,
    content,
    status: 200,
    formAction,
    cookies,
  });
}
