import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** A sign-in as it is asked for. */
export type SignInQuestion = {
  /** The path behind the origin that it leads back to. */
  readonly returnTo: string;
  readonly gateway: string;
  readonly idps: readonly { readonly name: string; readonly displayName: string }[];
  /** Who is signed in in this browser; undefined: nobody. */
  readonly user: { readonly displayName: string; readonly idp: string } | undefined;
};

/** Asks where to sign in, for a page of ours. `formAction` names every place that the browser may be led to. */
export function signInPage(
  { returnTo, gateway, idps, user }: SignInQuestion,
  formAction: readonly string[],
  cookies: readonly string[],
): Promise<Response> {
  const who =
    user === undefined
      ? html`<p>The page that you opened at <strong>${gateway}</strong> is about your own accounts, so that it has to know who you are.</p>`
      : html`<p>You are signed in at <strong>${gateway}</strong> as <strong>${user.displayName}</strong> (${user.idp}). <a href="${returnTo}">Go on as ${user.displayName}</a>, or sign in as somebody else.</p>`;
  const words = (displayName: string) =>
    user === undefined ? `Sign in with ${displayName}` : `Sign in as somebody else at ${displayName}`;
  const content = html`${who}
<form method="post" action="/login" aria-label="Sign in">
<input type="hidden" name="return_to" value="${returnTo}">
${idps.map(
  ({ name, displayName }, index) =>
    html`<button class="${index === 0 && user === undefined ? 'first' : ''}" name="idp" value="${name}">${words(displayName)}</button>\n`,
)}</form>`;
  return toPageResponse({ title: 'Sign in', content, status: 200, formAction, cookies });
}
