import { createHash } from 'node:crypto';
import { Caller } from '../core/caller.ts';
import type { IngressRefusal } from '../core/denial.ts';
import { selectIngressToken } from '../core/ingress-token.ts';
import type { Policy } from '../core/policy.ts';
import type { Clock, RevocationStore, Rulebook, RulebookStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { audiencesOf, isContextRoute, type Route } from '../core/route.ts';
import type { KeySet } from '../core/signed-token.ts';
import { VerifiedToken } from '../core/token.ts';

/** A caller who was verified, the policy that holds for this request, and which header the token came in. */
export type Admission = {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly tokenHeader: 'x-authorization' | 'x-service-token' | 'authorization';
};

/** Verifies who calls. One implementation for every function. */
export type Ingress = {
  authenticate(
    headers: Headers,
    route: Route,
    origin: string,
  ): Promise<Result<Admission, IngressRefusal | Unavailable>>;
  /** Verifies an identity token that a server received and hands on (contract §7). `audience` is that server's URL. */
  verifyDelegation(
    token: string,
    audience: string,
    origin: string,
  ): Promise<Result<Caller, IngressRefusal | Unavailable>>;
};

const MAX_REMEMBERED = 2_000;
/** Headers that select among issuers. Our own tokens have a client id and no user pool. */
const SELECTORS_OF_OTHERS = ['x-user-pool-id', 'x-region'] as const;

/**
 * Ingress over the rulebook and revocations. In this order: one token, its form, key, signature and claims (remembered per
 * token while key set and `exp` hold), audience of the route, revocation, client and organisation, selector headers. `ORIGIN` as
 * audience opens a server only for a gateway client. What cannot be looked up is `unavailable`, never an admission.
 */
export function createIngress(ports: {
  readonly rulebook: RulebookStore;
  readonly revocations: RevocationStore;
  readonly clock: Clock;
}): Ingress {
  const remembered = new Map<string, { readonly token: VerifiedToken; readonly keys: KeySet }>();

  const verifyRemembered = (
    compact: string,
    issuer: string,
    keys: KeySet,
  ): Result<VerifiedToken, IngressRefusal> => {
    const nowSeconds = ports.clock();
    const digest = createHash('sha256').update(issuer).update('\n').update(compact).digest('base64');
    const known = remembered.get(digest);
    if (known !== undefined && known.keys === keys) {
      return known.token.isExpired(nowSeconds)
        ? err({ reason: 'bad_token', detail: 'expired' })
        : ok(known.token);
    }
    const verified = VerifiedToken.verify(compact, { kind: 'access', issuer, keys, nowSeconds });
    if (verified.ok) {
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(digest, { token: verified.value, keys });
    }
    return verified;
  };

  const admit = async (
    token: VerifiedToken,
    policy: Policy,
  ): Promise<Result<Caller, IngressRefusal | Unavailable>> => {
    const { claims } = token;
    const revoked = await ports.revocations.isRevoked(claims);
    if (!revoked.ok) return revoked;
    return revoked.value ? err({ reason: 'revoked' }) : Caller.fromToken(token, policy);
  };

  return {
    async authenticate(headers, route, origin) {
      const selected = selectIngressToken(headers, isContextRoute(route));
      if (!selected.ok) return selected;
      const { token: compact, header: tokenHeader } = selected.value;
      // Only a run token may come in this header (contract §3), and none are issued: an access token there is misplaced.
      if (tokenHeader === 'x-service-token') return err({ reason: 'malformed_token_header' });
      const verified = await withKeys(ports.rulebook, (book) => verifyRemembered(compact, origin, book.keys));
      if (!verified.ok) return verified;
      const { token, policy } = verified.value;
      if (!token.admits(audiencesOf(route, origin))) return err({ reason: 'bad_token', detail: 'audience' });
      const caller = await admit(token, policy);
      if (!caller.ok) return caller;
      if (token.claims.audience === origin && !caller.value.isGatewayClient) {
        return err({ reason: 'bad_token', detail: 'audience' });
      }
      if (!selectorsAgree(headers, caller.value)) return err({ reason: 'selector_mismatch' });
      return ok({ caller: caller.value, policy, tokenHeader });
    },

    async verifyDelegation(compact, audience, origin) {
      const verified = await withKeys(ports.rulebook, (book) =>
        VerifiedToken.verify(compact, {
          kind: 'identity',
          issuer: origin,
          keys: book.keys,
          nowSeconds: ports.clock(),
        }),
      );
      if (!verified.ok) return verified;
      const { token, policy } = verified.value;
      if (!token.admits([audience])) return err({ reason: 'bad_token', detail: 'audience' });
      return admit(token, policy);
    },
  };
}

/** Verifies with the keys at hand; where the token names an unknown key, once more after one fresh look. */
async function withKeys(
  rulebook: RulebookStore,
  verify: (book: Rulebook) => Result<VerifiedToken, IngressRefusal>,
): Promise<Result<{ token: VerifiedToken; policy: Policy }, IngressRefusal | Unavailable>> {
  const book = await rulebook.read();
  if (!book.ok) return book;
  const first = verify(book.value);
  if (first.ok) return ok({ token: first.value, policy: book.value.policy });
  const missing = first.error.reason === 'bad_token' ? first.error.missingKeyId : undefined;
  if (missing === undefined) return first;
  const fresh = await rulebook.read(missing);
  if (!fresh.ok) return fresh;
  const second = verify(fresh.value);
  return second.ok ? ok({ token: second.value, policy: fresh.value.policy }) : second;
}

function selectorsAgree(headers: Headers, caller: Caller): boolean {
  const clientId = headers.get('x-client-id');
  return (
    (clientId === null || clientId === caller.clientId) &&
    SELECTORS_OF_OTHERS.every((name) => !headers.has(name))
  );
}
