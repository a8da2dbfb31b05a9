import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** Asks whoever is signed in in this browser whether that shall end. */
export function signOutPage(displayName: string): Promise<Response> {
  const content = html`<p>You are signed in here as <strong>${displayName}</strong>.</p>
<form method="post" action="/logout" aria-label="Sign out">
<button class="first">Sign out</button>
</form>
<p class="quiet">Applications keep what you allowed them, until they sign out or it ends; and you stay signed in where you signed in with.</p>`;
  return toPageResponse({ title: 'Sign out?', content, status: 200, formAction: ["'self'"] });
}

/** Says that nobody is signed in in this browser, now or any more. `cookies` are to be forgotten. */
export function signedOutPage(cookies: readonly string[] = []): Promise<Response> {
  const content = html`<p>Nobody is signed in here in this browser. You can close this page.</p>`;
  return toPageResponse({ title: 'You are signed out', content, status: 200, cookies });
}
