import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** An account that was chosen while another one is connected, as it is shown. */
export type OtherAccount = {
  readonly displayName: string;
  /** The one that stays. */
  readonly connected: string;
  /** The path of the connect page. */
  readonly page: string;
};

/** Says that another account is connected, and stays so: nobody's account takes the place of another unnoticed. */
export function otherAccountPage({ displayName, connected, page }: OtherAccount): Promise<Response> {
  const content = html`<p>You are connected at ${displayName} as <strong>${connected}</strong>, and what was chosen just now is another account, or cannot be told from one. Nothing was changed.</p>
<p>To take the other account, <a href="${page}">disconnect first</a>. If you did not choose an account yourself, somebody else may be signed in at ${displayName} in this browser.</p>`;
  return toPageResponse({ title: 'This is another account', content, status: 409 });
}
