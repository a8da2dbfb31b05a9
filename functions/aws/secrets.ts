import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { isFresh } from '../core/freshness.ts';
import type { Clock, SecretFailure, SecretStore, SecretVersion } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';

/** Contract §13: a rotation shows within 60 s; an outage is bridged for 300 s. */
const FRESH_SECONDS = 60;
const STALE_SECONDS = 300;
/** After a failed look during an outage, how long the held value serves before the next look. */
const OUTAGE_RETRY_SECONDS = 5;
/** A read past the cache that brings nothing new happens at most this often per secret, so that nobody can drain the API with bad calls. */
const FORCED_EVERY_SECONDS = 5;
/** What could not be had is not looked for again at once: most secrets have no previous version, and a throttled API has enough. */
const FAILED_SECONDS = 5;
const MAX_HELD = 500;

type Held = {
  readonly version: Required<SecretVersion>;
  /** The last look, whatever came of it, and how long the next one is left alone. */
  readonly lookedAtSeconds: number;
  readonly retryAfterSeconds: number;
};

/**
 * Secrets from Secrets Manager through one version-aware cache, keyed by name and stage: 60 s fresh, least recently used
 * out first, one request at a time per key; past the cache, for nothing new, once in 5 s per key, whatever is asked. An outage serves the held value for at most 300 s; a refused or missing secret is
 * forgotten at once. A failure is given for 5 s without another look, but for one past the cache.
 */
export function createSecretStore(client: SecretsManagerClient, clock: Clock): SecretStore {
  const held = new Map<string, Held>();
  const forcedAtSeconds = new Map<string, number>();
  const failed = new Map<string, { readonly failure: SecretFailure; readonly lookedAtSeconds: number }>();
  const underWay = new Map<string, Promise<Result<SecretVersion, SecretFailure>>>();

  const fetchSecret = async (
    key: string,
    name: string,
    stage: string,
    refused: string | undefined,
  ): Promise<Result<SecretVersion, SecretFailure>> => {
    const answer = await getSecret(client, name, stage);
    const nowSeconds = clock();
    const previous = held.get(key);
    held.delete(key);
    failed.delete(key);
    if (answer.ok) {
      const old = refused ?? previous?.version.versionId;
      // Rotations are few: one that follows another is seen at once too.
      if (old !== undefined && answer.value.versionId !== old) forcedAtSeconds.delete(key);
      const version = { ...answer.value, readAtSeconds: nowSeconds };
      keep(held, key, { version, lookedAtSeconds: nowSeconds, retryAfterSeconds: FRESH_SECONDS });
      return ok(version);
    }
    const canBridge =
      answer.error.reason === 'unavailable' &&
      previous !== undefined &&
      isFresh(previous.version.readAtSeconds, STALE_SECONDS, nowSeconds);
    if (!canBridge) {
      keep(failed, key, { failure: answer.error, lookedAtSeconds: nowSeconds });
      return answer;
    }
    keep(held, key, { ...previous, lookedAtSeconds: nowSeconds, retryAfterSeconds: OUTAGE_RETRY_SECONDS });
    return ok(previous.version);
  };

  return {
    read(name, { stage = 'AWSCURRENT', fresh = false, refused } = {}) {
      const key = `${stage} ${name}`;
      const known = held.get(key);
      const running = underWay.get(key);
      const nowSeconds = clock();
      const hasNoOther =
        refused !== undefined && (known === undefined || known.version.versionId === refused);
      const skipsCache = fresh || hasNoOther;
      // Somebody's look is under way, and what is held may be old by then.
      if (skipsCache && running !== undefined) return running;
      const isForced =
        skipsCache && !isFresh(forcedAtSeconds.get(key) ?? 0, FORCED_EVERY_SECONDS, nowSeconds);
      if (isForced) keep(forcedAtSeconds, key, nowSeconds);
      const isHeld =
        known !== undefined &&
        isFresh(known.lookedAtSeconds, known.retryAfterSeconds, nowSeconds) &&
        isFresh(known.version.readAtSeconds, STALE_SECONDS, nowSeconds);
      if (isHeld && !isForced) {
        keep(held, key, known);
        return Promise.resolve(ok(known.version));
      }
      const past = failed.get(key);
      const hasFailed = past !== undefined && isFresh(past.lookedAtSeconds, FAILED_SECONDS, nowSeconds);
      if (hasFailed && !isForced) return Promise.resolve(err(past.failure));
      if (running !== undefined) return running;
      const started = fetchSecret(key, name, stage, refused).finally(() => underWay.delete(key));
      underWay.set(key, started);
      return started;
    },
  };
}

function keep<T>(held: Map<string, T>, key: string, value: T): void {
  held.delete(key);
  held.set(key, value);
  for (const oldest of held.keys()) {
    if (held.size <= MAX_HELD) break;
    held.delete(oldest);
  }
}

/** `Secrets Manager can't find the specified secret value for staging label: AWSCURRENT` */
const NO_VERSION = /secret value for (?:staging label|VersionStage)/i;

async function getSecret(
  client: SecretsManagerClient,
  name: string,
  stage: string,
): Promise<Result<SecretVersion, SecretFailure>> {
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: stage }));
    if (answer.SecretString === undefined || answer.VersionId === undefined) {
      return err({ reason: 'denied', detail: `secret \`${name}\` holds no text` });
    }
    return ok({ value: new Secret(answer.SecretString), versionId: answer.VersionId });
  } catch (error) {
    const { name: type, message } = error instanceof Error ? error : { name: 'unknown failure', message: '' };
    // In Secrets Manager's words this is one of two things: the secret is not there, or no version of it is.
    const isEmpty =
      stage === 'AWSCURRENT' && type === 'ResourceNotFoundException' && NO_VERSION.test(message);
    return isEmpty
      ? err({ reason: 'denied', detail: `secret \`${name}\`: no version of it is AWSCURRENT` })
      : err({ reason: reasonOf(type), detail: `secret \`${name}\` (${stage}): ${type}` });
  }
}

/** `InvalidRequestException` is Secrets Manager's word for a secret that is scheduled for deletion: it is there, and nothing stands in for it. */
function reasonOf(type: string): SecretFailure['reason'] {
  switch (type) {
    case 'ResourceNotFoundException':
      return 'missing';
    case 'InvalidRequestException':
    case 'AccessDeniedException':
    case 'DecryptionFailure':
      return 'denied';
    default:
      return 'unavailable';
  }
}
