import { Caller } from '../core/caller.ts';
import type { IngressRefusal } from '../core/denial.ts';
import { selectIngressToken } from '../core/ingress-token.ts';
import { verifyWithKeys } from '../core/key-source.ts';
import { CONTEXT_STORE, type Policy } from '../core/policy.ts';
import type { Clock, ForeignKeys, RevocationStore, RulebookStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { audiencesOf, isContextRoute, type Route } from '../core/route.ts';
import { verifyRunToken } from '../core/run-token-verifier.ts';
import type { KeySet, TokenRefusal } from '../core/signed-token.ts';
import { VerifiedToken } from '../core/token.ts';
import { createIdpIngress, isIdpOf, selectorsAgree } from './idp-ingress.ts';
import { lookForRevocation } from './revocation-look.ts';
import { TokenMemory } from './token-memory.ts';

/** A caller who was verified, the policy that holds for this request, and which header the token came in. */
export type Admission = {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly tokenHeader: 'x-authorization' | 'x-service-token' | 'authorization';
};

/**
 * When the token has to be alive: now, where nothing is said. A call that was admitted and still runs is looked at as of its admission:
 * everything but `exp` has to hold now. An expired token of an IdP is only taken so while it is remembered.
 */
export type AsOf = { readonly asOfSeconds?: number };

/** Verifies who calls. One implementation for every function. */
export type Ingress = {
  authenticate(
    headers: Headers,
    route: Route,
    origin: string,
    options?: AsOf,
  ): Promise<Result<Admission, IngressRefusal | Unavailable>>;
  /** Verifies an access token that is handed over as a parameter, of ours or of an IdP: whose it is at this moment, whatever it is for. */
  identify(
    token: string,
    origin: string,
  ): Promise<Result<Omit<Admission, 'tokenHeader'>, IngressRefusal | Unavailable>>;
  /** Verifies an identity token that a server received and hands on (contract §7). `audience` is that server's URL. */
  verifyDelegation(
    token: string,
    audience: string,
    origin: string,
    options?: AsOf,
  ): Promise<Result<Caller, IngressRefusal | Unavailable>>;
};

/**
 * Ingress over the rulebook and revocations. In this order: one token, its form, key, signature and claims (remembered per token while
 * what vouches for it holds), audience of the route, revocation, client and organisation, selector headers. A token that claims the issuer
 * of an IdP whose access tokens are taken is verified with that IdP's keys, every other one with ours, so that an unknown issuer
 * leads to no look at anything. `ORIGIN` as audience opens a server only for a gateway client. What cannot be looked up is
 * `unavailable`, never an admission.
 */
export function createIngress(ports: {
  readonly rulebook: RulebookStore;
  readonly revocations: RevocationStore;
  readonly foreignKeys: ForeignKeys;
  readonly clock: Clock;
}): Ingress {
  const memory = new TokenMemory();
  const idps = createIdpIngress(ports, memory);

  const verifyOwn = (
    compact: string,
    issuer: string,
    keys: KeySet,
    nowSeconds: number,
  ): Result<VerifiedToken, TokenRefusal> => {
    const verified = VerifiedToken.verify(compact, { kind: 'access', issuer, keys, nowSeconds });
    if (verified.ok) {
      memory.keep(compact, issuer, {
        token: verified.value,
        voucher: keys,
        keptAtSeconds: nowSeconds,
        keepSeconds: Number.POSITIVE_INFINITY,
      });
    }
    return verified;
  };

  const verifyAccess = async (
    compact: string,
    origin: string,
    nowSeconds = ports.clock(),
  ): Promise<Result<{ token: VerifiedToken; policy: Policy }, IngressRefusal | Unavailable>> => {
    const book = await ports.rulebook.read();
    if (!book.ok) return book;
    const { policy, keys } = book.value;
    const holds = (voucher: object) => voucher === keys || isIdpOf(policy, voucher);
    const known = memory.find(compact, origin, holds, nowSeconds);
    if (known?.isExpired(nowSeconds)) return err({ reason: 'bad_token', detail: 'expired' });
    if (known !== undefined) return ok({ token: known, policy });
    const ofIdp = await idps.verify(compact, origin, policy);
    if (ofIdp !== undefined) return ofIdp.ok ? ok({ token: ofIdp.value, policy }) : ofIdp;
    const verified = await verifyWithKeys(ports.rulebook, (current) =>
      verifyOwn(compact, origin, current, nowSeconds),
    );
    if (!verified.ok) return verified;
    const { token, found } = verified.value;
    return ok({ token, policy: found.policy });
  };

  const admit = async (
    token: VerifiedToken,
    policy: Policy,
    options: { readonly fresh?: boolean } = {},
  ): Promise<Result<Caller, IngressRefusal | Unavailable>> => {
    const { claims } = token;
    const revoked = await lookForRevocation(ports.revocations, policy, claims, options);
    if (!revoked.ok) return revoked;
    return revoked.value ? err({ reason: 'revoked' }) : Caller.fromToken(token, policy, ports.clock());
  };

  const authenticateRun = async (
    compact: string,
    origin: string,
    headers: Headers,
    tokenHeader: Admission['tokenHeader'],
    asOfSeconds: number | undefined,
  ): Promise<Result<Admission, IngressRefusal | Unavailable>> => {
    const clock = asOfSeconds === undefined ? ports.clock : () => asOfSeconds;
    const expected = { issuer: origin, service: CONTEXT_STORE, clock };
    const verified = await verifyRunToken(compact, expected, ports.rulebook);
    if (!verified.ok) return verified;
    const { run, found } = verified.value;
    const { policy } = found;
    // A run may have the name of a client; what revokes that client's own subject is not about the run.
    const { claims } = run;
    const coordinator = { ...claims, subject: claims.clientId };
    const revoked = await lookForRevocation(ports.revocations, policy, coordinator);
    if (!revoked.ok) return revoked;
    if (revoked.value) return err({ reason: 'revoked' });
    const caller = Caller.fromRun(run, policy);
    if (!caller.ok) return caller;
    if (!selectorsAgree(headers, claims)) return err({ reason: 'selector_mismatch' });
    return ok({ caller: caller.value, policy, tokenHeader });
  };

  return {
    async authenticate(headers, route, origin, { asOfSeconds } = {}) {
      const selected = selectIngressToken(headers, isContextRoute(route));
      if (!selected.ok) return selected;
      const { token: compact, header: tokenHeader } = selected.value;
      // Only a run token may come in this header (contract §3): an access token there is misplaced.
      if (tokenHeader === 'x-service-token')
        return authenticateRun(compact, origin, headers, tokenHeader, asOfSeconds);
      const verified = await verifyAccess(compact, origin, asOfSeconds);
      if (!verified.ok) {
        // The two kinds differ in their `typ`: what is no access token by its header may be a run's.
        const mayBeRun = isContextRoute(route) && tokenHeader === 'authorization';
        return mayBeRun && verified.error.reason === 'bad_token' && verified.error.detail === 'header'
          ? authenticateRun(compact, origin, headers, tokenHeader, asOfSeconds)
          : verified;
      }
      const { token, policy } = verified.value;
      if (!token.admits(audiencesOf(route, origin))) return err({ reason: 'bad_token', detail: 'audience' });
      const caller = await admit(token, policy);
      if (!caller.ok) return caller;
      if (token.claims.audience === origin && !caller.value.isGatewayClient) {
        return err({ reason: 'bad_token', detail: 'audience' });
      }
      if (!selectorsAgree(headers, token.claims)) return err({ reason: 'selector_mismatch' });
      return ok({ caller: caller.value, policy, tokenHeader });
    },

    async identify(compact, origin) {
      const verified = await verifyAccess(compact, origin);
      if (!verified.ok) return verified;
      const { token, policy } = verified.value;
      const caller = await admit(token, policy, { fresh: true });
      return caller.ok ? ok({ caller: caller.value, policy }) : caller;
    },

    async verifyDelegation(compact, audience, origin, { asOfSeconds = ports.clock() } = {}) {
      const verified = await verifyWithKeys(ports.rulebook, (keys) =>
        VerifiedToken.verify(compact, { kind: 'identity', issuer: origin, keys, nowSeconds: asOfSeconds }),
      );
      if (!verified.ok) return verified;
      const { token, found } = verified.value;
      if (!token.admits([audience])) return err({ reason: 'bad_token', detail: 'audience' });
      return admit(token, found.policy);
    },
  };
}
