import { err, ok, type Result } from './result.ts';

/** The characters of RFC 3986: nothing that a parser drops, turns round or reads in two ways. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/;
/** RFC 8252 §7.1: the reversed name of a domain, so that it has a dot. `javascript:` and its like have none. */
const PRIVATE_USE_SCHEME = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/;
/** Schemes that a browser or a system gives a meaning of its own; an application that is named so is none. */
const SPECIAL_SCHEME =
  /^(?:javascript|vbscript|data|blob|file|filesystem|about|view-source|wss?|ftp|mailto|tel|sms|urn|intent|chrome|edge|ms-[a-z0-9+.-]*|[a-z]{1,2}):$/;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);
/** A loopback redirect URI apart from its port. */
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::[1-9][0-9]{0,4})?((?:[/?].*)?)$/;
const MAX_LENGTH = 2_000;

/**
 * Reads a redirect URI that a client registers: https, http on loopback only (RFC 8252 §7.3), or a private-use scheme with a dot
 * (RFC 8252 §7.1); no fragment (RFC 6749 §3.1.2), no user. `isVetted`: an administrator wrote it, who may also name an application that has
 * a scheme without a dot, as editors do (`cursor://…`). The error says what to write instead. Does NOT compare it with another.
 */
export function parseRedirectUri(text: string, isVetted = false): Result<URL, string> {
  if (text.length > MAX_LENGTH) return err(`a redirect URI has at most ${MAX_LENGTH} characters`);
  if (text.includes('#')) return err('write the redirect URI without a fragment');
  const url = URI.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return err('write an absolute URI');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return isPrivateUse(url, text) || (isVetted && isApplicationOf(url, text))
      ? ok(url)
      : err('write https, or a scheme of your own with a dot: `com.example.app:/callback`');
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?]*@/.test(text)) {
    return err('a redirect URI holds no user or password');
  }
  if (!text.startsWith(`${url.protocol}//${url.host}`)) {
    return err('write scheme and host in lower case, and addresses in their usual form');
  }
  return url.protocol === 'https:' || isLoopbackHost(url)
    ? ok(url)
    : err('write https; http is for 127.0.0.1, [::1] and localhost alone');
}

function isPrivateUse({ protocol }: URL, text: string): boolean {
  return PRIVATE_USE_SCHEME.test(protocol) && text.startsWith(`${protocol}/`);
}

function isApplicationOf({ protocol, host, username, password }: URL, text: string): boolean {
  const isPlain = host !== '' && username === '' && password === '';
  return isPlain && !SPECIAL_SCHEME.test(protocol) && text.startsWith(`${protocol}//${host}`);
}

/** Is the host of this URL the machine of the user (RFC 8252 §7.3, and `localhost`)? */
export function isLoopbackHost(url: URL): boolean {
  return LOOPBACK_HOSTS.has(url.hostname);
}

/**
 * Is this one of the registered redirect URIs? Compared byte for byte (RFC 9700 §2.1); of http on loopback alone the port may be another
 * (RFC 8252 §7.3), for a native app takes one that is free. What is no redirect URI matches nothing, registered or not.
 */
export function matchesRedirectUri(registered: readonly string[], presented: string): boolean {
  if (!parseRedirectUri(presented, true).ok) return false;
  const portless = withoutPort(presented);
  return registered.some(
    (uri) => uri === presented || (portless !== undefined && withoutPort(uri) === portless),
  );
}

function withoutPort(uri: string): string | undefined {
  const [, host, rest] = LOOPBACK.exec(uri) ?? [];
  return host === undefined || rest === undefined ? undefined : host + rest;
}
