import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { CallFailure } from '../json-call.ts';
import { type Asking, LEAST_MS, OUT_OF_TIME } from './asking.ts';
import type { ConnectionPorts } from './connection-ports.ts';

/**
 * Asks a provider as our client, with our secret there; undefined for a public client. Where the provider does not take it, the newest is
 * tried, else the one that a rotation has staged, once and while there is time, so that a rotation shows at once.
 */
export async function withClientSecret<T>(
  ports: ConnectionPorts,
  of: Asking,
  ask: (secret: Secret | undefined) => Promise<T>,
  isRefused: (answer: T) => boolean,
): Promise<Result<T, CallFailure>> {
  const secret = await readClientSecret(ports, of, false);
  if (!secret.ok) return secret;
  const first = await ask(secret.value);
  if (secret.value === undefined || !isRefused(first)) return ok(first);
  const other = await readOtherSecret(ports, of, secret.value);
  if (!other.ok) return other;
  return ok(other.value === undefined ? first : await ask(other.value));
}

/** Our secret at a provider, while there is time to use it; undefined for a public client. One that is not there, or may not be read, is in the log. */
async function readClientSecret(
  ports: ConnectionPorts,
  of: Asking,
  fresh: boolean,
): Promise<Result<Secret | undefined, CallFailure>> {
  const fullName = nameOf(ports, of);
  if (fullName === undefined) return ok(undefined);
  if (of.untilMs - ports.now() < LEAST_MS) return err(OUT_OF_TIME);
  const read = await ports.secrets.read(fullName, { fresh });
  if (read.ok) return ok(read.value.value);
  const { reason } = read.error;
  ports.log({
    level: 'error',
    event: 'provider_secret_unreadable',
    provider: of.provider.name,
    secret: fullName,
    reason,
  });
  return err({ detail: `the client secret is ${reason}`, isOutage: reason === 'unavailable' });
}

/** Another one than the provider has refused: the newest, else the one that waits to be promoted; undefined where there is none. */
async function readOtherSecret(
  ports: ConnectionPorts,
  of: Asking,
  refused: Secret,
): Promise<Result<Secret | undefined, CallFailure>> {
  const isOther = (secret: Secret | undefined) => secret?.reveal() !== refused.reveal();
  const current = await readClientSecret(ports, of, true);
  if (!current.ok || isOther(current.value)) return current;
  const fullName = nameOf(ports, of);
  if (fullName === undefined || of.untilMs - ports.now() < LEAST_MS) return ok(undefined);
  const waiting = await ports.secrets.read(fullName, { stage: 'AWSPENDING', fresh: true });
  return ok(waiting.ok && isOther(waiting.value.value) ? waiting.value.value : undefined);
}

function nameOf(ports: ConnectionPorts, { provider }: Asking): string | undefined {
  return provider.clientSecretName?.replaceAll('{stage}', ports.stage);
}
