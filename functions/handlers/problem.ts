import { STATUS_CODES } from 'node:http';
import { type Denial, retryAfterSeconds } from '../core/denial.ts';
import { toWire } from '../core/denial-wire.ts';

/** The `code` of a problem and its HTTP status (contract §10). */
const STATUS = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  conflict: 409,
  failed_precondition: 412,
  payload_too_large: 413,
  rate_limited: 429,
  internal: 500,
  upstream_error: 502,
  unavailable: 503,
} as const;

/** Stable codes that a client may switch on. */
export type ProblemCode = keyof typeof STATUS;

/** How long a caller waits before it asks again when a dependency is down. */
const RETRY_AFTER_SECONDS = '2';

/**
 * An RFC 9457 answer, titled by its status as §4.2.1 asks for `about:blank`. `status` differs from the code's own only where HTTP has a finer word (405, 415). `detail` is read by people and must hold no secret, path, ARN, table or function name.
 * `unavailable` carries `Retry-After`. `members` are further ones (RFC 9457 §3.2).
 */
export function problem(
  code: ProblemCode,
  detail: string,
  requestId: string,
  extraHeaders: Readonly<Record<string, string>> = {},
  status: number = STATUS[code],
  members: Readonly<Record<string, string>> = {},
): Response {
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? code,
    status,
    detail,
    code,
    request_id: requestId,
    ...members,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...(code === 'unavailable' ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
      ...extraHeaders,
    },
  });
}

/** A denial as a problem; nothing of its detail. Where a user has to connect an account, `connect_url` says where. */
export function denialProblem(denial: Denial, requestId: string): Response {
  const { code, text, status } = toWire(denial);
  const retryAfter = retryAfterSeconds(denial);
  const headers: Record<string, string> = {
    ...(denial.reason === 'method_not_allowed' ? { allow: 'POST' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  };
  const members: Record<string, string> =
    denial.reason === 'connection_required' ? { connect_url: denial.url } : {};
  return problem(code, text, requestId, headers, status, members);
}
