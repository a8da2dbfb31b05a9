import { isTooShort, mayGoTo, parseCredential } from '../core/credential.ts';
import { isJsonObject, parseJson, stringMember, writeJson } from '../core/json.ts';
import { checkOAuthClient } from '../core/oauth-client.ts';
import { isLoopback, parseUpstreamUrl } from '../core/perimeter.ts';
import { isInside, type Perimeter } from '../core/perimeter-list.ts';
import { canHide } from '../core/redact.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';

/** Secrets Manager takes 65,536 bytes. */
export const MAX_SECRET_BYTES = 65_536;

/** Where a secret would be used, as far as its value depends on it. */
export type SecretUse = {
  /** Where the entry of its server or service points. */
  readonly url: string;
  readonly isPrivate: boolean;
  readonly perimeter: Perimeter | undefined;
};

const PROVIDER_SECRET = /^[\x21-\x7e]{1,4096}$/;
const TOO_SHORT =
  'the secret is shorter than 8 characters: nobody could tell it from other text where it is written back; use a longer one';

/**
 * Reads what somebody wants to store as the credential of a server or service (contract §7); what was judged is what is stored, with the
 * entry's URL as its `url` where it names none. The error says what to write instead and nothing of what was written.
 */
export function readSecretValue(bytes: Uint8Array, use: SecretUse): Result<Secret, string> {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('send JSON: {"type": "bearer", "token": "…"}');
  // Whoever points the entry elsewhere does not take the secret along.
  const bound = parsed.value.has('url') ? parsed.value : new Map([...parsed.value, ['url', use.url]]);
  const text = writeJson(bound);
  if (Buffer.byteLength(text) > MAX_SECRET_BYTES) return err('with its `url`, a secret is at most 64 KB');
  const credential = parseCredential(text);
  if (!credential.ok) return credential;
  if (!mayGoTo(credential.value, new URL(use.url))) {
    return err('`url` is not where the entry points: nothing would put it on');
  }
  if (isTooShort(credential.value)) return err(TOO_SHORT);
  if (credential.value.type !== 'oauth2') return ok(new Secret(text));
  const { client } = credential.value;
  const checked = checkOAuthClient(client);
  if (!checked.ok) return checked;
  const url = parseUpstreamUrl(client.tokenUrl, use.isPrivate);
  if (!url.ok) return err(`\`token_url\`: ${url.error}`);
  if (isLoopback(url.value.hostname) && !isLoopback(new URL(use.url).hostname)) {
    return err('`token_url`: its host is the gateway itself');
  }
  return isInside(use.perimeter, url.value)
    ? ok(new Secret(text))
    : err('`token_url`: its host is not on the perimeter of servers.yml');
}

/** Reads our client secret at a provider: `{"client_secret": "…"}`; stored as the bare text. */
export function readProviderSecret(bytes: Uint8Array): Result<Secret, string> {
  const parsed = parseJson(bytes);
  const text = parsed.ok ? stringMember(parsed.value, 'client_secret') : undefined;
  if (text === undefined || !PROVIDER_SECRET.test(text)) return err('send JSON: {"client_secret": "…"}');
  const secret = new Secret(text);
  return canHide(secret) ? ok(secret) : err(TOO_SHORT);
}
