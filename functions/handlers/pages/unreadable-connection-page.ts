import { html } from 'hono/html';
import { type ConnectQuestion, connectForm } from './connect-page.ts';
import { toPageResponse } from './page.ts';

/** Says that a connection is there that cannot be read any more, and lets its user end it: that alone makes room for a new one. */
export function unreadableConnectionPage(
  question: Pick<ConnectQuestion, 'action' | 'ticket'> & { readonly displayName: string },
  formAction: readonly string[],
  cookies: readonly string[],
): Promise<Response> {
  const { displayName } = question;
  const content = html`<p class="warning">Your connection at ${displayName} cannot be read any more, so that nothing can be done with it. Disconnect, and connect anew where you need it. To be sure that it is over there too, take the access away in the settings of your account at ${displayName}.</p>
${connectForm(question, [html`<button class="deny" name="answer" value="disconnect">Disconnect</button>`])}
<p class="quiet"><a href="/connect">All your connections</a></p>`;
  const title = `Your connection at ${displayName} cannot be read`;
  return toPageResponse({ title, content, status: 200, formAction, cookies });
}
