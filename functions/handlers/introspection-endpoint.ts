import type { AuditRecord } from '../core/audit.ts';
import { Caller } from '../core/caller.ts';
import { parseJwsObject } from '../core/compact-jws.ts';
import type { Invocation } from '../core/invocation.ts';
import { type Json, type JsonObject, writeJson } from '../core/json.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import { err, ok, type Result } from '../core/result.ts';
import { resourceOf } from '../core/route.ts';
import type { VerifiedRunToken } from '../core/run-token.ts';
import { ServiceRun } from '../core/service-run.ts';
import type { VerifiedToken } from '../core/token.ts';
import { authenticateClient, type ClientRefusal } from './client-authentication.ts';
import { checkLogin } from './grants/family.ts';
import type { FoundRefreshToken } from './grants/refresh-token.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import {
  auditedClient,
  oauthAnswer,
  readRequestForm,
  recordDecision,
  recordRefusal,
} from './oauth-answer.ts';
import { readPresentedToken } from './presented-token.ts';
import { lookForRevocation } from './revocation-look.ts';

/** Who asks, under which policy. */
type Asking = { readonly client: ClientEntry; readonly policy: Policy; readonly invocation: Invocation };

/** The members of an answer about a token that is active; undefined where it is not, for this client. */
type Answer = Readonly<Record<string, unknown>> | undefined;

/**
 * `POST /oauth/introspect` (RFC 7662): for a client that authenticates, about tokens that concern it: its own, and those that are meant
 * for the MCP server that it is (`server` in clients.yml), identity and run tokens among them. Whatever else it asks about, and
 * whatever is expired, revoked or stands for nobody any more, is exactly `{"active": false}`.
 */
export async function introspectToken(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const refuse = (refusal: ClientRefusal, about: Partial<AuditRecord> = {}) =>
    recordRefusal(ports, invocation, refusal, { area: 'token', method: 'introspect', ...about });
  const read = await readRequestForm(request);
  if (!read.ok) return refuse(read.error);
  const { form } = read.value;
  const authenticated = await authenticateClient(ports, request, form, invocation);
  if (!authenticated.ok) return refuse(authenticated.error);
  const { client, policy } = authenticated.value;
  const about = { ...auditedClient(client), policy_version: policy.version };
  if (client.auth === 'none') {
    return refuse({ error: 'invalid_client', description: 'client authentication is missing' }, about);
  }
  const token = form.get('token');
  if (token === undefined) {
    return refuse({ error: 'invalid_request', description: '`token` is missing' }, about);
  }
  const answer = await describe(ports, { client, policy, invocation }, token);
  if (!answer.ok) return refuse(answer.error, about);
  const isActive = answer.value !== undefined;
  const written = await recordDecision(ports, invocation, {
    method: 'introspect',
    decision: isActive ? 'allow' : 'deny',
    reason: isActive ? 'active' : 'inactive',
    ...about,
    ...(typeof answer.value?.['jti'] === 'string' ? { jti: answer.value['jti'] } : {}),
  });
  if (!written.ok && isActive) return refuse(written.error, about);
  return oauthAnswer(isActive ? { active: true, ...answer.value } : { active: false }, invocation);
}

async function describe(
  ports: IssuerPorts,
  asking: Asking,
  compact: string,
): Promise<Result<Answer, ClientRefusal>> {
  const presented = await readPresentedToken(ports, asking, compact);
  if (!presented.ok) return presented;
  switch (presented.value.kind) {
    case 'access':
      return describeAccess(ports, asking, presented.value.token, compact);
    case 'run':
      return describeRun(ports, asking, presented.value.token, compact);
    case 'refresh':
      return describeRefresh(ports, asking, presented.value.found);
    case 'none':
      return describeIdentity(ports, asking, compact);
  }
}

