import { createHash, timingSafeEqual } from 'node:crypto';
import { readForeignIssuer } from './foreign-token.ts';
import type { OAuthRefusal } from './grant.ts';
import { err, ok, type Result } from './result.ts';
import type { Secret } from './secret.ts';

/** How a client proves who it is, before anything is known of it. Exactly one way per request (RFC 6749 §2.3). */
export type PresentedClient =
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly clientId: string;
      /**
       * The secret in every reading that a client may have meant: HTTP Basic form-encodes it (RFC 6749 §2.3.1), which common
       * clients leave out, so `a+b` is read as it stands too.
       */
      readonly secrets: readonly string[];
    }
  | {
      readonly method: 'private_key_jwt';
      /** As the body says it, else as the assertion does, which nobody has verified yet. */
      readonly clientId: string;
      readonly assertion: string;
    }
  | { readonly method: 'none'; readonly clientId: string };

/** RFC 7523 §2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Reads how the client authenticates: HTTP Basic with form-encoded parts or a secret in the body (RFC 6749 §2.3.1), an assertion
 * (RFC 7521 §4.2), or its id alone. Two ways at once are `invalid_request`. Does NOT check any of it.
 */
export function readClientCredentials(
  authorization: string | null,
  form: ReadonlyMap<string, string>,
): Result<PresentedClient, OAuthRefusal> {
  const clientId = form.get('client_id');
  const secret = form.get('client_secret');
  const hasAssertion = form.has('client_assertion') || form.has('client_assertion_type');
  const ways = [authorization !== null, secret !== undefined, hasAssertion].filter((isUsed) => isUsed);
  if (ways.length > 1) return refuse('invalid_request', 'authenticate in one way, not in two');
  if (authorization !== null) return readBasic(authorization, clientId);
  if (hasAssertion) return readAssertion(form);
  if (clientId === undefined) return refuse('invalid_client', 'client authentication is missing');
  return ok(
    secret === undefined
      ? { method: 'none', clientId }
      : { method: 'client_secret_post', clientId, secrets: [secret] },
  );
}

function readBasic(authorization: string, bodyId: string | undefined): Result<PresentedClient, OAuthRefusal> {
  const encoded = /^[Bb][Aa][Ss][Ii][Cc] ([A-Za-z0-9+/]+=*)$/.exec(authorization)?.[1];
  const [id, secret] = splitOnce(Buffer.from(encoded ?? '', 'base64').toString('utf8'));
  const clientId = decodeForm(id);
  if (encoded === undefined || !clientId) {
    return refuse('invalid_client', 'the Authorization header is no HTTP Basic');
  }
  if (secret === '') {
    return refuse('invalid_client', 'the HTTP Basic credentials have no secret; is its variable set?');
  }
  if (bodyId !== undefined && bodyId !== clientId)
    return refuse('invalid_request', 'two client ids that differ');
  const secrets = [...new Set([decodeForm(secret) ?? secret, secret])];
  return ok({ method: 'client_secret_basic', clientId, secrets });
}

function readAssertion(form: ReadonlyMap<string, string>): Result<PresentedClient, OAuthRefusal> {
  const type = form.get('client_assertion_type');
  const assertion = form.get('client_assertion');
  if (type === undefined || assertion === undefined) {
    return refuse('invalid_request', '`client_assertion` and `client_assertion_type` belong together');
  }
  if (type !== ASSERTION_TYPE)
    return refuse('invalid_client', `the only assertion type is ${ASSERTION_TYPE}`);
  const clientId = form.get('client_id') ?? readForeignIssuer(assertion);
  if (clientId === undefined) return refuse('invalid_client', 'the assertion names no client');
  return ok({ method: 'private_key_jwt', clientId, assertion });
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
