import type { IngressRefusal } from '../core/denial.ts';
import { readForeignHeader, readForeignIssuer } from '../core/foreign-token.ts';
import type { AcceptedIdp } from '../core/identity-provider.ts';
import { acceptedIdps, userPoolOf } from '../core/idp-token.ts';
import type { Policy } from '../core/policy.ts';
import type { Clock, ForeignKeys, Unavailable } from '../core/ports.ts';
import { err, type Result } from '../core/result.ts';
import { VerifiedToken } from '../core/token.ts';
import type { TokenMemory } from './token-memory.ts';

/** Verifies access tokens of IdPs (contract §3). */
export type IdpIngress = {
  /** Undefined where the token claims no issuer whose access tokens this policy takes; then nothing was looked up anywhere. */
  verify(
    compact: string,
    origin: string,
    policy: Policy,
  ): Promise<Result<VerifiedToken, IngressRefusal | Unavailable> | undefined>;
};

/** The keys of an IdP are held for 10 minutes; this long again a token may outlive the key that signed it. */
const REMEMBER_SECONDS = 300;

/** Verified with the keys of the IdP, found by the `kid` of the token, and kept in memory for 5 minutes, for which its entry vouches. */
export function createIdpIngress(
  ports: { readonly foreignKeys: ForeignKeys; readonly clock: Clock },
  memory: TokenMemory,
): IdpIngress {
  const verifyOf = async (
    compact: string,
    origin: string,
    idp: AcceptedIdp,
  ): Promise<Result<VerifiedToken, IngressRefusal | Unavailable>> => {
    const header = readForeignHeader(compact);
    if (header === undefined) return err({ reason: 'bad_idp_token', detail: 'header' });
    const allowPrivate = idp.private;
    const keys = await ports.foreignKeys.find(idp.proof.jwksUrl, header.keyId, { allowPrivate });
    if (!keys.ok) return keys;
    const nowSeconds = ports.clock();
    const verified = VerifiedToken.verifyOfIdp(compact, keys.value, { idp, origin, nowSeconds });
    if (verified.ok) {
      memory.keep(compact, origin, {
        token: verified.value,
        voucher: idp,
        keptAtSeconds: nowSeconds,
        keepSeconds: REMEMBER_SECONDS,
      });
    }
    return verified;
  };

  return {
    async verify(compact, origin, policy) {
      const [first, ...others] = acceptedIdps(policy, origin, () => readForeignIssuer(compact));
      if (first === undefined) return undefined;
      let verified = await verifyOf(compact, origin, first);
      // Organisations may share an IdP, each for clients of its own.
      for (const idp of others) if (!verified.ok) verified = await verifyOf(compact, origin, idp);
      return verified;
    },
  };
}

/** Is this the entry of an IdP of this policy, as it stands there now? */
export function isIdpOf(policy: Policy, entry: object): boolean {
  return policy.acceptedIdps.some((idp) => idp === entry);
}

/**
 * Do the headers that select among issuers, as far as they are there, name what was verified (contract §3)? A token of ours has a
 * client id, and neither user pool nor region.
 */
export function selectorsAgree(
  headers: Headers,
  claims: { readonly clientId: string; readonly idp?: string; readonly issuer?: string },
): boolean {
  const pool = claims.idp === undefined ? undefined : userPoolOf(claims.issuer ?? '');
  const expected = { 'x-client-id': claims.clientId, 'x-user-pool-id': pool?.id, 'x-region': pool?.region };
  return Object.entries(expected).every(([name, value]) => !headers.has(name) || headers.get(name) === value);
}
