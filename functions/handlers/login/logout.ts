import type { Invocation } from '../../core/invocation.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { recordDecision } from '../oauth-answer.ts';
import { problemPage } from '../pages/problem-page.ts';
import { signedOutPage, signOutPage } from '../pages/sign-out-page.ts';
import { endHere } from './answer.ts';
import { isSameOrigin } from './browser.ts';
import { endSession, readOwnSession } from './sessions.ts';

/** `GET /logout`: asks whether the session of this browser shall end. It changes nothing: any page can lead a browser here. */
export async function askToSignOut(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const session = await readOwnSession(ports, request);
  if (!session.ok) return problemPage('unavailable', invocation.requestId);
  return session.value === undefined ? signedOutPage() : signOutPage(session.value.displayName);
}

/**
 * `POST /logout`, from a page of ours alone: ends the session of this browser for good, wherever else its cookie may be. What applications were
 * given stands, and so does the session at the identity provider. It ends whether or not that can be recorded.
 */
export async function signOut(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  if (!isSameOrigin(request, invocation.origin)) return endHere(ports, invocation, 'not_from_our_page');
  const ended = await endSession(ports, request);
  if (!ended.ok) return endHere(ports, invocation, 'unavailable');
  const { session, cookie } = ended.value;
  if (session !== undefined) {
    await recordDecision(ports, invocation, {
      area: 'login',
      decision: 'allow',
      reason: 'signed_out',
      org_id: session.orgId,
      subject: session.subject,
      kind: 'user',
      name: session.idp,
    });
  }
  return signedOutPage([cookie]);
}
