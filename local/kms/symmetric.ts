import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AwsError } from '../endpoint/aws-call.ts';
import { type JsonObject, toObject } from '../json.ts';
import type { StoredKey } from './key-store.ts';

/** Length of a key's id, which a ciphertext begins with, so that `Decrypt` need not be told the key. */
const ID_LENGTH_BYTES = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** KMS's bound of `Encrypt`. */
const MAX_PLAINTEXT_BYTES = 4096;

/** How many bytes a data key is asked to have, by `KeySpec` or `NumberOfBytes`. @throws AwsError for none or both */
export function dataKeyBytes(input: JsonObject): number {
  const { KeySpec: spec, NumberOfBytes: bytes } = input;
  if (spec === undefined && typeof bytes === 'number' && bytes >= 1 && bytes <= 1024) return bytes;
  if (bytes === undefined && spec === 'AES_256') return 32;
  if (bytes === undefined && spec === 'AES_128') return 16;
  throw new AwsError(
    'ValidationException',
    'write KeySpec AES_256 or AES_128, or NumberOfBytes from 1 to 1024',
  );
}

/** Encrypts as `Encrypt` does, bound to the encryption context. @throws AwsError where the plaintext does not fit */
export function encryptFor({ id, material }: StoredKey, plaintext: Buffer, input: JsonObject): Buffer {
  if (plaintext.length === 0 || plaintext.length > MAX_PLAINTEXT_BYTES) {
    throw new AwsError('ValidationException', 'Plaintext has from 1 to 4096 bytes');
  }
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(material, 'base64'), nonce);
  cipher.setAAD(contextOf(input));
  const name = Buffer.from(id);
  return Buffer.concat([
    Buffer.from([name.length]),
    name,
    nonce,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** The id of the key that a ciphertext says it is of; empty for what is none. */
export function keyIdOf(blob: Buffer): string {
  return blob.subarray(ID_LENGTH_BYTES, ID_LENGTH_BYTES + (blob[0] ?? 0)).toString();
}

/** Decrypts as `Decrypt` does. @throws AwsError `InvalidCiphertextException` for another context or a changed ciphertext */
export function decryptFor({ id, material }: StoredKey, blob: Buffer, input: JsonObject): Buffer {
  const body = blob.subarray(ID_LENGTH_BYTES + Buffer.byteLength(id));
  try {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      Buffer.from(material, 'base64'),
      body.subarray(0, NONCE_BYTES),
    );
    decipher.setAAD(contextOf(input));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new AwsError(
      'InvalidCiphertextException',
      'the ciphertext is not valid for this encryption context',
    );
  }
}

/** Compared exactly, names and values, whatever their order. */
function contextOf(input: JsonObject): Buffer {
  const entries = Object.entries(toObject(input['EncryptionContext']));
  return Buffer.from(JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}
