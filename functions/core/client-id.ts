import { isLoopbackHost } from './redirect-uri.ts';
import { err, ok, type Result } from './result.ts';

/** The grammar of client ids that are no URL (contract §2). */
export const CLIENT_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Begins the id of every client that registered itself (RFC 7591), and of no other. */
export const DYNAMIC_PREFIX = 'dyn.';

/** How a client that nobody entered into the configuration is known: by the document at its id, or by registering itself. */
export type OpenClass = 'document' | 'dynamic';

/** A client id is a key of storage and a claim of tokens, which are bounded. */
const MAX_CLIENT_ID_CHARACTERS = 255;
/** The characters of RFC 3986 but `#`, `@` and `\`: no fragment, no user. */
const URL_WITH_PATH = /^https?:\/\/[A-Za-z0-9.:[\]-]+\/[A-Za-z0-9\-._~:/?[\]!$&'()*+,;=%]+$/;

/** The class that a client id names; undefined for a client of the configuration. Does NOT say whether the class is admitted. */
export function openClassOf(clientId: string): OpenClass | undefined {
  if (/^https?:/i.test(clientId)) return 'document';
  return clientId.startsWith(DYNAMIC_PREFIX) ? 'dynamic' : undefined;
}

/**
 * Reads a client id that is the URL of a client ID metadata document (draft-ietf-oauth-client-id-metadata-document §3): https, a path that
 * is more than `/`, no dot segments, no fragment, no user. One client has one spelling: what a URL parser would change is refused. With
 * `allowPrivate` it may be http on loopback. Does NOT judge the address: the way out does, once the name is resolved.
 */
export function parseClientIdUrl(text: string, allowPrivate: boolean): Result<URL, string> {
  if (text.length > MAX_CLIENT_ID_CHARACTERS) return err('a client id has at most 255 characters');
  const url = URL_WITH_PATH.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return err('write an https URL with a path, without fragment and user');
  if (url.href !== text || url.hostname.endsWith('.')) {
    return err('write the URL as a browser shows it: lower case, no dot segments, no default port');
  }
  if (url.protocol === 'http:' && !(allowPrivate && isLoopbackHost(url))) return err('write an https URL');
  return ok(url);
}
