import {
  CODE_KEPT_SECONDS,
  type CodeRecord,
  locateCode,
  readCodeRecord,
  writeCodeRecord,
} from '../../core/authorization-code.ts';
import { provesChallenge } from '../../core/pkce.ts';
import type { ClientEntry } from '../../core/policy.ts';
import type { RecordKey, StoredRecord, Unavailable } from '../../core/ports.ts';
import {
  familyEndSeconds,
  makeRefreshToken,
  type RefreshGrant,
  readRefreshToken,
  toRefreshPart,
  writeRefreshGrant,
} from '../../core/refresh-token.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { planUserGrant } from '../../core/user-grant.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { beginningOf, checkLogin, type Family, invalidGrant, refuseSecondUse } from './family.ts';
import type { Grant, GrantRequest } from './grant.ts';
import { checkResources } from './resource.ts';

/** A code that was found, and whose it is. */
type FoundCode = CodeRecord & {
  /** The client as one of the code's organisation. */
  readonly client: ClientEntry;
  readonly key: RecordKey;
  readonly record: StoredRecord;
  readonly family: Family;
};

/**
 * `authorization_code` (RFC 6749 §4.1.3, RFC 7636, RFC 8707). In this order: the code is known and this client's; used before: its login is
 * ended; 60 s; `redirect_uri` byte for byte; PKCE S256; `resource` the authorized one; the login still good; what the groups give now.
 *
 * What is refused uses nothing up. A client id is no proof of who sends a code, and whoever has seen a code and not the verifier must not be
 * able to spoil the login that it belongs to; the code is bound to the verifier, so there is nothing to guess. A code that was used is
 * another matter: that it comes again, from its own client and whatever comes with it, shows that two parties have it (RFC 9700 §2.1.1).
 */
export const grantAuthorizationCode: Grant = async (ports, request) => {
  const found = await findCode(ports, request);
  if (!found.ok) return found;
  const { client, grant, family, redeemedBy } = found.value;
  if (redeemedBy !== undefined) return refuseSecondUse(ports, family, request, 'code_used_twice');
  const { policy, form, invocation } = request;
  const nowSeconds = Math.floor(ports.now() / 1000);
  if (nowSeconds >= grant.expiresAtSeconds) return invalidGrant('code_expired');
  const redirectUri = form.get('redirect_uri');
  if (redirectUri === undefined) {
    return err({ error: 'invalid_request', description: '`redirect_uri` is missing' });
  }
  if (redirectUri !== grant.redirectUri) return invalidGrant('redirect_uri');
  const verifier = form.get('code_verifier');
  if (verifier === undefined) {
    // A code always has a challenge, and without its verifier it is not this client's to redeem (RFC 7636 §4.6).
    const description = '`code_verifier` is missing';
    return err({ error: 'invalid_grant', description, cause: 'code_verifier' });
  }
  if (!provesChallenge(verifier, grant.codeChallenge)) {
    return invalidGrant('code_verifier');
  }
  const resource = checkResources(request, grant.resource, 'same');
  if (!resource.ok) return resource;
  const login = await checkLogin(ports, policy, family);
  if (!login.ok) return login;
  const plan = planUserGrant(
    policy,
    client,
    { ...grant, orgId: family.orgId, resource: resource.value },
    invocation.origin,
    nowSeconds,
  );
  if (!plan.ok) return plan;
  const descent = { ancestor: grant.family, issuedAtSeconds: family.beganAtSeconds };
  const refresh = client.grants.includes('refresh_token') ? beginRefreshing(ports, found.value) : undefined;
  return ok({
    plan: { ...plan.value, descent },
    ...(refresh === undefined ? {} : { members: { refresh_token: refresh.token } }),
    commit: () => redeem(ports, request, found.value, refresh?.write),
  });
};

async function findCode(
  ports: IssuerPorts,
  { client, policy, form }: GrantRequest,
): Promise<Result<FoundCode, ClientRefusal>> {
  const code = form.get('code');
  if (code === undefined) return err({ error: 'invalid_request', description: '`code` is missing' });
  const place = locateCode(code);
  if (place === undefined) return invalidGrant('no_code');
  const { orgId, id } = place;
  const member = policy.clientIn(client, orgId);
  if (member === undefined) return invalidGrant('another_organisation');
  const key: RecordKey = { kind: 'CODE', orgId, id };
  const record = await ports.records.read(key);
  if (!record.ok) return record;
  if (record.value === undefined) return invalidGrant('unknown_code');
  const read = readCodeRecord(record.value.text);
  if (read === undefined) return err({ reason: 'unavailable', detail: 'a malformed record of a code' });
  if (read.grant.clientId !== client.id) return invalidGrant('another_clients_code');
  const family = { orgId, login: read.grant, beganAtSeconds: beginningOf(read.grant) };
  return ok({ ...read, client: member, key, record: record.value, family });
}

/** The first refresh token of a login, and how to store what it stands for: under a handle that nobody has yet. */
function beginRefreshing(
  ports: IssuerPorts,
  { grant, family }: FoundCode,
): { readonly token: string; readonly write: () => Promise<Result<void, Unavailable>> } {
  const { orgId, beganAtSeconds } = family;
  const { clientId, resource, scopes, subject, groups, authTimeSeconds } = grant;
  const handle = toRefreshPart(ports.randomBytes(32));
  const token = makeRefreshToken(orgId, handle, toRefreshPart(ports.randomBytes(32)));
  const write = async (): Promise<Result<void, Unavailable>> => {
    const { id = '', secretDigest = '' } = readRefreshToken(token) ?? {};
    const login = { clientId, resource, scopes, subject, groups, authTimeSeconds, family: grant.family };
    const stored: RefreshGrant = { ...login, beganAtSeconds, secretDigest };
    const ends = familyEndSeconds(stored, Math.floor(ports.now() / 1000));
    const created = await ports.records.create(
      { kind: 'REFRESH', orgId, id },
      writeRefreshGrant(stored),
      ends,
    );
    // Nobody else has this handle: a conflict is our own write, whose answer was lost.
    return created.ok || created.error.reason === 'conflict' ? ok(undefined) : err(created.error);
  };
  return { token, write };
}

/**
 * Uses the code up: of any number of attempts one. What the answer refers to is stored before, so that nothing is left to fail afterwards;
 * where the code is lost to another attempt, it is a refresh token that nobody has seen.
 */
async function redeem(
  ports: IssuerPorts,
  request: GrantRequest,
  { grant, family, key, record }: FoundCode,
  prepare: (() => Promise<Result<void, Unavailable>>) | undefined,
): Promise<Result<void, ClientRefusal>> {
  const prepared = (await prepare?.()) ?? ok(undefined);
  if (!prepared.ok) return prepared;
  const text = writeCodeRecord(grant, ports.randomId());
  const keptUntil = grant.expiresAtSeconds + CODE_KEPT_SECONDS;
  const written = await ports.records.replace(key, record, text, keptUntil);
  if (written.ok) return written;
  if (written.error.reason === 'unavailable') return err(written.error);
  const now = await ports.records.read(key);
  if (!now.ok) return now;
  // The write was ours, and its answer was lost on the way.
  if (now.value?.text === text) return ok(undefined);
  return refuseSecondUse(ports, family, request, 'code_used_twice');
}
