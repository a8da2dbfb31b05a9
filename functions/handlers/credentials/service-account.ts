import {
  applyCredential,
  credentialName,
  defaultCredentialName,
  parseCredential,
} from '../../core/credential.ts';
import type { Denial } from '../../core/denial.ts';
import type { SecretFailure, SecretStore, SecretVersion } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CredentialMode, Outgoing, PutOn } from './mode.ts';

/** The ports of service accounts. */
export type ServiceAccountPorts = { readonly secrets: SecretStore; readonly stage: string };

/** The secret of the verified client, or of the user where the entry says so, for that very server or service. */
export function createServiceAccount({ secrets, stage }: ServiceAccountPorts): CredentialMode {
  return async ({ caller, target, outgoing, refused }) => {
    const { key, fallback } = target.egress;
    const name = credentialName(stage, target.name, key, caller);
    const fresh = refused !== undefined;
    let read = await secrets.read(name, { fresh });
    if (!read.ok && read.error.reason === 'missing' && fallback === 'default') {
      read = await secrets.read(defaultCredentialName(stage, target.name, caller.orgId), { fresh });
    }
    return read.ok ? applySecret(read.value, name, outgoing) : err(toDenial(read.error, name));
  };
}

function applySecret(version: SecretVersion, name: string, outgoing: Outgoing): Result<PutOn, Denial> {
  const credential = parseCredential(version.value.reveal());
  if (!credential.ok) {
    return err({
      reason: 'missing_credential',
      detail: `the value of secret \`${name}\`: ${credential.error}`,
    });
  }
  const hidden = applyCredential(credential.value, outgoing.url, outgoing.headers);
  return ok({ hidden, version: version.versionId });
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
