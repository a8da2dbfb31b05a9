import { createHash, createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { calculateJwkThumbprint } from 'jose';
import {
  isAccepted,
  type KeyPlace,
  type KeyRing,
  keyName,
  parseKeyPlaces,
  signingKeyOf,
} from '../core/key-ring.ts';
import type { Clock, SigningKey, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { KeyPurpose, PublicKey } from '../core/signed-token.ts';

/** A key that this function is configured with. `source` is a digest of the ARN, by which the ring knows it. */
export type KeySource = KeyPlace & { readonly purpose: KeyPurpose; readonly source: string };

/** The keys of a setting such as `A1=arn,B1=arn`. @throws Error on any other */
export function readKeySources(setting: string, purpose: KeyPurpose): readonly KeySource[] {
  const places = parseKeyPlaces(setting);
  if (!places.ok) throw new Error(places.error);
  return places.value.map((place) => ({
    ...place,
    purpose,
    source: createHash('sha256').update(place.arn).digest('base64url'),
  }));
}

/**
 * Signs RS256 (RFC 7518 §3.3) with the key that the ring says signs for this purpose, where this function is configured with it: else
 * `unavailable`, and never with a key that others refuse. It signs by key ARN, never by alias, so key and `kid` cannot part.
 */
export function createSigningKey(ports: {
  readonly client: KMSClient;
  readonly sources: readonly KeySource[];
  readonly purpose: KeyPurpose;
  readonly readRing: () => Promise<Result<KeyRing, Unavailable>>;
  readonly clock: Clock;
}): SigningKey {
  const { client, sources, purpose, readRing, clock } = ports;
  return {
    async publicKey() {
      const ring = await readRing();
      if (!ring.ok) return ring;
      const key = signingKeyOf(ring.value, purpose);
      const isHere = sources.some(({ source }) => source === key?.source);
      if (key === undefined) return unavailable('no key signs yet');
      if (!isHere) {
        const own = sources.map(keyName).join(', ');
        return unavailable(`${keyName(key)} is the key that signs, and this environment has ${own}`);
      }
      const { keyId, n, e } = key;
      return ok({ keyId, purpose, n, e });
    },

    async sign(signingInput, keyId) {
      const ring = await readRing();
      if (!ring.ok) return ring;
      const key = ring.value.find((candidate) => candidate.keyId === keyId && isAccepted(candidate, clock()));
      const place = sources.find(({ source }) => source === key?.source);
      return place === undefined
        ? unavailable('the key does not sign any more')
        : sign(client, place, signingInput);
    },
  };
}

async function sign(
  client: KMSClient,
  place: KeyPlace,
  signingInput: string,
): Promise<Result<string, Unavailable>> {
  try {
    const answer = await client.send(
      new SignCommand({
        KeyId: place.arn,
        // A message itself may have 4,096 bytes at most; a token of a user with many groups has more.
        Message: createHash('sha256').update(signingInput).digest(),
        MessageType: 'DIGEST',
        SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
      }),
    );
    if (answer.Signature === undefined) return unavailable(`kms Sign with ${keyName(place)}: no signature`);
    return ok(Buffer.from(answer.Signature).toString('base64url'));
  } catch (error) {
    return unavailable(`kms Sign with ${keyName(place)}: ${nameOf(error)}`);
  }
}

/** The public half of an RSA-2048 key in KMS, read anew at every call. A disabled key cannot be read. */
export async function readPublicKey(
  client: KMSClient,
  { purpose, ...place }: Pick<KeySource, 'slot' | 'generation' | 'arn' | 'purpose'>,
): Promise<Result<PublicKey, Unavailable>> {
  try {
    const answer = await client.send(new GetPublicKeyCommand({ KeyId: place.arn }));
    const key = createPublicKey({ key: Buffer.from(answer.PublicKey ?? []), format: 'der', type: 'spki' });
    const { n = '', e = '' } = key.export({ format: 'jwk' });
    return ok({ keyId: await calculateJwkThumbprint({ kty: 'RSA', n, e }), purpose, n, e });
  } catch (error) {
    return unavailable(`kms GetPublicKey of ${keyName(place)}: ${nameOf(error)}`);
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail });
}
