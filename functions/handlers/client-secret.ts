import { type PresentedClient, secretMatches } from '../core/client-auth.ts';
import type { ClientEntry } from '../core/policy.ts';
import type { SecretStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';

/** What comparing with a client's secret needs. */
export type ClientSecretPorts = {
  readonly secrets: SecretStore;
  readonly stage: string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** A client that presents a secret. */
export type SecretPresented = PresentedClient & { readonly secrets: readonly string[] };

/**
 * The versions of a secret that are accepted, and nobody's where there is no secret: as much to compare, of the same shape, whoever it is
 * about. A previous one that cannot be read is the current one once more.
 */
type LiveSecrets = { readonly isThere: boolean; readonly current: Secret; readonly previous: Secret };

/** No client id has an `@`. */
const NOBODYS_SECRET = 'sallyport/{stage}/clients/@nobody';

/**
 * Is it the secret of this client, in the current or the previous version (contract §9), presented by the method that is registered for it?
 * One that does not match is compared once more past the cache, so that a rotated one works at once.
 */
export async function proveBySecret(
  ports: ClientSecretPorts,
  client: ClientEntry | undefined,
  presented: SecretPresented,
): Promise<Result<{ readonly isProven: boolean }, Unavailable>> {
  for (const fresh of [false, true]) {
    const live = await readSecrets(ports, client, presented, fresh);
    if (!live.ok) return live;
    const { isThere, current, previous } = live.value;
    const matches = secretMatches(presented.secrets, [current, previous]);
    if (matches && isThere) return ok({ isProven: true });
  }
  return ok({ isProven: false });
}

/** Where there is no secret to compare with, nobody's is read: the same work takes the same time, and tells no client id. */
async function readSecrets(
  ports: ClientSecretPorts,
  client: ClientEntry | undefined,
  presented: SecretPresented,
  fresh: boolean,
): Promise<Result<LiveSecrets, Unavailable>> {
  const secretName = client?.auth === presented.method ? client.secretName : '';
  const isKnown = secretName !== '';
  const name = (isKnown ? secretName : NOBODYS_SECRET).replaceAll('{stage}', ports.stage);
  const [current, previous] = await Promise.all([
    ports.secrets.read(name, { fresh }),
    ports.secrets.read(name, { fresh, stage: 'AWSPREVIOUS' }),
  ]);
  if (!current.ok && current.error.reason !== 'missing') {
    return err({ reason: 'unavailable', detail: current.error.detail });
  }
  if (!current.ok && isKnown) {
    ports.log({
      level: 'error',
      event: 'client_secret_unreadable',
      client_id: presented.clientId,
      detail: current.error.detail,
    });
  }
  // Compared where there is no secret, and refused whatever comes of it.
  const nobodys = new Secret('nobody-has-this-secret-and-it-opens-nothing');
  const isThere = isKnown && current.ok;
  const live = isThere ? current.value.value : nobodys;
  return ok({ isThere, current: live, previous: isThere && previous.ok ? previous.value.value : live });
}
