import {
  applyCredential,
  credentialName,
  defaultCredentialName,
  parseCredential,
} from '../../core/credential.ts';
import type { Denial } from '../../core/denial.ts';
import type { SecretFailure, SecretStage, SecretStore, SecretVersion } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CredentialCall, CredentialMode, Outgoing, PutOn } from './mode.ts';

/** The ports of service accounts. */
export type ServiceAccountPorts = { readonly secrets: SecretStore; readonly stage: string };

/** A version of a secret, and the name that it was found by. */
type Found = SecretVersion & { readonly name: string };

/**
 * The secret of the verified client, or of the user where the entry says so, for that very server or service; `_default` only where there
 * is none and the entry says `fallback: default`. Where the upstream refuses a version, the newest is looked for, then the one that a
 * rotation has staged (AWSPENDING): an upstream that takes one credential only takes that one before it becomes AWSCURRENT.
 */
export function createServiceAccount({ secrets, stage }: ServiceAccountPorts): CredentialMode {
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

  return async (call) => {
    const refused = call.refused === undefined ? undefined : readRefused(call.refused);
    const current = await findCurrent(call, refused);
    if (!current.ok) return current;
    const isRefused = refused !== undefined && toVersion(current.value) === toVersion(refused);
    if (!isRefused) return putSecret(current.value, call.outgoing);
    const pending = await readVersion(secrets, current.value.name, refused, 'AWSPENDING');
    const put = pending.ok ? putSecret(pending.value, call.outgoing) : pending;
    return put.ok ? put : ok({ hidden: [], version: call.refused });
  };
}

/** What the upstream has refused. */
type Refused = Pick<Found, 'name' | 'versionId'>;

/** Neither a secret's name nor a version's id has a space in it. */
function toVersion({ name, versionId }: Refused): string {
  return `${name} ${versionId}`;
}

function readRefused(version: string): Refused {
  const [name = '', versionId = ''] = version.split(' ');
  return { name, versionId };
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

function putSecret(found: Found, outgoing: Outgoing): Result<PutOn, Denial> {
  const credential = parseCredential(found.value.reveal());
  if (!credential.ok) {
    return err({
      reason: 'missing_credential',
      detail: `the value of secret \`${found.name}\`: ${credential.error}`,
    });
  }
  const hidden = applyCredential(credential.value, outgoing.url, outgoing.headers);
  return ok({ hidden, version: toVersion(found) });
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