async function describeAccess(
  ports: IssuerPorts,
  { client, policy, invocation }: Asking,
  token: VerifiedToken,
  compact: string,
): Promise<Result<Answer, ClientRefusal>> {
  const { claims } = token;
  const isForServer =
    client.server !== undefined && token.admits([resourceOf(client.server, invocation.origin)]);
  if (claims.clientId !== client.id && !isForServer) return ok(undefined);
  const revoked = await lookForRevocation(ports.revocations, policy, claims, { fresh: true });
  if (!revoked.ok) return revoked;
  const caller = Caller.fromToken(token, policy, Math.floor(ports.now() / 1000));
  if (revoked.value || !caller.ok) return ok(undefined);
  return ok({ ...claimsOf(compact), ...whatHolds(caller.value), token_type: 'Bearer' });
}

/** An identity token, by which a server knows who calls it (contract §7), is for that server alone. */
async function describeIdentity(
  ports: IssuerPorts,
  { client, policy, invocation }: Asking,
  compact: string,
): Promise<Result<Answer, ClientRefusal>> {
  const url = policy.servers.get(client.server ?? '')?.url;
  if (url === undefined) return ok(undefined);
  const caller = await ports.ingress.verifyDelegation(compact, url, invocation.origin);
  if (caller.ok) return ok({ ...claimsOf(compact), ...whatHolds(caller.value) });
  return caller.error.reason === 'unavailable' ? err(caller.error) : ok(undefined);
}

/** A run token: all that still holds of it for the coordinator, and for a service what it says of that service. */
async function describeRun(
  ports: IssuerPorts,
  { client, policy }: Asking,
  token: VerifiedRunToken,
  compact: string,
): Promise<Result<Answer, ClientRefusal>> {
  const { claims } = token;
  const isOwn = claims.clientId === client.id;
  const service = client.server ?? '';
  const section = claims.services.get(service);
  if (!isOwn && section === undefined) return ok(undefined);
  const coordinator = { ...claims, subject: claims.clientId };
  const revoked = await lookForRevocation(ports.revocations, policy, coordinator, { fresh: true });
  if (!revoked.ok) return revoked;
  const shown = [...claims.services].filter(([name]) => {
    const run = Caller.fromRun(new ServiceRun(token, name), policy);
    return (isOwn || name === service) && run.ok && run.value.context.namespace !== undefined;
  });
  if (revoked.value || shown.length === 0) return ok(undefined);
  const services = Object.fromEntries(shown.map(([name, one]) => [name, plain(one)]));
  return ok({ ...claimsOf(compact), services, ...(isOwn ? {} : { aud: service }) });
}

async function describeRefresh(
  ports: IssuerPorts,
  { policy, invocation }: Asking,
  { grant, family, record, isCurrent }: FoundRefreshToken,
): Promise<Result<Answer, ClientRefusal>> {
  if (!isCurrent) return ok(undefined);
  const login = await checkLogin(ports, policy, family);
  if (!login.ok) return 'error' in login.error ? ok(undefined) : login;
  return ok({
    iss: invocation.origin,
    sub: grant.subject,
    client_id: grant.clientId,
    org_id: family.orgId,
    scope: grant.scopes.join(' '),
    exp: record.expiresAtSeconds,
  });
}

/** What the running policy still gives: a token may say more. */
function whatHolds(caller: Caller): Readonly<Record<string, unknown>> {
  return {
    scope: caller.scopes.join(' '),
    namespace: plainly(caller.context.namespace),
    scope_filters: plainly(caller.context.scopeFilters),
    ...(caller.groups.length > 0 ? { groups: caller.groups } : { groups: undefined }),
    teams: caller.teams.length > 0 ? caller.teams : undefined,
  };
}

/** The claims of a token that was verified. */
function claimsOf(compact: string): Readonly<Record<string, unknown>> {
  return plain(parseJwsObject(compact.split('.')[1] ?? '') ?? new Map());
}

function plainly(value: Json | undefined): unknown {
  return value === undefined ? undefined : JSON.parse(writeJson(value));
}

function plain(object: JsonObject): Readonly<Record<string, unknown>> {
  return JSON.parse(writeJson(object));
}
