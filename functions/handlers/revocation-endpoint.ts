import type { AuditRecord } from '../core/audit.ts';
import type { Invocation } from '../core/invocation.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import { authenticateClient, type ClientRefusal } from './client-authentication.ts';
import { endFamily } from './grants/family.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import {
  auditedClient,
  NO_STORE,
  oauthError,
  readRequestForm,
  recordDecision,
  recordRefusal,
} from './oauth-answer.ts';
import { type PresentedToken, readPresentedToken } from './presented-token.ts';

const REASON = 'revoked_by_its_client';

/** Who asks, under which policy. */
type Asking = { readonly client: ClientEntry; readonly policy: Policy; readonly invocation: Invocation };

function auditedAsking({ client, policy }: Asking): Partial<AuditRecord> {
  return { ...auditedClient(client), policy_version: policy.version };
}

/**
 * `POST /oauth/revoke` (RFC 7009): an unknown token is 200, another client's is left alone (the record says so). A token of this client is
 * dead when this answers, with all that descends from it: an access token or a run token is, and with a refresh token the whole login.
 * An identity token, which only the server that it is for can show here, is `unsupported_token_type` (§2.2.1): it ends with the access token
 * that it was made for. `token_type_hint` is not needed and not looked at.
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
  const { client, policy } = authenticated.value;
  const asking = { client, policy, invocation };
  const about = auditedAsking(asking);
  const token = form.get('token');
  if (token === undefined) {
    return refuse({ error: 'invalid_request', description: '`token` is missing' }, about);
  }
  const presented = await readPresentedToken(ports, asking, token);
  if (!presented.ok) return refuse(presented.error, about);
  if (presented.value.kind === 'none' && (await isOwnDelegation(ports, asking, token))) {
    const description = 'an identity token cannot be revoked; it ends with the access token of its caller';
    return refuse({ error: 'unsupported_token_type', description }, about);
  }
  const revoked = await revokePresented(ports, asking, presented.value);
  if (!revoked.ok) return oauthError(revoked.error, invocation);
  return new Response(null, {
    status: 200,
    headers: { ...NO_STORE, 'x-request-id': invocation.requestId },
  });
}

/** Is it an identity token for the server that this client is, and alive? To anybody else it is no token. */
async function isOwnDelegation(
  ports: IssuerPorts,
  { client, policy, invocation }: Asking,
  token: string,
): Promise<boolean> {
  const url = policy.servers.get(client.server ?? '')?.url;
  return url !== undefined && (await ports.ingress.verifyDelegation(token, url, invocation.origin)).ok;
}

/** Revokes what is this client's. The record comes first, but for a login, which ends first. */
async function revokePresented(
  ports: IssuerPorts,
  asking: Asking,
  presented: PresentedToken,
): Promise<Result<void, Unavailable>> {
  const { client, invocation } = asking;
  const record = (decision: 'allow' | 'deny', reason: string, jti?: string) =>
    recordDecision(ports, invocation, {
      area: 'revocation',
      decision,
      reason,
      ...auditedAsking(asking),
      ...(jti === undefined ? {} : { jti }),
    });
  switch (presented.kind) {
    case 'none':
      await record('deny', `bad_token: ${presented.detail}`);
      return ok(undefined);
    case 'refresh':
      return endFamily(ports, presented.found.family, asking, REASON);
    case 'access':
    case 'run': {
      const { clientId, orgId, jti, expiresAtSeconds } = presented.token.claims;
      if (clientId !== client.id) {
        await record('deny', 'another_clients_token');
        return ok(undefined);
      }
      const written = await record('allow', REASON, jti);
      if (!written.ok) return written;
      const entry = { orgId, kind: 'jti', id: jti, beforeSeconds: expiresAtSeconds } as const;
      return ports.revocations.revoke({ ...entry, forgetAtSeconds: expiresAtSeconds + 60 });
    }
  }
}
