import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** A link that was made for another user, as it is shown. */
export type SomebodyElse = {
  /** Who is signed in. */
  readonly displayName: string;
  /** Where to sign in as another and come back. */
  readonly loginUrl: string;
  readonly requestId: string;
};

/** Says that a link is not for who is signed in. It names nobody else, and asks nothing. */
export function somebodyElsePage({ displayName, loginUrl, requestId }: SomebodyElse): Promise<Response> {
  const content = html`<p>You are signed in here as <strong>${displayName}</strong>, and this link was made for another user. Nothing was connected.</p>
<p>If you opened it from your own application, <a href="${loginUrl}">sign in as the user that you are there</a>, or <a href="/logout">sign out</a>. If somebody sent it to you, close this page: what you connect would be theirs to use.</p>
<p class="quiet">For an administrator: request ${requestId}</p>`;
  return toPageResponse({ title: 'This link is for somebody else', content, status: 403 });
}
