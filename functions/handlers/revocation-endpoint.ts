import type { AuditRecord } from '../core/audit.ts';
import type { Invocation } from '../core/invocation.ts';
import { KeySet } from '../core/signed-token.ts';
import { VerifiedToken } from '../core/token.ts';
import { authenticateClient, type ClientRefusal } from './client-authentication.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import {
  auditedClient,
  NO_STORE,
  oauthError,
  readRequestForm,
  recordDecision,
  recordRefusal,
} from './oauth-answer.ts';

/**
 * `POST /oauth/revoke` (RFC 7009): an unknown token is 200, another client's is left alone (the record says so), a token of this
 * client is dead when this answers.
 */
export async function revokeToken(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const refuse = (refusal: ClientRefusal, about: Partial<AuditRecord> = {}) =>
    recordRefusal(ports, invocation, refusal, { area: 'revocation', ...about });
  const read = await readRequestForm(request);
  if (!read.ok) return refuse(read.error);
  const { form } = read.value;
  const authenticated = await authenticateClient(ports, request, form, invocation);
  if (!authenticated.ok) return refuse(authenticated.error);
  const { client } = authenticated.value;
  const token = form.get('token');
  if (token === undefined) {
    return refuse({ error: 'invalid_request', description: '`token` is missing' }, auditedClient(client));
  }
  const nowSeconds = Math.floor(ports.now() / 1000);
  // Our own keys, not the published copy of them: a token that looks unknown here would be left alive.
  const published = await ports.keys.publish();
  if (!published.ok) return oauthError(published.error, invocation);
  const keys = new KeySet(published.value);
  const verified = VerifiedToken.verify(token, {
    kind: 'access',
    issuer: invocation.origin,
    keys,
    nowSeconds,
  });
  if (!verified.ok || verified.value.claims.clientId !== client.id) {
    const reason = verified.ok ? 'another_clients_token' : `bad_token: ${verified.error.detail}`;
    await recordDecision(ports, invocation, {
      area: 'revocation',
      decision: 'deny',
      reason,
      ...auditedClient(client),
    });
    return new Response(null, { status: 200, headers: NO_STORE });
  }
  const { claims } = verified.value;
  const written = await recordDecision(ports, invocation, {
    area: 'revocation',
    decision: 'allow',
    reason: 'revoked_by_its_client',
    ...auditedClient(client),
    jti: claims.jti,
  });
  if (!written.ok) return oauthError(written.error, invocation);
  const revoked = await ports.revocations.revoke({
    orgId: claims.orgId,
    kind: 'jti',
    id: claims.jti,
    beforeSeconds: claims.expiresAtSeconds,
    forgetAtSeconds: claims.expiresAtSeconds + 60,
  });
  return revoked.ok
    ? new Response(null, { status: 200, headers: NO_STORE })
    : oauthError(revoked.error, invocation);
}
