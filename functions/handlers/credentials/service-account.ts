import {
  applyCredential,
  type Credential,
  credentialName,
  defaultCredentialName,
  isTooShort,
  mayGoTo,
  parseCredential,
} from '../../core/credential.ts';
import type { Denial } from '../../core/denial.ts';
import { secretsOf } from '../../core/oauth-client.ts';
import { isLoopback } from '../../core/perimeter.ts';
import type { SecretFailure, SecretStage, SecretStore, SecretVersion } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { CredentialCall, CredentialMode, PutOn } from './mode.ts';
import { createOAuthTokens, type OAuthTokenPorts, type TokenFailure } from './oauth-tokens.ts';

/** The ports of service accounts. */
export type ServiceAccountPorts = OAuthTokenPorts & {
  readonly secrets: SecretStore;
  readonly stage: string;
};

/** A version of a secret, and the name that it was found by. */
type Found = SecretVersion & { readonly name: string };

/** What the upstream has refused: a version of a secret, and the token that was got with it where one was. */
type Refused = Pick<Found, 'name' | 'versionId'> & { readonly serial?: string | undefined };

/** Why one version does not do. `isRefused`: another version may. */
type Unfit = { readonly denial: Denial; readonly isRefused: boolean };

/**
 * The secret of the verified client, or of the user where the entry says so, for that very server or service; `_default` only where there
 * is none and the entry says `fallback: default`. Where the upstream, or the token endpoint of an `oauth2` secret, refuses a version, the
 * newest is looked for, then the one that a rotation has staged (AWSPENDING): whoever takes one credential only takes that one before it
 * becomes AWSCURRENT.
 */
export function createServiceAccount(ports: ServiceAccountPorts): CredentialMode {
  const { secrets, stage } = ports;
  const tokens = createOAuthTokens(ports);
  /** Those of which the operator was told: a value that is read anew is another one. */
  const told = new WeakSet<Secret>();

  const cautionOf = ({ name, value }: Found, credential: Credential): Pick<PutOn, 'caution'> => {
    if (!isTooShort(credential) || told.has(value)) return {};
    told.add(value);
    return {
      caution: `the secret \`${name}\` is shorter than 8 characters: an echo of it may not be seen; write a longer one`,
    };
  };

  const findCurrent = async (
    { caller, target }: CredentialCall,
    refused: Refused | undefined,
  ): Promise<Result<Found, Denial>> => {
    const { key, fallback } = target.egress;
    const own = credentialName(stage, target.name, key, caller);
    const read = await readVersion(secrets, own, refused);
    const mayFallBack = !read.ok && read.error.reason === 'missing' && fallback === 'default';
    if (!mayFallBack) return read.ok ? read : err(toDenial(read.error, own));
    const name = defaultCredentialName(stage, target.name, caller.orgId);
    const instead = await readVersion(secrets, name, refused);
    return instead.ok ? instead : err(toDenial(instead.error, own));
  };

  /** Looked for before what is current: a version that is promoted between the two looks would be found by neither. */
  const findWaiting = async (tried: Refused): Promise<Found | undefined> => {
    const pending = await readVersion(secrets, tried.name, tried, 'AWSPENDING');
    return pending.ok && !isSame(pending.value, tried) ? pending.value : undefined;
  };

  const findOther = async (call: CredentialCall, tried: Found): Promise<Found | undefined> => {
    const waiting = await findWaiting(tried);
    const current = await findCurrent(call, tried);
    return current.ok && !isSame(current.value, tried) ? current.value : waiting;
  };

  const put = async (
    { target, perimeter, outgoing }: CredentialCall,
    found: Found,
    refused: Refused | undefined,
  ): Promise<Result<PutOn, Unfit>> => {
    const { name, versionId } = found;
    const parsed = parseCredential(found.value.reveal());
    if (!parsed.ok) return err(unfit(`the value of secret \`${name}\`: ${parsed.error}`));
    const credential = parsed.value;
    if (!mayGoTo(credential, outgoing.url)) return err(unfit(`the secret \`${name}\` is for another URL`));
    const isRefused = refused !== undefined && isSame(found, refused);
    if (credential.type !== 'oauth2') {
      if (isRefused) return err(unfit(`the upstream refuses the secret \`${name}\``, true));
      const hidden = applyCredential(credential, outgoing.url, outgoing.headers);
      return ok({ hidden, version: toVersion(found), ...cautionOf(found, credential) });
    }
    const { client } = credential;
    const got = await tokens.get({
      name,
      versionId,
      client,
      allowPrivate: target.private,
      allowLoopback: isLoopback(new URL(target.url).hostname),
      perimeter,
      refused: isRefused ? refused.serial : undefined,
    });
    if (!got.ok) return err(toUnfit(got.error, name));
    const { token, serial } = got.value;
    outgoing.headers.set('authorization', `Bearer ${token.reveal()}`);
    const hidden = [token, ...secretsOf(client)];
    return ok({ hidden, version: toVersion({ ...found, serial }), ...cautionOf(found, credential) });
  };

  return async (call) => {
    const refused = call.refused === undefined ? undefined : readRefused(call.refused);
    const waiting = refused === undefined ? undefined : await findWaiting(refused);
    const current = await findCurrent(call, refused);
    if (!current.ok) return current;
    const first = await put(call, current.value, refused);
    if (first.ok) return first;
    const isOther = waiting !== undefined && !isSame(waiting, current.value);
    const find = () => (isOther ? waiting : findOther(call, current.value));
    const other = first.error.isRefused ? await find() : undefined;
    const second = other === undefined ? first : await put(call, other, refused);
    if (second.ok) return second;
    // Nothing else to try: the 401 that the upstream gave stands.
    return refused !== undefined && first.error.isRefused
      ? ok({ hidden: [], version: call.refused })
      : err(first.error.denial);
  };
}

