import type { Invocation } from '../core/invocation.ts';
import { isUser, isVouchedFor } from '../core/parties.ts';
import { Policy } from '../core/policy.ts';
import type { Unavailable } from '../core/ports.ts';
import { readRefreshGrant, readRefreshToken } from '../core/refresh-token.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { RevocationTarget } from '../core/revocation-plan.ts';
import type { RevocationRequest } from '../core/revocation-request.ts';
import { isRunId } from '../core/run-request.ts';
import { type Authority, mayReach } from './administration.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { verifyOwnToken } from './presented-token.ts';

/** Nothing that could be revoked, or what cannot be known now. `detail` is for the one who asked. */
export type TargetRefusal =
  | { readonly reason: 'invalid_argument' | 'not_found'; readonly detail: string }
  | Unavailable;

/** Who asks: an administrator of `orgId`. */
type Asking = Authority & { readonly orgId: string; readonly invocation: Invocation };

/** What a token of ours says of itself. */
type Named = { readonly orgId: string; readonly jti: string; readonly runId: string | undefined };

/**
 * What a request to revoke is about. An organisation that is not the administrator's own answers as one that does not exist, and so does
 * every token of it. A client, a team and a run must be there, and a user be one of a provider of the organisation: what is misspelt would be
 * revoked without a word, and nothing would end. An id of a token or of a login is taken as it is: nobody keeps a list of them.
 */
export async function findTarget(
  ports: IssuerPorts,
  request: RevocationRequest,
  asking: Asking,
): Promise<Result<RevocationTarget, TargetRefusal>> {
  const { kind, named } = request;
  if (kind === 'all') {
    return asking.isOfPlatform
      ? ok({ kind, orgId: asking.orgId, id: '' })
      : notFound('`all` is for administrators of the platform’s own organisation; revoke `org`');
  }
  if (named.by === 'token') return byToken(ports, request, named.token, asking);
  const orgId = request.orgId ?? asking.orgId;
  if (!mayReach(asking, orgId)) return notFound('there is no such organisation');
  if (named.by === 'nothing') return ok({ kind, orgId, id: orgId });
  const target = { kind, orgId, id: named.id };
  const missing = await findMissing(ports, target, asking);
  if (!missing.ok) return missing;
  return missing.value === undefined ? ok(target) : notFound(missing.value);
}

/** What is not there, in words; undefined where nothing is missing. */
async function findMissing(
  ports: IssuerPorts,
  { kind, orgId, id }: RevocationTarget,
  { snapshot, pointer }: Asking,
): Promise<Result<string | undefined, Unavailable>> {
  const policy = new Policy(snapshot, pointer.version);
  switch (kind) {
    case 'client':
      return ok(
        policy.findClient(id, orgId) === undefined
          ? `${orgId} has no such client; nothing of one that is not registered is accepted`
          : undefined,
      );
    case 'user': {
      const providers = policy.vouchers;
      return ok(
        isUser(id) && isVouchedFor(providers, id, orgId)
          ? undefined
          : `${orgId} has no identity provider with such a user; write \`{idp}:{sub}\`, as in the audit records`,
      );
    }
    case 'team':
      return ok(policy.teams.namesOf(orgId).includes(id) ? undefined : `${orgId} has no such team`);
    case 'run': {
      const record = isRunId(id) ? await ports.records.read({ kind: 'RUN', orgId, id }) : ok(undefined);
      if (!record.ok) return record;
      return ok(record.value === undefined ? `${orgId} has no such run` : undefined);
    }
    case 'token':
    case 'family':
    case 'org':
    case 'all':
      return ok(undefined);
  }
}

async function byToken(
  ports: IssuerPorts,
  { kind, orgId }: RevocationRequest,
  compact: string,
  asking: Asking,
): Promise<Result<RevocationTarget, TargetRefusal>> {
  const read = await readToken(ports, compact, asking.invocation);
  if (!read.ok) return read;
  const named = read.value;
  if (named === undefined || !mayReach(asking, named.orgId) || (orgId ?? named.orgId) !== named.orgId) {
    return notFound('this is no token of this organisation that could still be used');
  }
  if (kind !== 'run') return ok({ kind, orgId: named.orgId, id: named.jti });
  return named.runId === undefined
    ? err({ reason: 'invalid_argument', detail: 'this is no token of a run' })
    : ok({ kind, orgId: named.orgId, id: named.runId });
}

/**
 * An access or run token of ours, a refresh token, by the login that it continues, or an IdP's access token that the gate takes; undefined
 * where it is none of them, or expired.
 */
async function readToken(
  ports: IssuerPorts,
  compact: string,
  invocation: Invocation,
): Promise<Result<Named | undefined, Unavailable>> {
  const refresh = readRefreshToken(compact);
  if (refresh !== undefined) {
    const { orgId, id } = refresh;
    const record = await ports.records.read({ kind: 'REFRESH', orgId, id });
    if (!record.ok) return record;
    const grant = readRefreshGrant(record.value?.text ?? '');
    return ok(grant === undefined ? undefined : { orgId, jti: grant.family, runId: undefined });
  }
  const verified = await verifyOwnToken(ports, compact, invocation);
  if (!verified.ok) {
    return verified.error.reason === 'unavailable'
      ? err(verified.error)
      : readIdpToken(ports, compact, invocation);
  }
  const { orgId, jti } = verified.value.token.claims;
  const runId = verified.value.kind === 'run' ? verified.value.token.claims.runId : undefined;
  return ok({ orgId, jti, runId });
}

async function readIdpToken(
  ports: IssuerPorts,
  compact: string,
  { origin }: Invocation,
): Promise<Result<Named | undefined, Unavailable>> {
  const identified = await ports.ingress.identify(compact, origin);
  if (!identified.ok) {
    return identified.error.reason === 'unavailable' ? err(identified.error) : ok(undefined);
  }
  const { orgId, jti } = identified.value.caller;
  return ok({ orgId, jti, runId: undefined });
}

function notFound(detail: string): Result<never, TargetRefusal> {
  return err({ reason: 'not_found', detail });
}
