import { html } from 'hono/html';
import { type ConnectQuestion, connectForm } from './connect-page.ts';
import { toPageResponse } from './page.ts';

/** Why a connection can be ended and nothing else; each is one page. */
const WORDS = {
  unreadable: {
    title: 'cannot be read',
    why: 'cannot be read any more, so that nothing can be done with it. Disconnect, and connect anew where you need it.',
  },
  unknown_provider: {
    title: 'is not used any more',
    why: 'is not used any more: the provider was taken away here. You can end the connection.',
  },
  no_rights: {
    title: 'is not used any more',
    why: 'is not used any more: no group of yours stands for anything here. You can end the connection.',
  },
} as const;

/** Names one of those reasons. */
export type EndingReason = keyof typeof WORDS;

/** Says that a connection is there that serves nobody, and lets its user end it; of an unreadable one that alone makes room for another. */
export function endingPage(
  question: Pick<ConnectQuestion, 'action' | 'ticket'> & { readonly displayName: string },
  reason: EndingReason,
  cookies: readonly string[],
): Promise<Response> {
  const { displayName } = question;
  const words = WORDS[reason];
  const content = html`<p class="warning">Your connection at ${displayName} ${words.why} To be sure that it is over there too, take the access away in the settings of your account at ${displayName}.</p>
${connectForm(question, [html`<button class="deny" name="answer" value="disconnect">Disconnect</button>`])}
<p class="quiet"><a href="/connect">All your connections</a></p>`;
  const title = `Your connection at ${displayName} ${words.title}`;
  return toPageResponse({ title, content, status: 200, formAction: ["'self'"], cookies });
}
