import type { Caller } from '../../core/caller.ts';
import type { Denial } from '../../core/denial.ts';
import { mintIdentityToken } from '../../core/mint.ts';
import type { SigningKey } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import type { CredentialMode } from './mode.ts';

/** The ports of identity tokens. `now` is in milliseconds. */
export type IdentityPorts = { readonly identityKey: SigningKey; readonly now: () => number };

const MAX_IDENTITIES = 2_000;

/** A short token of ours that says who calls; kept per caller token and server until half of its life. */
export function createIdentity(ports: IdentityPorts): CredentialMode {
  const identities = new Map<string, { readonly token: string; readonly useUntilSeconds: number }>();

  const identityToken = async (
    caller: Caller,
    audience: string,
    issuer: string,
  ): Promise<Result<string, Denial>> => {
    const nowSeconds = Math.floor(ports.now() / 1000);
    const { endsAtSeconds } = caller;
    // Ingress still takes it, clocks being what they are; the identity token would be dead at birth.
    if (endsAtSeconds <= nowSeconds) return err({ reason: 'bad_token', detail: 'expired' });
    const key = await ports.identityKey.publicKey();
    if (!key.ok) return key;
    const { keyId } = key.value;
    // The key that signs now, and all that the token says but its times, so that neither a key that is refused nor a group that is
    // taken away is in it any more.
    const says = mintIdentityToken(caller, audience, { keyId, issuer, nowSeconds: 0 }).signingInput;
    const cacheKey = JSON.stringify([says, endsAtSeconds]);
    const kept = identities.get(cacheKey);
    if (kept !== undefined && nowSeconds < kept.useUntilSeconds) return ok(kept.token);
    const unsigned = mintIdentityToken(caller, audience, { keyId, issuer, nowSeconds });
    const signature = await ports.identityKey.sign(unsigned.signingInput, keyId);
    if (!signature.ok) return signature;
    const token = `${unsigned.signingInput}.${signature.value}`;
    if (identities.size >= MAX_IDENTITIES) identities.clear();
    const halfLifeSeconds = Math.floor((unsigned.expiresAtSeconds - nowSeconds) / 2);
    identities.set(cacheKey, { token, useUntilSeconds: nowSeconds + halfLifeSeconds });
    return ok(token);
  };

  return async ({ caller, target, outgoing, origin }) => {
    const token = await identityToken(caller, target.url, origin);
    if (!token.ok) return token;
    outgoing.headers.set('authorization', `Bearer ${token.value}`);
    return ok({ hidden: [new Secret(token.value)], version: undefined });
  };
}
