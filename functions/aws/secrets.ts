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
/** A read past the cache happens at most this often per secret, so that nobody can drain the API with bad calls. */
const FORCED_EVERY_SECONDS = 5;
/** A secret or stage that is not there is not looked for again at once: most secrets have no previous version. */
const MISSING_SECONDS = 5;
const MAX_HELD = 500;

type Held = {
  readonly version: SecretVersion;
  readonly readAtSeconds: number;
  /** The last look, whatever came of it, and how long the next one is left alone. */
  readonly lookedAtSeconds: number;
  readonly retryAfterSeconds: number;
};

/**
 * Secrets from Secrets Manager through one version-aware cache, keyed by name and stage: 60 s fresh, least recently used
 * out first, one request at a time per key; past the cache once in 5 s per key, whatever is asked. An outage serves the held value for at most 300 s; a refused or missing secret is
 * forgotten at once.
 */
export function createSecretStore(client: SecretsManagerClient, clock: Clock): SecretStore {
  const held = new Map<string, Held>();
  const forcedAtSeconds = new Map<string, number>();
  const missing = new Map<string, { readonly failure: SecretFailure; readonly lookedAtSeconds: number }>();
  const underWay = new Map<string, Promise<Result<SecretVersion, SecretFailure>>>();

  const fetchSecret = async (
    key: string,
    name: string,
    stage: string,
  ): Promise<Result<SecretVersion, SecretFailure>> => {
    const answer = await getSecret(client, name, stage);
    const nowSeconds = clock();
    const previous = held.get(key);
    held.delete(key);
    if (answer.ok) {
      keep(held, key, {
        version: answer.value,
        readAtSeconds: nowSeconds,
        lookedAtSeconds: nowSeconds,
        retryAfterSeconds: FRESH_SECONDS,
      });
      return answer;
    }
    missing.delete(key);
    if (answer.error.reason === 'missing') {
      if (missing.size >= MAX_HELD) missing.clear();
      missing.set(key, { failure: answer.error, lookedAtSeconds: nowSeconds });
    }
    const canBridge =
      answer.error.reason === 'unavailable' &&
      previous !== undefined &&
      isFresh(previous.readAtSeconds, STALE_SECONDS, nowSeconds);
    if (!canBridge) return answer;
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
      if (isForced) {
        if (forcedAtSeconds.size >= MAX_HELD) forcedAtSeconds.clear();
        forcedAtSeconds.set(key, nowSeconds);
      }
      const isHeld =
        known !== undefined && isFresh(known.lookedAtSeconds, known.retryAfterSeconds, nowSeconds);
      if (isHeld && !isForced) {
        keep(held, key, known);
        return Promise.resolve(ok(known.version));
      }
      const absent = missing.get(key);
      const isAbsent = absent !== undefined && isFresh(absent.lookedAtSeconds, MISSING_SECONDS, nowSeconds);
      if (isAbsent && !isForced) {
        return Promise.resolve(err(absent.failure));
      }
      if (running !== undefined) return running;
      const started = fetchSecret(key, name, stage).finally(() => underWay.delete(key));
      underWay.set(key, started);
      return started;
    },
  };
}

function keep(held: Map<string, Held>, key: string, value: Held): void {
  held.delete(key);
  held.set(key, value);
  for (const oldest of held.keys()) {
    if (held.size <= MAX_HELD) break;
    held.delete(oldest);
  }
}

async function getSecret(
  client: SecretsManagerClient,
  name: string,
  stage: string,
): Promise<Result<SecretVersion, SecretFailure>> {
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: stage }));
    if (answer.SecretString === undefined || answer.VersionId === undefined) {
      return err({ reason: 'missing', detail: `secret \`${name}\` holds no text` });
    }
    return ok({ value: new Secret(answer.SecretString), versionId: answer.VersionId });
  } catch (error) {
    const type = error instanceof Error ? error.name : 'unknown failure';
    return err({ reason: reasonOf(type), detail: `secret \`${name}\` (${stage}): ${type}` });
  }
}

/** `InvalidRequestException` is Secrets Manager's word for a secret that is scheduled for deletion. */
function reasonOf(type: string): SecretFailure['reason'] {
  switch (type) {
    case 'ResourceNotFoundException':
    case 'InvalidRequestException':
      return 'missing';
    case 'AccessDeniedException':
    case 'DecryptionFailure':
      return 'denied';
    default:
      return 'unavailable';
  }
}
