import { type CredentialOwner, credentialName, defaultCredentialName } from './credential.ts';

/** Whose secret a name ends with: a client's, a user's, or the one that stands in. */
export type SecretKey =
  | { readonly kind: 'client' | 'user'; readonly id: string }
  | { readonly kind: 'default' };

const ENCODED = /^b64\.([A-Za-z0-9_-]+)$/;

/**
 * Reads the last part of a secret's name: `client.ID`, `user.SUBJECT` with what Secrets Manager does not take as `b64.` and base64url, or
 * `_default` (contract §7). Undefined for a spelling that the gateway does not look for: each owner has one.
 */
export function readSecretKey(text: string): SecretKey | undefined {
  if (text === '_default') return { kind: 'default' };
  const [, kind, written = ''] = /^(client|user)\.(.+)$/s.exec(text) ?? [];
  if (kind !== 'client' && kind !== 'user') return undefined;
  const encoded = ENCODED.exec(written)?.[1];
  const id = encoded === undefined ? written : Buffer.from(encoded, 'base64url').toString();
  return writeSecretKey({ kind, id }) === text ? { kind, id } : undefined;
}

/** The last part of the name of a key's secret. */
export function writeSecretKey(key: SecretKey): string {
  const name = secretNameOf('-', '-', '-', key);
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The full name of a secret of an organisation for a server or service. */
export function secretNameOf(stage: string, orgId: string, target: string, key: SecretKey): string {
  if (key.kind === 'default') return defaultCredentialName(stage, target, orgId);
  const owner: CredentialOwner = { orgId, clientId: key.id, subject: key.id };
  return credentialName(stage, target, key.kind, owner);
}
