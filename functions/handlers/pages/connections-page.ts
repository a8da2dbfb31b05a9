import { html } from 'hono/html';
import type { Connection } from '../../core/connection.ts';
import { toPageResponse } from './page.ts';

/** A user's connections, as they are shown. */
export type ShownConnections = {
  readonly user: string;
  readonly gateway: string;
  readonly providers: readonly {
    readonly displayName: string;
    /** The path of its connect page. */
    readonly page: string;
    readonly connection: Connection | undefined;
    /** False where it serves no call any more, and can only be ended. */
    readonly isUsable: boolean;
  }[];
};

/** The providers that there are for a user, and what is connected. */
export function connectionsPage({ user, gateway, providers }: ShownConnections): Promise<Response> {
  const items = providers.map(
    ({ displayName, page, connection, isUsable }) =>
      html`<li><a href="${page}">${displayName}</a><code>${isUsable ? stateWords(connection) : 'not used any more: disconnect'}</code></li>\n`,
  );
  const content = html`<p>You are signed in at <strong>${gateway}</strong> as <strong>${user}</strong>. Servers that work in your name use these accounts.</p>
${providers.length === 0 ? html`<p>There is no provider here at which you could connect an account.</p>` : html`<ul aria-label="Providers">${items}</ul>`}
<p class="quiet"><a href="/logout">Sign out</a></p>`;
  return toPageResponse({ title: 'Your connections', content, status: 200 });
}

function stateWords(connection: Connection | undefined): string {
  if (connection === undefined) return 'not connected';
  const account = connection.account?.name ?? connection.account?.id;
  const words = connection.status === 'broken' ? 'broken: connect again' : 'connected';
  return account === undefined ? words : `${words} (${account})`;
}
