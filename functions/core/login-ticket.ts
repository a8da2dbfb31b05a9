import { createHash } from 'node:crypto';
import type { AuthorizationRequest } from './authorization-request.ts';
import { stringList, wholeSeconds } from './compact-jws.ts';
import { isJsonObject, type JsonObject, parseJsonText, stringMember } from './json.ts';

/** How long a consent page and a login may take, in seconds (contract §13). */
export const LOGIN_SECONDS = 600;

/**
 * An authorization request on its way through the browser: in the form of the consent page, then as the `state` at the identity provider.
 * It travels sealed, bound to the browser, and is used once.
 */
export type LoginTicket = {
  readonly request: AuthorizationRequest;
  /** What was shown, by {@link digestOfScopes}: a consent holds for nothing else. */
  readonly shown: string;
  /** Whose session was shown on the page; undefined where there was none. */
  readonly subject: string | undefined;
  /** 256 random bits in base64url. What the identity provider gets is derived from it and does not tell it. */
  readonly secret: string;
  readonly expiresAtSeconds: number;
};

/** What identifies one login to the identity provider, and one use of a ticket to us. */
export type LoginSecrets = {
  readonly onceId: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly codeChallenge: string;
};

/** The secrets of a login, each of them underivable from the others. */
export function loginSecrets(ticket: Pick<LoginTicket, 'secret'>): LoginSecrets {
  const derive = (purpose: string) => sha256(`${purpose}.${ticket.secret}`);
  const codeVerifier = derive('verifier');
  return {
    onceId: derive('once'),
    nonce: derive('nonce'),
    codeVerifier,
    codeChallenge: sha256(codeVerifier),
  };
}

/** Names a list of scopes in few characters. */
export function digestOfScopes(scopes: readonly string[]): string {
  return sha256(scopes.join(' ')).slice(0, 22);
}

/** The text of a ticket, short because it travels in a URL. */
export function writeTicket({ request, ...ticket }: LoginTicket): string {
  return JSON.stringify({
    c: request.clientId,
    u: request.redirectUri,
    p: request.codeChallenge,
    r: request.resource,
    s: request.scopes,
    t: request.state,
    l: request.prompt === 'login' ? 1 : undefined,
    h: ticket.shown,
    w: ticket.subject,
    k: ticket.secret,
    e: ticket.expiresAtSeconds,
  });
}

/** A ticket from its text; undefined where it is none, which a text that we sealed never is. Does NOT check its time. */
export function readTicket(text: string): LoginTicket | undefined {
  const parsed = parseJsonText(text, { maxDepth: 2, caseVariants: 'refuse' });
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const request = readRequest(parsed.value);
  const shown = stringMember(parsed.value, 'h');
  const secret = stringMember(parsed.value, 'k');
  const expiresAtSeconds = wholeSeconds(parsed.value.get('e'));
  if (!request || !shown || !secret || expiresAtSeconds === undefined) return undefined;
  return { request, shown, subject: stringMember(parsed.value, 'w'), secret, expiresAtSeconds };
}

function readRequest(members: JsonObject): AuthorizationRequest | undefined {
  const clientId = stringMember(members, 'c');
  const redirectUri = stringMember(members, 'u');
  const codeChallenge = stringMember(members, 'p');
  const scopes = stringList(members.get('s'));
  if (!clientId || !redirectUri || !codeChallenge) return undefined;
  if (members.has('s') && scopes === undefined) return undefined;
  return {
    clientId,
    redirectUri,
    codeChallenge,
    resource: stringMember(members, 'r'),
    scopes,
    state: stringMember(members, 't'),
    prompt: members.has('l') ? 'login' : undefined,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
