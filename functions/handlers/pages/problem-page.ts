import { html } from 'hono/html';
import { toPageResponse } from './page.ts';

/** Why a browser is told something in place of being sent on; each is one page. */
// biome-ignore format: one row per problem
const PROBLEMS = {
  unknown_client:     { status: 400, title: 'This application is not known here', text: 'The link names an application that is not registered for signing users in, or no longer. Nobody was signed in. Ask whoever runs the application.' },
  redirect_uri:       { status: 400, title: 'This link would lead somewhere else', text: 'The address that the answer should go to is not one that is registered for this application. Nobody was signed in, and you have not been sent there.' },
  bad_request:        { status: 400, title: 'This link is not complete', text: 'An application made this link, and something in it is missing or there twice. Go back to the application and start again.' },
  wrong_browser:      { status: 400, title: 'This is not the browser that began', text: 'The sign-in was begun in another browser, or this one keeps no cookies for this site. Go back to the application and start again, in one browser.' },
  expired:            { status: 400, title: 'This took too long', text: 'A sign-in has to be finished within ten minutes. Go back to the application and start again.' },
  used:               { status: 400, title: 'This was used already', text: 'A page can be answered once. If the application does not go on, go back to it and start again.' },
  changed:            { status: 400, title: 'Something has changed meanwhile', text: 'What you were asked for has changed since the page was shown. Go back to the application and start again.' },
  not_from_our_page:  { status: 403, title: 'This did not come from our page', text: 'Another site tried to answer in your place. Nothing was allowed.' },
  incomplete:         { status: 500, title: 'This sign-in is not set up here', text: 'The setup of this identity provider is incomplete here, so that nobody can sign in with it. You have not been sent there. Tell whoever runs this site.' },
  too_large:          { status: 413, title: 'This is too large', text: 'Go back to the application and start again.' },
  bad_return:         { status: 400, title: 'This link leads nowhere', text: 'A sign-in leads back to a page of this site alone, and the link names none. Go back to where you found it and start again.' },
  no_login:           { status: 400, title: 'Nobody can sign in here', text: 'No identity provider is set up for you at this site. Ask whoever runs it.' },
  not_signed_in:      { status: 400, title: 'You are not signed in', text: 'The sign-in at the identity provider was not completed. Open the page again to try once more.' },
  not_accepted:       { status: 502, title: 'You could not be signed in', text: 'The answer of the identity provider was not accepted. Tell whoever runs this site.' },
  no_rights:          { status: 403, title: 'There is nothing here for you', text: 'You are known, but no group of yours stands for anything at this site. Ask whoever runs it.' },
  bad_link:           { status: 400, title: 'This link does not hold', text: 'It is not complete, or was not made here for this page. Nothing was connected. Go back to where you found it and start again.' },
  unknown_provider:   { status: 404, title: 'There is nothing here', text: 'There is no such provider for you at this site. Nothing was connected.' },
  signed_out:         { status: 400, title: 'You are not signed in', text: 'The sign-in in this browser has ended meanwhile. Nothing was changed. Open the page again.' },
  not_connected:      { status: 400, title: 'Nothing was connected', text: 'The provider says that access was not given. You can close this page, or open it again to try once more.' },
  provider_refused:   { status: 502, title: 'Nothing was connected', text: 'The answer of the provider was not accepted, or it did not accept ours. Tell whoever runs this site.' },
  unavailable:        { status: 503, title: 'Try again in a moment', text: 'Something that is needed for signing in does not answer now. Nothing was lost: reload this page, or start again from the application.' },
  interrupted:        { status: 503, title: 'This could not be finished', text: 'Something that is needed for signing in does not answer now. This sign-in was used up: in a moment, go back to the application and start again.' },
} as const;

/** The name of a problem. */
export type BrowserProblem = keyof typeof PROBLEMS;

/** The page of a problem. It names nothing of the request, and the request id for an operator. */
export function problemPage(problem: BrowserProblem, requestId: string): Promise<Response> {
  const { status, title, text } = PROBLEMS[problem];
  const content = html`<p>${text}</p>
<p class="quiet">For an administrator: request ${requestId}</p>`;
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '2' } : {};
  return toPageResponse({ status, title, content, headers });
}
