import type { AuditRecord } from '../core/audit.ts';
import { DYNAMIC_PREFIX } from '../core/client-id.ts';
import {
  type ClientMetadata,
  type MetadataRefusal,
  narrowScopes,
  parseClientMetadata,
  writeClientMetadata,
} from '../core/client-metadata.ts';
import type { Invocation } from '../core/invocation.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import type { Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import type { RateLimit, RateLimited } from '../core/rate-limit.ts';
import { err, type Result } from '../core/result.ts';
import { networkOf } from '../core/source-network.ts';
import { readBody } from './body.ts';
import { acceptsRegistrations } from './client-metadata.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { NO_STORE, oauthError, recordDecision } from './oauth-answer.ts';
import { problem } from './problem.ts';
import { checkRate, countOne } from './rate-counter.ts';
import { writeRegisteredClient } from './registered-clients.ts';

const MAX_BYTES = 16_384;
/** Registrations from one network, and all of them together: nobody fills the table, and it takes 250 networks to use it up for the others. */
const FROM_ONE_ADDRESS: RateLimit = { name: 'register-address', max: 20, windowSeconds: 3_600 };
const ALTOGETHER: RateLimit = { name: 'register', max: 5_000, windowSeconds: 3_600 };

/** Refused for its form, not now, or too often. */
type RegistrationRefusal =
  | MetadataRefusal
  | Unavailable
  | RateLimited
  | { readonly error: 'payload_too_large'; readonly description: string };

/**
 * `POST /oauth/register` (RFC 7591 §3), off unless `registration.dynamic` is on: then it is as if it were not there. In this order: rate,
 * media type, 16 KB, strict JSON, metadata; then the audit record, then the client. It gets an id of our making and no secret, acts for
 * users alone, may have what every such client may have and of that the scopes that it registered, and is forgotten after 90 days. What it says of itself is nobody's word but its own.
 */
export async function registerClient(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const book = await ports.rulebook.read();
  if (!book.ok) return oauthError(book.error, invocation);
  const { policy } = book.value;
  if (!acceptsRegistrations(policy)) {
    return problem('not_found', 'there is nothing here', invocation.requestId);
  }
  const refuse = async (refusal: RegistrationRefusal) => {
    const reason = 'error' in refusal ? refusal.error : refusal.reason;
    await record(ports, invocation, policy, { decision: 'deny', reason });
    return registrationError(refusal, invocation);
  };
  const limits = limitsOf(invocation.sourceIp);
  const checks = await Promise.all(limits.map(([limit, subject]) => checkRate(ports, limit, subject)));
  for (const check of checks) if (!check.ok) return refuse(check.error);
  const metadata = await readMetadata(request, policy.registration.allowPrivate);
  if (!metadata.ok) return refuse(metadata.error);
  const registration = narrowScopes(metadata.value, policy.registration.scopes);
  const clientId = DYNAMIC_PREFIX + Buffer.from(ports.randomBytes(24)).toString('base64url');
  const reason = { decision: 'allow', reason: 'registered', client_id: clientId } as const;
  const written = await record(ports, invocation, policy, reason);
  if (!written.ok) return oauthError(written.error, invocation);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const registered = await countAndKeep(ports, limits, clientId, registration, nowSeconds);
  if (!registered.ok) return registrationError(registered.error, invocation);
  const answer = {
    client_id: clientId,
    client_id_issued_at: nowSeconds,
    ...writeClientMetadata(registration),
  };
  return Response.json(answer, {
    status: 201,
    headers: { ...NO_STORE, 'x-request-id': invocation.requestId },
  });
}

/** A limit, and whose count of it. */
type Count = readonly [limit: RateLimit, subject: readonly string[]];

function limitsOf(sourceIp: string): readonly Count[] {
  return [
    [FROM_ONE_ADDRESS, [networkOf(sourceIp)]],
    [ALTOGETHER, []],
  ];
}

async function readMetadata(
  request: Request,
  allowPrivate: boolean,
): Promise<Result<ClientMetadata, RegistrationRefusal>> {
  const refused = (description: string) => err({ error: 'invalid_client_metadata', description } as const);
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') return refused('send application/json');
  const bytes = await readBody(request, MAX_BYTES);
  if (bytes === undefined) return err({ error: 'payload_too_large', description: 'at most 16 KB' });
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isJsonObject(parsed.value)) return refused('send one JSON object, no member twice');
  return parseClientMetadata(parsed.value, { allowPrivate });
}

/** Counted first: whoever registers many at once gets no more of them. */
async function countAndKeep(
  ports: IssuerPorts,
  limits: readonly Count[],
  clientId: string,
  metadata: ClientMetadata,
  nowSeconds: number,
): Promise<Result<void, Unavailable | RateLimited>> {
  for (const [limit, subject] of limits) {
    const counted = await countOne(ports, limit, subject);
    if (!counted.ok) return counted;
  }
  return writeRegisteredClient(ports.records, clientId, metadata, nowSeconds);
}

function record(
  ports: IssuerPorts,
  invocation: Invocation,
  policy: Policy,
  fields: Pick<AuditRecord, 'decision' | 'reason'> & Partial<AuditRecord>,
): Promise<Result<void, Unavailable>> {
  const about = { area: 'registration', policy_version: policy.version } as const;
  return recordDecision(ports, invocation, { ...about, ...fields });
}

function registrationError(refusal: RegistrationRefusal, invocation: Invocation): Response {
  if ('reason' in refusal) return oauthError(refusal, invocation);
  const isTooLarge = refusal.error === 'payload_too_large';
  const error = isTooLarge ? 'invalid_client_metadata' : refusal.error;
  return Response.json(
    { error, error_description: refusal.description },
    {
      status: isTooLarge ? 413 : 400,
      headers: { ...NO_STORE, 'x-request-id': invocation.requestId },
    },
  );
}