/** Neither a secret's name, nor a version's id, nor a serial has a space in it. */
function toVersion({ name, versionId, serial }: Refused): string {
  return [name, versionId, ...(serial === undefined ? [] : [serial])].join(' ');
}

function readRefused(version: string): Refused {
  const [name = '', versionId = '', serial] = version.split(' ');
  return { name, versionId, serial };
}

function isSame(one: Refused, other: Refused): boolean {
  return one.name === other.name && one.versionId === other.versionId;
}

function unfit(detail: string, isRefused = false): Unfit {
  return { denial: { reason: 'missing_credential', detail }, isRefused };
}

function toUnfit({ reason, detail }: TokenFailure, name: string): Unfit {
  const told = `the token endpoint of secret \`${name}\`: ${detail}`;
  switch (reason) {
    case 'refused':
      return unfit(told, true);
    case 'unusable':
      return unfit(told);
    case 'forbidden':
      return { denial: { reason: 'outside_perimeter', detail: told }, isRefused: false };
    case 'unavailable':
      return { denial: { reason: 'unavailable', detail: told }, isRefused: false };
  }
}

async function readVersion(
  secrets: SecretStore,
  name: string,
  refused: Refused | undefined,
  stage: SecretStage = 'AWSCURRENT',
): Promise<Result<Found, SecretFailure>> {
  const options = refused?.name === name ? { stage, refused: refused.versionId } : { stage };
  const read = await secrets.read(name, options);
  return read.ok ? ok({ ...read.value, name }) : read;
}

function toDenial(failure: SecretFailure, name: string): Denial {
  switch (failure.reason) {
    case 'missing':
      return { reason: 'missing_credential', detail: `create the secret \`${name}\`` };
    case 'denied':
      return { reason: 'missing_credential', detail: `the gateway cannot read the ${failure.detail}` };
    case 'unavailable':
      return { reason: 'unavailable', detail: failure.detail };
  }
}
