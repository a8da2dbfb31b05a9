import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { calculateJwkThumbprint } from 'jose';
import type { SigningKey, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { KeyPurpose, PublicKey } from '../core/signed-token.ts';

/**
 * An RSA-2048 key in KMS that signs RS256 (RFC 7518 §3.3). It signs by key ARN, never by alias, so key and `kid` cannot part
 * during a rotation. The public key is read once and held; a failed read is tried again at the next call.
 */
export function createSigningKey(client: KMSClient, keyArn: string, purpose: KeyPurpose): SigningKey {
  let held: Promise<Result<PublicKey, Unavailable>> | undefined;
  return {
    publicKey() {
      held ??= readPublicKey(client, keyArn, purpose).then((read) => {
        if (!read.ok) held = undefined;
        return read;
      });
      return held;
    },

    async sign(signingInput) {
      try {
        const answer = await client.send(
          new SignCommand({
            KeyId: keyArn,
            Message: Buffer.from(signingInput),
            MessageType: 'RAW',
            SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
          }),
        );
        if (answer.Signature === undefined) return unavailable('Sign', 'no signature');
        return ok(Buffer.from(answer.Signature).toString('base64url'));
      } catch (error) {
        return unavailable('Sign', error);
      }
    },
  };
}

async function readPublicKey(
  client: KMSClient,
  keyArn: string,
  purpose: KeyPurpose,
): Promise<Result<PublicKey, Unavailable>> {
  try {
    const answer = await client.send(new GetPublicKeyCommand({ KeyId: keyArn }));
    const key = createPublicKey({ key: Buffer.from(answer.PublicKey ?? []), format: 'der', type: 'spki' });
    const { n = '', e = '' } = key.export({ format: 'jwk' });
    return ok({ keyId: await calculateJwkThumbprint({ kty: 'RSA', n, e }), purpose, n, e });
  } catch (error) {
    return unavailable('GetPublicKey', error);
  }
}

function unavailable(operation: string, error: unknown): Result<never, Unavailable> {
  const detail = error instanceof Error ? error.name : String(error);
  return err({ reason: 'unavailable', detail: `kms ${operation}: ${detail}` });
}

/** The keys of a comma-separated list of ARNs, the active one first. @throws Error on an empty list */
export function createSigningKeys(
  client: KMSClient,
  keyArns: string,
  purpose: KeyPurpose,
): readonly [SigningKey, ...SigningKey[]] {
  const [first, ...rest] = keyArns.split(',').map((arn) => createSigningKey(client, arn.trim(), purpose));
  if (first === undefined) throw new Error('no key ARN');
  return [first, ...rest];
}
