import { createHash } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import type { DataKeyContext, DataKeys } from '../core/connection-ports.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What an unwrapped key is kept for: a user at work costs one call to KMS in this time, and not one for every tool. */
const KEEP_SECONDS = 300;
const MAX_KEPT = 500;
const KEY_BYTES = 32;
/** KMS's words for a ciphertext that is another key's, another context's, or none. */
const NOT_WRAPPED: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/**
 * Data keys of a symmetric KMS key, bound to their context by KMS itself. An unwrapped key is kept in memory for 300 s, of 500 owners at
 * most, under what it was wrapped as and its context: it opens nothing that the store does not still give, so that what is forgotten
 * there is out of reach at once.
 */
export function createDataKeys(client: KMSClient, keyArn: string, now: () => number): DataKeys {
  const kept = new Map<string, { readonly key: Uint8Array; readonly untilMs: number }>();

  const keep = (wrapped: string, context: DataKeyContext, key: Uint8Array): void => {
    const name = nameOf(wrapped, context);
    kept.delete(name);
    for (const oldest of kept.keys()) {
      if (kept.size < MAX_KEPT) break;
      kept.delete(oldest);
    }
    kept.set(name, { key, untilMs: now() + KEEP_SECONDS * 1_000 });
  };

  return {
    async generate(context) {
      try {
        const answer = await client.send(
          new GenerateDataKeyCommand({
            KeyId: keyArn,
            KeySpec: 'AES_256',
            EncryptionContext: { ...context },
          }),
        );
        const { Plaintext: plaintext, CiphertextBlob: blob } = answer;
        if (plaintext?.length !== KEY_BYTES || blob === undefined)
          return unavailable('GenerateDataKey: no key');
        const wrapped = Buffer.from(blob).toString('base64');
        keep(wrapped, context, plaintext);
        return ok({ plaintext, wrapped });
      } catch (error) {
        return unavailable(`GenerateDataKey: ${wordOf(error)}`);
      }
    },

    async unwrap(wrapped, context) {
      const name = nameOf(wrapped, context);
      const found = kept.get(name);
      if (found !== undefined && found.untilMs > now()) return ok(found.key);
      kept.delete(name);
      try {
        const answer = await client.send(
          new DecryptCommand({
            KeyId: keyArn,
            CiphertextBlob: Buffer.from(wrapped, 'base64'),
            EncryptionContext: { ...context },
          }),
        );
        if (answer.Plaintext?.length !== KEY_BYTES) return unavailable('Decrypt: no key');
        keep(wrapped, context, answer.Plaintext);
        return ok(answer.Plaintext);
      } catch (error) {
        const word = wordOf(error);
        return NOT_WRAPPED.has(word)
          ? err({ reason: 'not_wrapped', detail: `kms Decrypt: ${word}` })
          : unavailable(`Decrypt: ${word}`);
      }
    },
  };
}

function nameOf(wrapped: string, context: DataKeyContext): string {
  const names = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([wrapped, names]))
    .digest('base64url');
}

function wordOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail: `kms ${detail}` });
}
