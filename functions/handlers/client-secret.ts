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

/** The versions of a secret that are accepted. A previous one that cannot be read is none. */
type LiveSecrets = { readonly current?: Secret; readonly previous?: Secret };

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
  // Compared where there is no secret, and refused whatever comes of it.
  const nobodys = new Secret('nobody-has-this-secret-and-it-opens-nothing');
  for (const fresh of [false, true]) {
    const live = await readSecrets(ports, client, presented, fresh);
    if (!live.ok) return live;
    // As many comparisons where there are fewer secrets.
    const { current = nobodys, previous = current } = live.value;
    const matches = secretMatches(presented.secrets, [current, previous]);
    if (matches && current !== nobodys) return ok({ isProven: true });
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
  if (!current.ok) {
    // An outage is in the log as what the request ended with.
    if (isKnown && current.error.reason === 'missing') {
      ports.log({
        level: 'error',
        event: 'client_secret_unreadable',
        client_id: presented.clientId,
        detail: current.error.detail,
      });
    }
    return current.error.reason === 'missing'
      ? ok({})
      : err({ reason: 'unavailable', detail: current.error.detail });
  }
  if (!isKnown) return ok({});
  return ok({ current: current.value.value, ...(previous.ok ? { previous: previous.value.value } : {}) });
}
