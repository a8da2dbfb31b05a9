import type { SigningKey, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { PublicKey } from '../core/signed-token.ts';
import type { Dynamo } from './dynamodb.ts';
import { publishKeys } from './rulebook.ts';

/**
 * The deployment's public keys: read from KMS, and published to the verifiers once per environment of the issuer, before the first
 * token is signed. A failed publication is tried again at the next call.
 */
export function createIssuerKeys(
  dynamo: Dynamo,
  table: string,
  keys: readonly SigningKey[],
): { publish(): Promise<Result<readonly PublicKey[], Unavailable>> } {
  let published: Promise<Result<readonly PublicKey[], Unavailable>> | undefined;
  return {
    publish() {
      published ??= publishAll(dynamo, table, keys).then((answer) => {
        if (!answer.ok) published = undefined;
        return answer;
      });
      return published;
    },
  };
}

async function publishAll(
  dynamo: Dynamo,
  table: string,
  keys: readonly SigningKey[],
): Promise<Result<readonly PublicKey[], Unavailable>> {
  const publicKeys: PublicKey[] = [];
  for (const key of keys) {
    const read = await key.publicKey();
    if (!read.ok) return read;
    publicKeys.push(read.value);
  }
  const put = await publishKeys(dynamo, table, publicKeys);
  if (put.ok) return ok(publicKeys);
  const detail = put.error.reason === 'unavailable' ? put.error.detail : put.error.reason;
  return err({ reason: 'unavailable', detail });
}
