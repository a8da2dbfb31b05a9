import { readForeignHeader, readForeignIssuer } from '../../core/foreign-token.ts';
import { splitScopes } from '../../core/grant.ts';
import { assertingProviders, assertionWords, checkIdJag, type IdentityAssertion } from '../../core/id-jag.ts';
import type { RecordKey } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { planUserGrant } from '../../core/user-grant.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { lookForRevocation } from '../revocation-look.ts';
import type { Grant, GrantRequest } from './grant.ts';

/**
 * `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1) for identity assertions (ID-JAG): the identity provider of the client's
 * organisation says that this user may be acted for by this client. For clients that authenticate; an assertion is used once; scopes
 * are those that the assertion, the user's groups in it, the request and the client have in common; no refresh token, for the client can
 * ask the identity provider again. Other JWTs are no grant here.
 */
export const grantJwtBearer: Grant = async (ports, request) => {
  const { client, policy, form, invocation } = request;
  if (client.auth === 'none') {
    return err({ error: 'unauthorized_client', description: 'a public client may not use assertions' });
  }
  const compact = form.get('assertion');
  if (compact === undefined) return err({ error: 'invalid_request', description: '`assertion` is missing' });
  const checked = await checkAssertion(ports, request, compact);
  if (!checked.ok) return checked;
  const assertion = checked.value;
  const revoked = await lookForRevocation(
    ports.revocations,
    policy,
    {
      orgId: assertion.orgId,
      jti: assertion.jti,
      clientId: client.id,
      subject: assertion.subject,
      groups: assertion.groups,
      issuedAtSeconds: assertion.issuedAtSeconds,
      expiresAtSeconds: assertion.forgetAtSeconds,
    },
    { fresh: true },
  );
  if (!revoked.ok) return revoked;
  if (revoked.value) return refuseAssertion('revoked');
  const resource = chooseResource(request, assertion.resources);
  if (!resource.ok) return resource;
  const scopes = commonScopes(assertion.scope, form.get('scope'));
  if (!scopes.ok) return scopes;
  const user = { ...assertion, scopes: scopes.value, resource: resource.value };
  const plan = planUserGrant(policy, client, user, invocation.origin, Math.floor(ports.now() / 1000));
  if (!plan.ok) return plan;
  // The client may not have said which resource it is for.
  const members = { resource: plan.value.audience };
  return ok({ plan: plan.value, members, commit: () => useOnce(ports, assertion) });
};

/** The assertion, by whichever provider of the client's organisation has its issuer: two entries may be one provider. */
async function checkAssertion(
  ports: IssuerPorts,
  { client, policy, invocation }: GrantRequest,
  compact: string,
): Promise<Result<IdentityAssertion, ClientRefusal>> {
  const { origin } = invocation;
  const header = readForeignHeader(compact);
  const providers = assertingProviders(policy, client.org, readForeignIssuer(compact), origin);
  let detail = header === undefined ? 'header' : 'issuer';
  for (const provider of header === undefined ? [] : providers) {
    const keys = await ports.foreignKeys.find(provider.proof.jwksUrl, header?.keyId, {
      allowPrivate: provider.private,
    });
    if (!keys.ok) return keys;
    const nowSeconds = Math.floor(ports.now() / 1000);
    const expected = { clientId: client.id, issuer: origin, nowSeconds };
    const checked = checkIdJag(compact, keys.value, provider, expected);
    if (checked.ok) return checked;
    detail = checked.error;
  }
  return refuseAssertion(detail);
}

/** Says what is wrong where it is in the assertion itself; the rest is for the audit record. */
function refuseAssertion(cause: string): Result<never, ClientRefusal> {
  return err({ error: 'invalid_grant', description: assertionWords(cause), cause });
}

/** One of the resources that the assertion is for; where it names none, what the request names. */
function chooseResource(
  { resources }: GrantRequest,
  asserted: readonly string[],
): Result<string | undefined, ClientRefusal> {
  const [wanted, ...more] = resources.length > 0 ? resources : asserted;
  const isOne = more.length === 0;
  const isAsserted = asserted.length === 0 || (wanted !== undefined && asserted.includes(wanted));
  return isOne && isAsserted
    ? ok(wanted)
    : err({ error: 'invalid_target', description: 'ask for one `resource` that the assertion is for' });
}

/** Undefined where neither says anything of scopes. */
function commonScopes(
  asserted: string | undefined,
  requested: string | undefined,
): Result<readonly string[] | undefined, ClientRefusal> {
  const first = asserted === undefined ? ok(undefined) : splitScopes(asserted);
  if (!first.ok) return first;
  const second = requested === undefined ? ok(undefined) : splitScopes(requested);
  if (!second.ok) return second;
  const [one, other] = [first.value, second.value];
  if (one === undefined || other === undefined) return ok(one ?? other);
  return ok(one.filter((scope) => other.includes(scope)));
}

/** Of any number of attempts with one assertion one succeeds. The record is kept until the assertion is expired everywhere. */
async function useOnce(
  ports: IssuerPorts,
  { orgId, onceId, forgetAtSeconds }: IdentityAssertion,
): Promise<Result<void, ClientRefusal>> {
  const key: RecordKey = { kind: 'ONCE', orgId, id: onceId };
  const text = ports.randomId();
  const created = await ports.records.create(key, text, forgetAtSeconds);
  if (created.ok) return created;
  if (created.error.reason === 'unavailable') return err(created.error);
  const now = await ports.records.read(key);
  if (!now.ok) return now;
  // The write was ours, and its answer was lost on the way.
  return now.value?.text === text ? ok(undefined) : refuseAssertion('assertion_used_twice');
}
