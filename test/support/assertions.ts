import { type ForeignTestKey, signForeign } from './foreign-issuer.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from './test-issuer.ts';

/** The claims of an honest client assertion (RFC 7523 §3), but for the changes; each has a `jti` of its own. */
export function assertionClaims(clientId: string, changes: Changes = {}): Changes {
  return {
    iss: clientId,
    sub: clientId,
    aud: ORIGIN,
    jti: crypto.randomUUID(),
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 60,
    ...changes,
  };
}

/** The parameters by which a client authenticates with an assertion. */
export function assertionForm(
  key: ForeignTestKey,
  clientId: string,
  changes: Changes = {},
  header: Changes = {},
): Readonly<Record<string, string>> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signForeign(key, assertionClaims(clientId, changes), header),
  };
}
