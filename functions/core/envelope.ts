import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { DataKey, DataKeyContext } from './connection-ports.ts';
import { isJsonObject, type Json, JsonNumber, parseJsonText, stringMember } from './json.ts';

/** Something sealed with a data key of its own, which lies beside it wrapped. Notes are in the clear, and say nothing that opens it. */
export type Envelope = {
  readonly wrappedKey: string;
  /** Nonce, ciphertext and tag in base64url (AES-256-GCM). */
  readonly sealed: string;
  /** Who changes it just now; nobody else does until then. */
  readonly lease?: { readonly holder: string; readonly untilMs: number };
  /** Until when nobody tries again. */
  readonly pausedUntilMs?: number;
  /** From when on it is of no use unless a try succeeds; absent: nothing speaks against it. */
  readonly brokenFromMs?: number;
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `nonce` is 12 bytes; the key seals nothing else. */
export function sealEnvelope(
  text: string,
  key: DataKey,
  context: DataKeyContext,
  nonce: Uint8Array,
): Envelope {
  const cipher = createCipheriv('aes-256-gcm', key.plaintext, nonce);
  cipher.setAAD(Buffer.from(canonical(context)));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { wrappedKey: key.wrapped, sealed: sealed.toString('base64url') };
}

/** What was sealed; undefined where the key is another one's, the context another, or a byte was changed. */
export function openEnvelope(
  { sealed }: Envelope,
  key: Uint8Array,
  context: DataKeyContext,
): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(canonical(context)));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8');
    return text + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

/** As it is stored. */
export function writeEnvelope(envelope: Envelope): string {
  return JSON.stringify({ v: 1, ...envelope });
}

/** Reads what {@link writeEnvelope} wrote; undefined for anything else. Notes that cannot be read are none. */
export function readEnvelope(text: string): Envelope | undefined {
  const parsed = parseJsonText(text);
  const value = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
  const wrappedKey = stringMember(value, 'wrappedKey');
  const sealed = stringMember(value, 'sealed');
  if (wrappedKey === undefined || sealed === undefined || numberOf(value?.get('v')) !== 1) return undefined;
  const lease = value?.get('lease');
  const holder = stringMember(lease, 'holder');
  const untilMs = isJsonObject(lease) ? numberOf(lease.get('untilMs')) : undefined;
  const pausedUntilMs = numberOf(value?.get('pausedUntilMs'));
  const brokenFromMs = numberOf(value?.get('brokenFromMs'));
  return {
    wrappedKey,
    sealed,
    ...(holder === undefined || untilMs === undefined ? {} : { lease: { holder, untilMs } }),
    ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
    ...(brokenFromMs === undefined ? {} : { brokenFromMs }),
  };
}

function canonical(context: DataKeyContext): string {
  return JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function numberOf(value: Json | undefined): number | undefined {
  return value instanceof JsonNumber ? value.toNumber() : undefined;
}
