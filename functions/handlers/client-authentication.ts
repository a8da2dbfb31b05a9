import { type PresentedClient, readClientCredentials, secretMatches } from '../core/client-auth.ts';
import type { OAuthRefusal } from '../core/grant.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { RulebookStore, SecretStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';

/** The ports that authenticating a client needs. */
export type ClientSecretPorts = {
  readonly rulebook: RulebookStore;
  readonly secrets: SecretStore;
  readonly stage: string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** A refusal of an OAuth endpoint, or a dependency that is down. */
export type ClientRefusal = OAuthRefusal | Unavailable;

/** No client id has an `@`. */
const NOBODYS_SECRET = 'sallyport/{stage}/clients/@nobody';

/**
 * Authenticates the client: registered, not disabled, its organisation not suspended, by the method that is registered for it, with its
 * secret in the current or the previous version (contract §9). Every refusal reads the same.
 */
export async function authenticateClient(
  ports: ClientSecretPorts,
  request: Request,
  form: ReadonlyMap<string, string>,
): Promise<Result<{ readonly client: ClientEntry; readonly policy: Policy }, ClientRefusal>> {
  const presented = readClientCredentials(request.headers.get('authorization'), form);
  if (!presented.ok) return presented;
  const book = await ports.rulebook.read();
  if (!book.ok) return book;
  const { policy } = book.value;
  const client = policy.clients.get(presented.value.clientId);
  const matches = await hasSecret(ports, client, presented.value);
  if (!matches.ok) return matches;
  const isLive = client !== undefined && !client.disabled && !policy.isSuspended(client.org);
  if (!isLive || !matches.value) {
    return err({ error: 'invalid_client', description: 'client authentication failed' });
  }
  return ok({ client, policy });
}

/** A secret that does not match is compared once more past the cache, so that a rotated one works at once. */
async function hasSecret(
  ports: ClientSecretPorts,
  client: ClientEntry | undefined,
  presented: PresentedClient,
): Promise<Result<boolean, Unavailable>> {
  for (const fresh of [false, true]) {
    const live = await readSecrets(ports, client, presented, fresh);
    if (!live.ok) return live;
    if (secretMatches(presented.secrets, live.value)) return ok(true);
  }
  return ok(false);
}

/** Where there is no secret to compare with, nobody's is read: the same work takes the same time, and tells no client id. */
async function readSecrets(
  ports: ClientSecretPorts,
  client: ClientEntry | undefined,
  presented: PresentedClient,
  fresh: boolean,
): Promise<Result<readonly Secret[], Unavailable>> {
  const secretName = client?.auth === presented.method ? client.secretName : '';
  const isKnown = secretName !== '';
  const name = (isKnown ? secretName : NOBODYS_SECRET).replaceAll('{stage}', ports.stage);
  const [current, previous] = await Promise.all([
    ports.secrets.read(name, { fresh }),
    ports.secrets.read(name, { fresh, stage: 'AWSPREVIOUS' }),
  ]);
  if (!current.ok) {
    if (isKnown) {
      ports.log({
        level: 'error',
        event: 'client_secret_unreadable',
        client_id: presented.clientId,
        detail: current.error.detail,
      });
    }
    return current.error.reason === 'missing'
      ? ok([])
      : err({ reason: 'unavailable', detail: current.error.detail });
  }
  if (!isKnown) return ok([]);
  if (!previous.ok && previous.error.reason !== 'missing') return ok([current.value.value]);
  return ok(previous.ok ? [current.value.value, previous.value.value] : [current.value.value]);
}
