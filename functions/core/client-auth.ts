import { createHash, timingSafeEqual } from 'node:crypto';
import type { OAuthRefusal } from './grant.ts';
import { err, ok, type Result } from './result.ts';
import type { Secret } from './secret.ts';

/** The credentials of a token request, before anything is known of the client. */
export type PresentedClient = {
  readonly method: 'client_secret_basic' | 'client_secret_post';
  readonly clientId: string;
  /**
   * The secret in every reading that a client may have meant: HTTP Basic form-encodes it (RFC 6749 §2.3.1), which common
   * clients leave out, so `a+b` is read as it stands too.
   */
  readonly secrets: readonly string[];
};

/**
 * Reads the client's credentials (RFC 6749 §2.3.1): HTTP Basic with form-encoded parts, or the body, never both. Does NOT check
 * the secret.
 */
export function readClientCredentials(
  authorization: string | null,
  form: ReadonlyMap<string, string>,
): Result<PresentedClient, OAuthRefusal> {
  const bodyId = form.get('client_id');
  const bodySecret = form.get('client_secret');
  if (authorization === null) {
    if (bodyId === undefined || bodySecret === undefined)
      return refuse('invalid_client', 'client authentication is missing');
    return ok({ method: 'client_secret_post', clientId: bodyId, secrets: [bodySecret] });
  }
  if (bodySecret !== undefined) return refuse('invalid_request', 'authenticate in one way, not in two');
  const encoded = /^[Bb][Aa][Ss][Ii][Cc] ([A-Za-z0-9+/]+=*)$/.exec(authorization)?.[1];
  const [id, secret] = splitOnce(Buffer.from(encoded ?? '', 'base64').toString('utf8'));
  const clientId = decodeForm(id);
  if (encoded === undefined || !clientId || secret === '') {
    return refuse('invalid_client', 'the Authorization header is no HTTP Basic');
  }
  if (bodyId !== undefined && bodyId !== clientId)
    return refuse('invalid_request', 'two client ids that differ');
  const secrets = [...new Set([decodeForm(secret) ?? secret, secret])];
  return ok({ method: 'client_secret_basic', clientId, secrets });
}

/**
 * Is one of the presented readings one of the live secrets? Every comparison is made, on digests, so that time tells neither
 * which one matched nor how much of it.
 */
export function secretMatches(presented: readonly string[], live: readonly Secret[]): boolean {
  let matches = false;
  for (const reading of presented) {
    const digest = sha256(reading);
    for (const secret of live) {
      const isEqual = timingSafeEqual(digest, sha256(secret.reveal()));
      matches = matches || (isEqual && reading !== '');
    }
  }
  return matches;
}

/**
 * Reads a form body (RFC 6749 §3.2): no parameter twice, except `resource` (RFC 8707 §2), whose values come in `resources`.
 * A parameter without a value counts as absent (RFC 6749 §3.2).
 */
export function readForm(
  body: string,
): Result<
  { readonly form: ReadonlyMap<string, string>; readonly resources: readonly string[] },
  OAuthRefusal
> {
  const form = new Map<string, string>();
  const resources: string[] = [];
  for (const [name, value] of new URLSearchParams(body)) {
    if (value === '') continue;
    if (name === 'resource') resources.push(value);
    else if (form.has(name))
      return refuse('invalid_request', `the parameter \`${printable(name)}\` is repeated`);
    else form.set(name, value);
  }
  return ok({ form, resources });
}

function splitOnce(pair: string): readonly [string, string] {
  const colon = pair.indexOf(':');
  return colon < 0 ? ['', ''] : [pair.slice(0, colon), pair.slice(colon + 1)];
}

/** Undoes `application/x-www-form-urlencoded`; undefined where it is malformed. */
function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** RFC 6749 §5.2 limits the characters of `error_description`. */
function printable(name: string): string {
  return name.slice(0, 40).replace(/[^A-Za-z0-9_.-]/g, '?');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(error: OAuthRefusal['error'], description: string): Result<never, OAuthRefusal> {
  return err({ error, description });
}
