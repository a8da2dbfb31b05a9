import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** Says that a connection is forgotten, and whether the provider has ended it too. */
export function disconnectedPage(displayName: string, revoked: boolean): Promise<Response> {
  const there = revoked
    ? html`<p>The connection is forgotten here, and ${displayName} has ended it.</p>`
    : html`<p>The connection is forgotten here. ${displayName} could not be asked to end it: to be sure, take the access away in the settings of your account there.</p>`;
  const content = html`${there}
<p><a href="/connect">All your connections</a></p>`;
  return toPageResponse({ title: `${displayName} is disconnected`, content, status: 200 });
}

/** Says that the user did not connect. */
export function nothingConnectedPage(displayName: string): Promise<Response> {
  const content = html`<p>Your account at ${displayName} was not connected. You can close this page.</p>`;
  return toPageResponse({ title: 'Nothing was connected', content, status: 200 });
}
