import type { KeySource } from '../functions/core/key-source.ts';
import { err, ok } from '../functions/core/result.ts';
import { KeySet, type PublicKey } from '../functions/core/signed-token.ts';

/** The published keys of a deployment, kept for a while. `unavailable` while they cannot be had; a cool-down declines fresh looks. */
export type Jwks = KeySource<{ readonly keys: KeySet }>;

/** The server says `max-age=300`. */
const FRESH_SECONDS = 300;
/** In an outage the keys that were read last are good for this long. */
const STALE_SECONDS = 3600;
/** Tokens with unknown key ids, sent by the thousand, lead to one look in this time. */
const COOL_DOWN_SECONDS = 30;
/** While there are no keys at all, nothing can be verified: then a look a second. */
const EMPTY_COOL_DOWN_SECONDS = 1;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 65_536;

/** Reads a JWKS (RFC 7517) over HTTP: one request at a time, no redirects, 64 KB at most. */
export function createJwks(uri: string, clock: () => number): Jwks {
  let held: { readonly keys: KeySet; readonly readAtSeconds: number } | undefined;
  let lookedAtSeconds = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    lookedAtSeconds = clock();
    const keys = await fetchKeys(uri);
    if (keys !== undefined) held = { keys: new KeySet(keys), readAtSeconds: clock() };
  };

  return {
    async read(missingKeyId) {
      const ageSeconds = held === undefined ? Number.POSITIVE_INFINITY : clock() - held.readAtSeconds;
      const coolDownSeconds = held === undefined ? EMPTY_COOL_DOWN_SECONDS : COOL_DOWN_SECONDS;
      const isCool = clock() - lookedAtSeconds >= coolDownSeconds;
      const isWanted = held === undefined || ageSeconds >= FRESH_SECONDS || missingKeyId !== undefined;
      if (isWanted && (isCool || looking !== undefined)) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        await looking;
      }
      return held !== undefined && clock() - held.readAtSeconds < STALE_SECONDS
        ? ok(held)
        : err({ reason: 'unavailable', detail: 'the JWKS cannot be read' });
    },
  };
}

async function fetchKeys(uri: string): Promise<readonly PublicKey[] | undefined> {
  try {
    const response = await fetch(uri, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = response.ok && response.body !== null ? await readText(response.body) : undefined;
    if (text === undefined) return undefined;
    const { keys } = JSON.parse(text);
    return Array.isArray(keys) ? keys.flatMap(toPublicKey) : undefined;
  } catch {
    return undefined;
  }
}

/** Up to the bound; undefined, and the rest left unread, where there is more. */
async function readText(body: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function toPublicKey(key: unknown): PublicKey | readonly [] {
  const { kty, n, e, kid, alg, use } = Object(key);
  const isOurs = kty === 'RSA' && alg === 'RS256' && (use === undefined || use === 'sig');
  return isOurs && typeof n === 'string' && typeof e === 'string' && typeof kid === 'string'
    ? { keyId: kid, purpose: 'access', n, e }
    : [];
}
