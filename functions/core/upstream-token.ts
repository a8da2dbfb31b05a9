import type { Denial } from './denial.ts';
import { secretsInHeader } from './header-secrets.ts';
import { parseJsonText, stringMember } from './json.ts';
import { err, ok, type Result } from './result.ts';
import type { Secret } from './secret.ts';

/** A scheme and one token (RFC 9110 §11.4); two values that were joined into one header do not match. */
const ONE_CREDENTIAL = /^[A-Za-z][A-Za-z0-9-]* +[A-Za-z0-9._~+/-]+=*$/;

/** The caller's own credential for a server, and what of it must not come back. */
export type UpstreamToken = { readonly authorization: string; readonly hidden: readonly Secret[] };

/** The headers of a request that say which of them is the gate's token (contract §3). */
type Presented = { readonly tokenHeader: string; readonly headers: Headers };

/**
 * The `Authorization` that belongs to the upstream: the caller's, where its ingress token came in `X-Authorization`. Null where there is
 * none, and where it holds the ingress token itself, which a client may send in both headers, also in HTTP Basic.
 */
export function authorizationForUpstream({ tokenHeader, headers }: Presented): string | null {
  const authorization = headers.get('authorization');
  const ingress = headers.get('x-authorization');
  if (tokenHeader !== 'x-authorization' || authorization === null || ingress === null) return null;
  const [, token = ''] = ingress.split(' ');
  const decoded = Buffer.from(authorization.slice(authorization.lastIndexOf(' ') + 1), 'base64').toString(
    'latin1',
  );
  return authorization.includes(token) || decoded.includes(token) ? null : authorization;
}

/**
 * Reads what {@link authorizationForUpstream} gave. Nothing to send, nothing that is one credential, or any token that the gate at `origin` has
 * issued, is a refusal.
 */
export function readUpstreamToken(
  authorization: string | null,
  origin: string,
): Result<UpstreamToken, Denial> {
  if (authorization === null) {
    return err({ reason: 'missing_upstream_token', detail: 'no `Authorization` beside `X-Authorization`' });
  }
  if (!ONE_CREDENTIAL.test(authorization)) {
    return err({ reason: 'missing_upstream_token', detail: '`Authorization` is no scheme and one token' });
  }
  const hidden = secretsInHeader('authorization', authorization);
  return hidden.some((secret) => isIssuedBy(origin, secret))
    ? err({ reason: 'missing_upstream_token', detail: '`Authorization` holds a token of the gate' })
    : ok({ authorization, hidden });
}

/** Does it read as a JWT of this issuer? Does NOT verify it: whoever alters one has none. */
function isIssuedBy(origin: string, secret: Secret): boolean {
  const [, payload = ''] = secret.reveal().split('.');
  const claims = parseJsonText(Buffer.from(payload, 'base64url').toString());
  return claims.ok && stringMember(claims.value, 'iss') === origin;
}
