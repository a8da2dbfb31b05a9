import { openClassOf } from '../core/client-id.ts';
import type { Egress } from '../core/policy.ts';
import { readSecretKey, type SecretKey, secretNameOf } from '../core/secret-key.ts';
import { type Authority, mayReach } from './administration.ts';
import type { SecretUse } from './secret-value.ts';

/** The name in the place of a server or service under which the client secrets at providers are. No server begins with `_`. */
export const PROVIDERS = '_providers';

/** Where a secret is kept, and what its value must be. `note`: why nothing would use it as things are. */
export type SecretPlace = {
  readonly name: string;
  /** How its value is used; undefined: it is our secret at a provider, and a bare text. */
  readonly use: SecretUse | undefined;
  readonly note: string | undefined;
};

/**
 * The place of a secret of an organisation, by the policy that is stored. Undefined where there is none for this administrator: no such
 * server, service or provider, one of another organisation, or an owner that no secret is kept for.
 */
export function findPlace(
  authority: Authority,
  ownOrgId: string,
  { stage, orgId, target, key }: { stage: string; orgId: string; target: string; key: string },
): SecretPlace | undefined {
  const { snapshot, isOfPlatform } = authority;
  if (!mayReach({ isOfPlatform, snapshot, orgId: ownOrgId }, orgId)) return undefined;
  if (target === PROVIDERS) return providerPlace(authority, { stage, orgId, provider: key });
  const entry = [...snapshot.servers, ...snapshot.services].find(({ name }) => name === target);
  const owner = readSecretKey(key);
  if (entry === undefined || owner === undefined || (entry.org ?? orgId) !== orgId) return undefined;
  return {
    name: secretNameOf(stage, orgId, target, owner),
    use: { url: entry.url, isPrivate: entry.private, perimeter: snapshot.perimeter },
    note: noteOf(entry.egress, owner) ?? noteOfClient(authority, orgId, owner),
  };
}

/** A provider of every organisation is the platform's. Where `providers.yml` names another secret, it is not one of these. */
function providerPlace(
  { snapshot, isOfPlatform }: Authority,
  { stage, orgId, provider: name }: { stage: string; orgId: string; provider: string },
): SecretPlace | undefined {
  const provider = (snapshot.providers ?? []).find((one) => one.name === name);
  const isReached = provider?.org === undefined ? isOfPlatform : provider.org === orgId;
  const isHere = provider?.clientSecretName === `sallyport/{stage}/providers/${name}`;
  return isReached && isHere
    ? {
        name: `sallyport/${stage}/providers/${name}`,
        use: undefined,
        note: undefined,
      }
    : undefined;
}

function noteOf({ mode, key, fallback }: Egress, owner: SecretKey): string | undefined {
  if (mode !== 'service_account') return `its egress mode is ${mode}: no secret is put on`;
  if (owner.kind === 'default') {
    return fallback === 'default'
      ? undefined
      : 'its entry does not say `fallback: default`: nothing stands in';
  }
  return owner.kind === key ? undefined : `its entry says \`key: ${key}\`: this one is not looked for`;
}

/** A client that registers itself is in no configuration. */
function noteOfClient({ snapshot }: Authority, orgId: string, owner: SecretKey): string | undefined {
  if (owner.kind !== 'client' || openClassOf(owner.id) !== undefined) return undefined;
  return snapshot.clients.some(({ id, org }) => id === owner.id && org === orgId)
    ? undefined
    : `${orgId} has no client ${owner.id}: nothing uses it until there is one`;
}

/** The organisations' part of the names of secrets, and for one server or service the beginning of them. */
export function secretPrefix(stage: string, orgId: string, target: string | undefined): string {
  const name = secretNameOf(stage, orgId, target ?? '', { kind: 'default' });
  return name.slice(0, target === undefined ? -'/_default'.length : -'_default'.length);
}
