import { CODE_LIFETIME_SECONDS, type CodeGrant } from '../../core/authorization-code.ts';
import { MAX_LIFETIME_SECONDS } from '../../core/grant.ts';
import { isStillVouchedFor, type LoginGrant } from '../../core/login-grant.ts';
import type { Policy } from '../../core/policy.ts';
import type { Unavailable } from '../../core/ports.ts';
import { REFRESH_LIFETIME_SECONDS } from '../../core/refresh-token.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { recordDecision } from '../oauth-answer.ts';
import { lookForRevocation } from '../revocation-look.ts';
import type { GrantRequest } from './grant.ts';

/** Clocks of two environments, and the tolerance of those who verify. */
const MARGIN_SECONDS = 60;

/** A login's family, and the organisation of its user. */
export type Family = { readonly orgId: string; readonly login: LoginGrant; readonly beganAtSeconds: number };

/** When the login of a code began: when the code was made. */
export function beginningOf(grant: CodeGrant): number {
  return grant.expiresAtSeconds - CODE_LIFETIME_SECONDS;
}

/**
 * Ends a login: its refresh tokens, and every access token that came of it, whenever it was issued. It ends first and is recorded then:
 * what somebody uses a second time is in two hands. `unavailable` where it could not be ended.
 */
export async function endFamily(
  ports: IssuerPorts,
  { orgId, login }: Family,
  request: Pick<GrantRequest, 'client' | 'policy' | 'invocation'>,
  reason: string,
): Promise<Result<void, Unavailable>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  const overSeconds = nowSeconds + REFRESH_LIFETIME_SECONDS + MAX_LIFETIME_SECONDS + MARGIN_SECONDS;
  const revoked = await ports.revocations.revoke({
    orgId,
    kind: 'family',
    id: login.family,
    beforeSeconds: overSeconds,
    forgetAtSeconds: overSeconds,
  });
  if (!revoked.ok) return revoked;
  const written = await recordDecision(ports, request.invocation, {
    area: 'revocation',
    decision: 'allow',
    reason,
    org_id: orgId,
    subject: login.subject,
    kind: 'user',
    client_id: request.client.id,
    jti: login.family,
    policy_version: request.policy.version,
  });
  if (!written.ok) {
    const { requestId } = request.invocation;
    ports.log({ level: 'error', event: 'audit_unavailable', request_id: requestId, reason });
  }
  return ok(undefined);
}

/** Refuses what was used before, once its login is ended. */
export async function refuseSecondUse(
  ports: IssuerPorts,
  family: Family,
  request: GrantRequest,
  cause: 'code_used_twice' | 'refresh_token_reused',
): Promise<Result<never, ClientRefusal>> {
  const ended = await endFamily(ports, family, request, cause);
  return ended.ok ? invalidGrant(cause) : ended;
}

/** Is the login still good: vouched for by an identity provider of its organisation, and not revoked at this moment? */
export async function checkLogin(
  ports: IssuerPorts,
  policy: Policy,
  { orgId, login, beganAtSeconds }: Family,
): Promise<Result<void, ClientRefusal>> {
  if (!isStillVouchedFor(policy, login.subject, orgId)) return invalidGrant('identity_provider_gone');
  const revoked = await lookForRevocation(
    ports.revocations,
    policy,
    {
      orgId,
      jti: login.family,
      clientId: login.clientId,
      subject: login.subject,
      groups: login.groups,
      issuedAtSeconds: beganAtSeconds,
      expiresAtSeconds: beganAtSeconds + REFRESH_LIFETIME_SECONDS,
    },
    { fresh: true },
  );
  if (!revoked.ok) return revoked;
  return revoked.value ? invalidGrant('login_revoked') : ok(undefined);
}

/** The one answer to a code or a refresh token that gives nothing (RFC 6749 §5.2), whatever is wrong with it. */
export function invalidGrant(cause: string): Result<never, ClientRefusal> {
  return err({
    error: 'invalid_grant',
    description:
      'it is unknown, expired, used, revoked or of another client, or its verifier or redirect URI does not match',
    cause,
  });
}
