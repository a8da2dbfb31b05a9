import type { IngressRefusal } from './denial.ts';
import { err, ok, type Result } from './result.ts';

/** The one token that authenticates a request, and where it came from. */
export type IngressToken = {
  readonly token: string;
  readonly header: 'x-authorization' | 'x-service-token' | 'authorization';
};

/** RFC 6750 §2.1: the scheme in any case, one space, `b68token`. A repeated header, joined by a comma, does not match. */
const BEARER = /^[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9._~+/-]+=*)$/;

/**
 * Picks the ingress token (contract §3): `X-Authorization`, else on the context routes `X-Service-Token`, else
 * `Authorization`. The first that is present is the token or the refusal: a malformed one never falls through to the next.
 */
export function selectIngressToken(
  headers: Headers,
  isContextRoute: boolean,
): Result<IngressToken, IngressRefusal> {
  const candidates = isContextRoute
    ? (['x-authorization', 'x-service-token', 'authorization'] as const)
    : (['x-authorization', 'authorization'] as const);
  for (const header of candidates) {
    const value = headers.get(header);
    if (value === null) continue;
    const bearer = header === 'x-service-token' && !value.includes(' ') ? `Bearer ${value}` : value;
    const token = BEARER.exec(bearer)?.[1];
    return token === undefined ? err({ reason: 'malformed_token_header' }) : ok({ token, header });
  }
  return err({ reason: 'no_token' });
}
