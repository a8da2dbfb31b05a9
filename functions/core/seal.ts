import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

/** What a sealed value is for. A value sealed for one purpose does not open for another. */
export type SealPurpose =
  | 'session'
  | 'cursor'
  | 'consent'
  | 'login'
  | 'connect-link'
  | 'connect'
  | 'connecting'
  | 'retry';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals short strings so that only we can read or make them (AES-256-GCM, a key per purpose by HKDF-SHA-256). `context` is
 * authenticated and not carried: what was sealed for one caller does not open for another. The first secret seals, all of
 * them open, so the sealing secret can be rotated. Does NOT expire what it seals.
 */
export class Sealer {
  readonly #secrets: readonly string[];

  /** @throws TypeError where there is no secret, or one too short to be a key */
  constructor(secrets: readonly string[]) {
    if (secrets.length === 0 || secrets.some((secret) => secret.length < 32)) {
      throw new TypeError('a sealing secret has at least 32 characters');
    }
    this.#secrets = secrets;
  }

  /** `nonce` is 12 random bytes, never used before with this secret. */
  seal(purpose: SealPurpose, context: string, plaintext: string, nonce: Uint8Array): string {
    const [secret = ''] = this.#secrets;
    const cipher = createCipheriv('aes-256-gcm', deriveKey(secret, purpose), nonce);
    cipher.setAAD(Buffer.from(context));
    const sealed = Buffer.concat([
      nonce,
      cipher.update(plaintext, 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return sealed.toString('base64url');
  }

  /**
   * Seals so that the same text is the same sealed value, for as long as the secret is: it tells whoever sees two of them whether they
   * are one. The nonce is a keyed digest of text and context, so that no two texts share one but by an accident of 96 bits.
   */
  sealSame(purpose: SealPurpose, context: string, plaintext: string): string {
    const [secret = ''] = this.#secrets;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `sallyport/${purpose}/nonce/v1`, 32));
    const digest = createHmac('sha256', key)
      .update(JSON.stringify([context, plaintext]))
      .digest();
    return this.seal(purpose, context, plaintext, digest.subarray(0, NONCE_BYTES));
  }

  /** The plaintext; undefined where it was not sealed by us for this purpose and context, or was changed. */
  open(purpose: SealPurpose, context: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.toString('base64url') !== sealed || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    for (const secret of this.#secrets) {
      const plaintext = openWith(deriveKey(secret, purpose), context, bytes);
      if (plaintext !== undefined) return plaintext;
    }
    return undefined;
  }
}

function deriveKey(secret: string, purpose: SealPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport/${purpose}/v1`, 32));
}

function openWith(key: Buffer, context: string, bytes: Buffer): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return (
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch {
    return undefined;
  }
}
