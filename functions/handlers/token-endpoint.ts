import type { AuditRecord } from '../core/audit.ts';
import { type GrantPlan, isPublicOnly, type OAuthRefusal } from '../core/grant.ts';
import type { Invocation } from '../core/invocation.ts';
import { mintAccessToken } from '../core/mint.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { authenticateClient, type ClientRefusal } from './client-authentication.ts';
import { grantAuthorizationCode } from './grants/authorization-code.ts';
import { grantClientCredentials } from './grants/client-credentials.ts';
import type { Grant } from './grants/grant.ts';
import { grantJwtBearer } from './grants/jwt-bearer.ts';
import { grantRefreshToken } from './grants/refresh-token.ts';
import { grantTokenExchange } from './grants/token-exchange.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import {
  auditedClient,
  oauthAnswer,
  oauthError,
  readRequestForm,
  recordDecision,
  recordRefusal,
} from './oauth-answer.ts';
import { readSigningKey, signCompact } from './signature.ts';

/** Every grant type that is built, by its `grant_type`, and the name by which a client's registration allows it (contract §9). */
export const GRANTS: ReadonlyMap<string, { readonly registeredAs: string; readonly grant: Grant }> = new Map([
  ['client_credentials', { registeredAs: 'client_credentials', grant: grantClientCredentials }],
  ['authorization_code', { registeredAs: 'authorization_code', grant: grantAuthorizationCode }],
  ['refresh_token', { registeredAs: 'refresh_token', grant: grantRefreshToken }],
  [
    'urn:ietf:params:oauth:grant-type:token-exchange',
    { registeredAs: 'token-exchange', grant: grantTokenExchange },
  ],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', { registeredAs: 'jwt-bearer', grant: grantJwtBearer }],
]);

/**
 * `POST /oauth/token` (RFC 6749 §3.2). In this order: form, client authentication, grant type known and allowed for the client, the
 * grant's own rules, audit record, signature, then what must happen once, then the answer.
 */
export async function issueToken(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const refuse = (refusal: ClientRefusal, about: Partial<AuditRecord> = {}) =>
    recordRefusal(ports, invocation, refusal, { area: 'token', ...about });
  const read = await readRequestForm(request);
  if (!read.ok) return refuse(read.error);
  const { form, resources } = read.value;
  const authenticated = await authenticateClient(ports, request, form, invocation);
  if (!authenticated.ok) return refuse(authenticated.error);
  const { client, policy } = authenticated.value;
  const about = { ...auditedClient(client), policy_version: policy.version };
  const grantType = form.get('grant_type');
  const chosen = chooseGrant(client, grantType);
  if (!chosen.ok) return refuse(chosen.error, about);
  const granted = await chosen.value(ports, { client, policy, form, resources, invocation });
  if (!granted.ok) return refuse(granted.error, about);
  const { plan, members, commit } = granted.value;
  const token = await signAccessToken(ports, plan, policy, grantType ?? '', invocation);
  if (!token.ok) return oauthError(token.error, invocation);
  const committed = (await commit?.()) ?? ok(undefined);
  if (!committed.ok) return refuse(committed.error, { ...about, event: 'outcome' });
  return oauthAnswer({ ...tokenMembers(token.value, plan), ...members }, invocation);
}

const PUBLIC_ONLY_WARNING =
  'public-only: this token shows no items of teams and no private ones, and administers nothing; name `teams` for more';

/** The members of every token answer (RFC 6749 §5.1), and what its receiver would be surprised by. */
export function tokenMembers(token: string, plan: GrantPlan): Readonly<Record<string, unknown>> {
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: plan.lifetimeSeconds,
    scope: plan.scopes.join(' '),
    ...(isPublicOnly(plan) ? { warnings: [PUBLIC_ONLY_WARNING] } : {}),
  };
}

/** Signs a planned token. The audit record is durable before the signature exists: no record, no token. */
export async function signAccessToken(
  ports: IssuerPorts,
  plan: GrantPlan,
  policy: Policy,
  reason: string,
  invocation: Invocation,
): Promise<Result<string, Unavailable>> {
  const key = await readSigningKey(ports, invocation);
  if (!key.ok) return key;
  const unsigned = mintAccessToken(plan, {
    keyId: key.value.keyId,
    issuer: invocation.origin,
    nowSeconds: Math.floor(ports.now() / 1000),
    jti: ports.randomId(),
  });
  const about = {
    org_id: plan.orgId,
    subject: plan.subject,
    kind: plan.kind,
    client_id: plan.clientId,
    jti: unsigned.jti,
    scopes: plan.scopes,
    ...(plan.actors === undefined || plan.actors.length === 0 ? {} : { actors: plan.actors }),
    name: plan.audience,
    policy_version: policy.version,
  } as const;
  const written = await recordDecision(ports, invocation, { decision: 'allow', reason, ...about });
  if (!written.ok) return written;
  const signed = await signCompact(ports, unsigned.signingInput, key.value.keyId, invocation);
  if (signed.ok) return signed;
  const outcome = { event: 'outcome', decision: 'allow', reason: 'unavailable', ...about } as const;
  await recordDecision(ports, invocation, outcome);
  return signed;
}

function chooseGrant(client: ClientEntry, grantType: string | undefined): Result<Grant, OAuthRefusal> {
  if (grantType === undefined) {
    return err({ error: 'invalid_request', description: '`grant_type` is missing' });
  }
  const known = GRANTS.get(grantType);
  if (known === undefined) {
    return err({
      error: 'unsupported_grant_type',
      description: 'the grant types are listed in the authorization server metadata',
    });
  }
  return client.grants.includes(known.registeredAs)
    ? ok(known.grant)
    : err({ error: 'unauthorized_client', description: 'this client may not use this grant' });
}
