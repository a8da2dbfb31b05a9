import { splitScopes } from '../../core/grant.ts';
import type { ClientEntry } from '../../core/policy.ts';
import type { RecordKey, StoredRecord } from '../../core/ports.ts';
import {
  familyEndSeconds,
  makeRefreshToken,
  type RefreshGrant,
  type RefreshToken,
  readRefreshGrant,
  readRefreshToken,
  toRefreshPart,
  writeRefreshGrant,
} from '../../core/refresh-token.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { planUserGrant } from '../../core/user-grant.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { checkLogin, type Family, invalidGrant, refuseSecondUse } from './family.ts';
import type { Grant, GrantRequest } from './grant.ts';
import { checkResources } from './resource.ts';

/** A refresh token whose family was found. */
export type FoundRefreshToken = {
  /** The client as one of the token's organisation. */
  readonly client: ClientEntry;
  readonly token: RefreshToken;
  readonly grant: RefreshGrant;
  readonly family: Family;
  readonly key: RecordKey;
  readonly record: StoredRecord;
  /** Is it the one token of its family that may be used? */
  readonly isCurrent: boolean;
};

/**
 * `refresh_token` (RFC 6749 §6, RFC 9700 §4.14.2). In this order: the token is of a living family of this client; one that was used before
 * ends its login, without any grace; `scope` within what was granted; `resource` the authorized one or narrower; the login still good;
 * what the groups and the client give now. Every use replaces the token, as the last thing that happens: whatever fails before leaves the
 * old one good.
 */
export const grantRefreshToken: Grant = async (ports, request) => {
  const { policy, form, invocation } = request;
  const text = form.get('refresh_token');
  if (text === undefined) return err({ error: 'invalid_request', description: '`refresh_token` is missing' });
  const looked = await findRefreshToken(ports, request, text);
  if (!looked.ok) return looked;
  const found = looked.value;
  if (found === undefined) return invalidGrant('unknown_refresh_token');
  const { client, grant, family } = found;
  if (!found.isCurrent) return refuseSecondUse(ports, family, request, 'refresh_token_reused');
  const scopes = narrowScopes(grant.scopes, form.get('scope'));
  if (!scopes.ok) return scopes;
  const resource = checkResources(request, grant.resource, 'narrower');
  if (!resource.ok) return resource;
  const login = await checkLogin(ports, policy, family);
  if (!login.ok) return login;
  const plan = planUserGrant(
    policy,
    client,
    { ...grant, orgId: family.orgId, scopes: scopes.value, resource: resource.value },
    invocation.origin,
    Math.floor(ports.now() / 1000),
  );
  if (!plan.ok) return plan;
  const secret = toRefreshPart(ports.randomBytes(32));
  const next = makeRefreshToken(family.orgId, found.token.handle, secret);
  return ok({
    plan: {
      ...plan.value,
      descent: { ancestor: grant.family, issuedAtSeconds: grant.beganAtSeconds },
    },
    members: { refresh_token: next },
    commit: () => rotate(ports, request, found, next),
  });
};

/**
 * Finds the family of a refresh token of this client; undefined where it is none: malformed, of another client or organisation, expired, or
 * with a handle that nobody was given.
 */
export async function findRefreshToken(
  ports: IssuerPorts,
  { client, policy }: Pick<GrantRequest, 'client' | 'policy'>,
  text: string,
): Promise<Result<FoundRefreshToken | undefined, ClientRefusal>> {
  const token = readRefreshToken(text);
  const member = token === undefined ? undefined : policy.clientIn(client, token.orgId);
  if (token === undefined || member === undefined) return ok(undefined);
  const { orgId, id } = token;
  const key: RecordKey = { kind: 'REFRESH', orgId, id };
  const record = await ports.records.read(key);
  if (!record.ok) return record;
  if (record.value === undefined) return ok(undefined);
  const grant = readRefreshGrant(record.value.text);
  if (grant === undefined) return err({ reason: 'unavailable', detail: 'a malformed record of a family' });
  if (grant.clientId !== client.id) return ok(undefined);
  return ok({
    client: member,
    token,
    grant,
    family: { orgId, login: grant, beganAtSeconds: grant.beganAtSeconds },
    key,
    record: record.value,
    isCurrent: grant.secretDigest === token.secretDigest,
  });
}

/** RFC 6749 §6: nothing beyond what was granted; none named: all of it. */
function narrowScopes(
  granted: readonly string[],
  scope: string | undefined,
): Result<readonly string[], ClientRefusal> {
  if (scope === undefined) return ok(granted);
  const requested = splitScopes(scope);
  if (!requested.ok) return requested;
  return requested.value.every((name) => granted.includes(name))
    ? ok(requested.value)
    : err({ error: 'invalid_scope', description: 'a refresh asks for no more than was granted' });
}

/** Makes `next` the one token of the family that may be used: of any number of attempts one. */
async function rotate(
  ports: IssuerPorts,
  request: GrantRequest,
  { grant, family, key, record }: FoundRefreshToken,
  next: string,
): Promise<Result<void, ClientRefusal>> {
  const { secretDigest = '' } = readRefreshToken(next) ?? {};
  const text = writeRefreshGrant({ ...grant, secretDigest });
  const ends = familyEndSeconds(grant, Math.floor(ports.now() / 1000));
  const written = await ports.records.replace(key, record, text, ends);
  if (written.ok) return written;
  if (written.error.reason === 'unavailable') return err(written.error);
  const now = await ports.records.read(key);
  if (!now.ok) return now;
  // The write was ours, and its answer was lost on the way.
  if (now.value?.text === text) return ok(undefined);
  return refuseSecondUse(ports, family, request, 'refresh_token_reused');
}
