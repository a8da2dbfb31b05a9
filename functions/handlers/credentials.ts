import type { Caller } from '../core/caller.ts';
import {
  applyCredential,
  credentialName,
  defaultCredentialName,
  parseCredential,
} from '../core/credential.ts';
import type { Denial } from '../core/denial.ts';
import { mintIdentityToken } from '../core/mint.ts';
import type { Egress } from '../core/policy.ts';
import type { SecretFailure, SecretStore, SecretVersion, SigningKey } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';

/** Where a credential goes: a server or service of the policy. */
export type CredentialTarget = { readonly name: string; readonly url: string; readonly egress: Egress };

/** A request on its way out, to put the credential on. Header names are lower case. */
export type Outgoing = { readonly url: URL; readonly headers: Map<string, string> };

/** Puts on what the egress mode says. */
export type Credentials = {
  /**
   * `callerAuthorization` is the caller's own `Authorization` where it belongs to the upstream (contract §3). `fresh` reads a secret
   * past the cache. A credential that cannot be had is a denial; nothing is ever sent without the one that the mode asks for. Gives
   * what of it must not come back in the answer.
   */
  put(
    caller: Caller,
    target: CredentialTarget,
    outgoing: Outgoing,
    context: {
      readonly origin: string;
      readonly callerAuthorization: string | null;
      readonly fresh: boolean;
    },
  ): Promise<Result<readonly Secret[], Denial>>;
};

/** The ports of egress credentials. `now` is in milliseconds. */
export type CredentialPorts = {
  readonly secrets: SecretStore;
  readonly identityKey: SigningKey;
  readonly stage: string;
  readonly now: () => number;
};

const MAX_IDENTITIES = 2_000;

/** Credentials by egress mode (contract §7). Identity tokens are kept per caller token and server until half of their life. */
export function createCredentials(ports: CredentialPorts): Credentials {
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

  const serviceAccount = async (
    caller: Caller,
    target: CredentialTarget,
    outgoing: Outgoing,
    fresh: boolean,
  ): Promise<Result<readonly Secret[], Denial>> => {
    const { key, fallback } = target.egress;
    const name = credentialName(ports.stage, target.name, key, caller);
    let read = await ports.secrets.read(name, { fresh });
    if (!read.ok && read.error.reason === 'missing' && fallback === 'default') {
      read = await ports.secrets.read(defaultCredentialName(ports.stage, target.name, caller.orgId), {
        fresh,
      });
    }
    return read.ok ? applySecret(read.value, name, outgoing) : err(toDenial(read.error, name));
  };

  return {
    async put(caller, target, outgoing, { origin, callerAuthorization, fresh }) {
      switch (target.egress.mode) {
        case 'none':
          return ok([]);
        case 'passthrough':
          if (callerAuthorization !== null) outgoing.headers.set('authorization', callerAuthorization);
          return ok([]);
        case 'identity': {
          const token = await identityToken(caller, target.url, origin);
          if (!token.ok) return token;
          outgoing.headers.set('authorization', `Bearer ${token.value}`);
          return ok([new Secret(token.value)]);
        }
        case 'service_account':
          return serviceAccount(caller, target, outgoing, fresh);
        case 'user_oauth':
        case 'hybrid':
          return err({
            reason: 'missing_credential',
            detail: `mode \`${target.egress.mode}\` is not built yet`,
          });
      }
    },
  };
}

function applySecret(
  version: SecretVersion,
  name: string,
  outgoing: Outgoing,
): Result<readonly Secret[], Denial> {
  const credential = parseCredential(version.value.reveal());
  if (!credential.ok) {
    return err({
      reason: 'missing_credential',
      detail: `the value of secret \`${name}\`: ${credential.error}`,
    });
  }
  return ok(applyCredential(credential.value, outgoing.url, outgoing.headers));
}

function toDenial(failure: SecretFailure, name: string): Denial {
  switch (failure.reason) {
    case 'missing':
      return { reason: 'missing_credential', detail: `create the secret \`${name}\`` };
    case 'denied':
      return { reason: 'missing_credential', detail: `the gateway may not read the secret \`${name}\`` };
    case 'unavailable':
      return { reason: 'unavailable', detail: failure.detail };
  }
}
