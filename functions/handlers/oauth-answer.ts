import type { AuditRecord } from '../core/audit.ts';
import { readForm } from '../core/client-auth.ts';
import type { Invocation } from '../core/invocation.ts';
import type { ClientEntry } from '../core/policy.ts';
import type { AuditLog, Unavailable } from '../core/ports.ts';
import { err, type Result } from '../core/result.ts';
import type { ClientRefusal } from './client-authentication.ts';

/** Every answer of the endpoints that clients post to (RFC 6749 §5.1). */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** What recording needs. */
export type RecordingPorts = { readonly audit: AuditLog; readonly now: () => number };

/** Reads the form of a request to an OAuth endpoint; another content type is `invalid_request`. */
export async function readRequestForm(request: Request): Promise<ReturnType<typeof readForm>> {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return err({ error: 'invalid_request', description: 'send application/x-www-form-urlencoded' });
  }
  return readForm(await request.text());
}

/** A JSON answer that nothing on the way may keep. */
export function oauthAnswer(body: Readonly<Record<string, unknown>>, invocation: Invocation): Response {
  return Response.json(body, { headers: { ...NO_STORE, 'x-request-id': invocation.requestId } });
}

/**
 * A refusal in the form of RFC 6749 §5.2; a dependency that is down is 503, too many attempts are 429 (RFC 6585 §4), neither ever an
 * answer about the request.
 */
export function oauthError(refusal: ClientRefusal, invocation: Invocation): Response {
  if ('reason' in refusal) {
    const isLimited = refusal.reason === 'rate_limited';
    const description = isLimited
      ? 'too many attempts; try again later'
      : 'a dependency is down; try again in a moment';
    return Response.json(
      { error: 'temporarily_unavailable', error_description: description },
      {
        status: isLimited ? 429 : 503,
        headers: {
          ...NO_STORE,
          'retry-after': String(isLimited ? refusal.retryAfterSeconds : 2),
          'x-request-id': invocation.requestId,
        },
      },
    );
  }
  const isClient = refusal.error === 'invalid_client';
  return Response.json(
    { error: refusal.error, error_description: refusal.description },
    {
      status: isClient ? 401 : 400,
      headers: {
        ...NO_STORE,
        'x-request-id': invocation.requestId,
        ...(isClient ? { 'www-authenticate': 'Basic realm="sallyport"' } : {}),
      },
    },
  );
}

/** Refuses and records it. A refusal stands whether or not it could be recorded. */
export async function recordRefusal(
  ports: RecordingPorts,
  invocation: Invocation,
  refusal: ClientRefusal,
  about: Partial<AuditRecord>,
): Promise<Response> {
  await recordDecision(ports, invocation, { decision: 'deny', reason: reasonOf(refusal), ...about });
  return oauthError(refusal, invocation);
}

/** Writes the record of one decision of the issuer; `area` is `token` where nothing else is said. */
export function recordDecision(
  ports: RecordingPorts,
  invocation: Invocation,
  fields: Pick<AuditRecord, 'decision' | 'reason'> & Partial<AuditRecord>,
): Promise<Result<void, Unavailable>> {
  return ports.audit.write({
    ts: new Date(ports.now()).toISOString(),
    request_id: invocation.requestId,
    event: 'decision',
    area: 'token',
    ...(invocation.traceId === undefined ? {} : { trace_id: invocation.traceId }),
    ...fields,
  });
}

/** A client as the party of a record. */
export function auditedClient(
  client: ClientEntry,
): Pick<AuditRecord, 'org_id' | 'client_id' | 'subject' | 'kind'> {
  return { org_id: client.org, client_id: client.id, subject: client.id, kind: 'agent' };
}

function reasonOf(refusal: ClientRefusal): string {
  if ('reason' in refusal) {
    return refusal.reason === 'rate_limited' ? refusal.reason : `unavailable: ${refusal.detail}`;
  }
  return refusal.cause === undefined ? refusal.error : `${refusal.error}: ${refusal.cause}`;
}
