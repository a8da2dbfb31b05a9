import {
  type ExchangedToken,
  type ExchangeSubject,
  ISSUED_TOKEN_TYPE,
  planExchange,
  readExchangeForm,
  refuseToken,
} from '../../core/exchange.ts';
import { readForeignHeader, readForeignIssuer } from '../../core/foreign-token.ts';
import { acceptedIdps } from '../../core/idp-token.ts';
import type { Policy } from '../../core/policy.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { checkSubjectIdToken } from '../../core/subject-id-token.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { lookForRevocation } from '../revocation-look.ts';
import type { Grant, GrantRequest } from './grant.ts';

/**
 * `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): an access token of ours or a token of an IdP in, a narrower access token
 * out, in which the client acts for whom the token is about. Public clients never exchange. The tokens are verified as at the gate,
 * revocation included; which resource they are for does not matter. The new token descends from the subject's: whatever revokes that one
 * revokes it, and revoking it leaves that one alone.
 */
export const grantTokenExchange: Grant = async (ports, request) => {
  const { client, policy, form, resources, invocation } = request;
  if (client.auth === 'none') {
    return err({ error: 'unauthorized_client', description: 'a public client may not exchange tokens' });
  }
  const read = readExchangeForm(form, resources, invocation.origin);
  if (!read.ok) return read;
  const subject = await identify(ports, request, read.value.subject);
  if (!subject.ok) return subject;
  const { actor } = read.value;
  const acting = actor === undefined ? ok(undefined) : await identify(ports, request, actor);
  if (!acting.ok) return acting;
  const place = { origin: invocation.origin, nowSeconds: Math.floor(ports.now() / 1000) };
  const parties = { subject: subject.value, actor: acting.value };
  const plan = planExchange(policy, client, parties, read.value, place);
  if (!plan.ok) return plan;
  return ok({ plan: plan.value, members: { issued_token_type: ISSUED_TOKEN_TYPE } });
};

async function identify(
  ports: IssuerPorts,
  request: GrantRequest,
  { compact, type }: ExchangedToken,
): Promise<Result<ExchangeSubject, ClientRefusal>> {
  if (type === 'id_token') return identifyByIdToken(ports, request, compact);
  const identified = await ports.ingress.identify(compact, request.invocation.origin);
  if (identified.ok) return ok(identified.value.caller);
  const { error } = identified;
  if (error.reason === 'unavailable') return err(error);
  return refuseToken('detail' in error ? `${error.reason}: ${error.detail}` : error.reason);
}

/** By the keys of the IdP, and, where organisations share one, by the entry that lists the client that the token was given to. */
async function identifyByIdToken(
  ports: IssuerPorts,
  { policy, invocation }: GrantRequest,
  compact: string,
): Promise<Result<ExchangeSubject, ClientRefusal>> {
  const { origin } = invocation;
  const header = readForeignHeader(compact);
  const idps = acceptedIdps(policy, origin, () => readForeignIssuer(compact));
  let detail = header === undefined ? 'header' : 'issuer';
  for (const idp of header === undefined ? [] : idps) {
    const keys = await ports.foreignKeys.find(idp.proof.jwksUrl, header?.keyId, {
      allowPrivate: idp.private,
    });
    if (!keys.ok) return keys;
    const nowSeconds = Math.floor(ports.now() / 1000);
    const checked = checkSubjectIdToken(compact, keys.value, idp, { policy, origin, nowSeconds });
    if (checked.ok) return unlessRevoked(ports, policy, checked.value);
    detail = checked.error;
  }
  return refuseToken(`bad_id_token: ${detail}`);
}

async function unlessRevoked(
  ports: IssuerPorts,
  policy: Policy,
  subject: ExchangeSubject,
): Promise<Result<ExchangeSubject, ClientRefusal>> {
  const token = { ...subject, expiresAtSeconds: subject.endsAtSeconds };
  const revoked = await lookForRevocation(ports.revocations, policy, token, { fresh: true });
  if (!revoked.ok) return revoked;
  return revoked.value ? refuseToken('revoked') : ok(subject);
}
