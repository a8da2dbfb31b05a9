import type { AuditRecord } from '../../core/audit.ts';
import type { AuthorizationRefusal } from '../../core/authorization-request.ts';
import { type Addressee, errorResponse } from '../../core/authorization-response.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { ClientEntry } from '../../core/policy.ts';
import { type RecordingPorts, recordDecision } from '../oauth-answer.ts';
import { PRIVATE_HEADERS } from '../pages/page.ts';
import { type BrowserProblem, problemPage } from '../pages/problem-page.ts';
import { refusalPage } from '../pages/refusal-page.ts';

/** Sends a browser on. 303: whatever it came with stays here (RFC 9700 §4.12). */
export function sendOn(location: string, cookies: readonly string[] = []): Response {
  const response = new Response(null, { status: 303, headers: { location, ...PRIVATE_HEADERS } });
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}

/** Tells the user why it ends here, and records it. Nobody is sent anywhere. */
export async function endHere(
  ports: RecordingPorts,
  invocation: Invocation,
  problem: BrowserProblem,
  about: Partial<AuditRecord> = {},
): Promise<Response> {
  await recordDecision(ports, invocation, { area: 'login', decision: 'deny', reason: problem, ...about });
  return problemPage(problem, invocation.requestId);
}

/** Tells the client why there is no code, and records it; `cause` says in the record what the client need not know. */
export async function refuseClient(
  ports: RecordingPorts,
  invocation: Invocation,
  to: Addressee,
  refusal: AuthorizationRefusal,
  { cause, ...about }: Partial<AuditRecord> & { readonly cause?: string } = {},
): Promise<Response> {
  const reason = cause === undefined ? refusal.error : `${refusal.error}: ${cause}`;
  await recordDecision(ports, invocation, { area: 'login', decision: 'deny', reason, ...about });
  return sendOn(errorResponse(to, refusal, invocation.origin));
}

/**
 * {@link refuseClient} for a client that nobody has vetted, before the user has answered anything: whoever made it chose both the error and
 * where it would lead, so that a page of ours shows them and the user decides (RFC 9700 §4.11.2).
 */
export async function refuseOnPage(
  ports: RecordingPorts,
  invocation: Invocation,
  to: Addressee & { readonly host: string | undefined },
  refusal: AuthorizationRefusal,
  about: Partial<AuditRecord>,
): Promise<Response> {
  const reason = refusal.error;
  await recordDecision(ports, invocation, { area: 'login', decision: 'deny', reason, ...about });
  const { redirectUri, host } = to;
  const answerUrl = errorResponse(to, refusal, invocation.origin);
  return refusalPage({ refusal, host, redirectUri, answerUrl, requestId: invocation.requestId });
}

/** The client of a record while no user is known. */
export function auditedApplication(client: ClientEntry): Pick<AuditRecord, 'org_id' | 'client_id'> {
  return { org_id: client.org, client_id: client.id };
}
