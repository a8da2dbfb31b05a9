import { html } from 'hono/html';
import type { AuthorizationRefusal } from '../../core/authorization-request.ts';
import { toPageResponse } from './page.ts';
import { describeRedirect } from './redirect-target.ts';

/** A refusal as it is shown in place of being sent on. */
export type ShownRefusal = {
  readonly refusal: AuthorizationRefusal;
  /** Where the application is published; undefined for one that has no address of its own. */
  readonly host: string | undefined;
  readonly redirectUri: string;
  /** The answer to the application, which the browser is led to when the user follows the link. */
  readonly answerUrl: string;
  readonly requestId: string;
};

/** The page of a request that an application which nobody has vetted got wrong. It says where its link leads, and leads nowhere by itself. */
export function refusalPage(shown: ShownRefusal): Promise<Response> {
  const { refusal, host, redirectUri, answerUrl, requestId } = shown;
  const target = describeRedirect(redirectUri).text;
  const content = html`<p>An application asked for a sign-in in a way that cannot be answered. Nobody was signed in, and you have not been sent there.</p>
<dl>
${
  host === undefined
    ? ''
    : html`<dt>Application</dt><dd>${host}</dd>
`
}<dt>The answer goes to</dt><dd>${target}</dd>
<dt>For its developer</dt><dd>${refusal.description}<code>${refusal.error}</code></dd>
</dl>
<p>Nobody here has looked at this application. If you know it, you can <a href="${answerUrl}" rel="noreferrer">go back to it</a>; if you do not, close this page.</p>
<p class="quiet">For an administrator: request ${requestId}</p>`;
  return toPageResponse({
    title: 'This application asked in a way that does not work',
    content,
    status: 400,
  });
}
