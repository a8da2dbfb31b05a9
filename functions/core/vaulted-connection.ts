import type { Connection, ConnectionOwner, ProviderAccount } from './connection.ts';
import { isJsonArray, type Json, JsonNumber, member, parseJsonText, stringMember } from './json.ts';
import type { RecordKey } from './ports.ts';
import type { Provider } from './provider.ts';
import { Secret } from './secret.ts';

/** A connection as it lies in the vault, opened: with its tokens. */
export type VaultedConnection = {
  /** Names this consent; the next one has another. */
  readonly consentId: string;
  /** How often its tokens have changed: one more each time, so that of two the newer is known. */
  readonly generation: number;
  readonly status: Connection['status'];
  readonly accessToken: Secret;
  readonly refreshToken: Secret | undefined;
  /** Undefined: until a 401. */
  readonly expiresAtSeconds: number | undefined;
  readonly granted: readonly string[];
  readonly asked: readonly string[];
  readonly account: ProviderAccount | undefined;
  readonly cloudIds: readonly string[];
  /** The token endpoint that gave the tokens, and our client there; absent in what an older version stored. */
  readonly tokenUrl?: string;
  readonly clientId?: string;
  readonly connectedAtSeconds: number;
  readonly refreshedAtSeconds: number;
};

/** Where a connection lies. Exact bytes of the subject: no two spellings are one. */
export function connectionKey({ orgId, subject }: ConnectionOwner, provider: string): RecordKey {
  return { kind: 'CONNECTION', orgId, id: `${Buffer.from(subject).toString('base64url')}#${provider}` };
}

/** What a connection is sealed to: it opens for no other owner and no other provider. */
export function sealingContext(
  { orgId, subject }: ConnectionOwner,
  provider: string,
): Readonly<Record<'org' | 'subject' | 'provider', string>> {
  return { org: orgId, subject, provider };
}

/** Are these the tokens of this endpoint, and of our client there? What does not say is taken to be. */
export function isOfEndpoint(
  { tokenUrl, clientId }: Pick<VaultedConnection, 'tokenUrl' | 'clientId'>,
  provider: Pick<Provider, 'tokenUrl' | 'clientId'>,
): boolean {
  return (
    (tokenUrl ?? provider.tokenUrl) === provider.tokenUrl &&
    (clientId ?? provider.clientId) === provider.clientId
  );
}

/** As its owner may see it. */
export function shownConnection(provider: string, vaulted: VaultedConnection): Connection {
  const [cloudId] = vaulted.cloudIds;
  return {
    provider,
    account: vaulted.account,
    scopes: vaulted.granted,
    status: vaulted.status,
    connectedAtSeconds: vaulted.connectedAtSeconds,
    refreshedAtSeconds: vaulted.refreshedAtSeconds,
    ...(cloudId === undefined ? {} : { cloudId }),
  };
}

/** As it is sealed. */
export function writeVaulted({ accessToken, refreshToken, ...rest }: VaultedConnection): string {
  return JSON.stringify({
    ...rest,
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal(),
  });
}

/** Reads what {@link writeVaulted} wrote; undefined for anything else. */
export function readVaulted(text: string): VaultedConnection | undefined {
  const parsed = parseJsonText(text);
  const value = parsed.ok ? parsed.value : undefined;
  const consentId = stringMember(value, 'consentId');
  const status = stringMember(value, 'status');
  const accessToken = stringMember(value, 'accessToken');
  const refreshToken = stringMember(value, 'refreshToken');
  const generation = numberMember(value, 'generation');
  const tokenUrl = stringMember(value, 'tokenUrl');
  const clientId = stringMember(value, 'clientId');
  const connectedAtSeconds = numberMember(value, 'connectedAtSeconds');
  const refreshedAtSeconds = numberMember(value, 'refreshedAtSeconds');
  const isWhole =
    consentId !== undefined &&
    accessToken !== undefined &&
    generation !== undefined &&
    connectedAtSeconds !== undefined &&
    refreshedAtSeconds !== undefined &&
    (status === 'active' || status === 'broken');
  if (!isWhole) return undefined;
  return {
    consentId,
    generation,
    status,
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
    expiresAtSeconds: numberMember(value, 'expiresAtSeconds'),
    granted: stringsMember(value, 'granted'),
    asked: stringsMember(value, 'asked'),
    account: accountMember(value),
    cloudIds: stringsMember(value, 'cloudIds'),
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
    ...(clientId === undefined ? {} : { clientId }),
    connectedAtSeconds,
    refreshedAtSeconds,
  };
}

function accountMember(value: Json | undefined): ProviderAccount | undefined {
  const account = member(value, 'account');
  const id = stringMember(account, 'id');
  return id === undefined ? undefined : { id, name: stringMember(account, 'name') };
}

function numberMember(value: Json | undefined, name: string): number | undefined {
  const found = member(value, name);
  return found instanceof JsonNumber ? found.toNumber() : undefined;
}

function stringsMember(value: Json | undefined, name: string): readonly string[] {
  const found = member(value, name);
  return isJsonArray(found) ? found.filter((item) => typeof item === 'string') : [];
}
