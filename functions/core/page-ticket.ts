import { wholeSeconds } from './compact-jws.ts';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';
import { readOwnPage } from './own-page.ts';

/**
 * A login for a page of ours on its way through the browser, as the `state` at the identity provider: nobody but we get anything of it. It
 * travels sealed, bound to the browser, and is used once, as one for a client does (core/login-ticket).
 */
export type PageTicket = {
  /** A path that {@link readOwnPage} knows. */
  readonly returnTo: string;
  /** 256 random bits in base64url. */
  readonly secret: string;
  readonly expiresAtSeconds: number;
};

/** The text of a ticket. */
export function writePageTicket({ returnTo, secret, expiresAtSeconds }: PageTicket): string {
  return JSON.stringify({ b: returnTo, k: secret, e: expiresAtSeconds });
}

/** A ticket from its text; undefined where it is none. Does NOT check its time. */
export function readPageTicket(text: string): PageTicket | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const returnTo = readOwnPage(stringMember(parsed.value, 'b') ?? null)?.path;
  const secret = stringMember(parsed.value, 'k');
  const expiresAtSeconds = wholeSeconds(parsed.value.get('e'));
  if (returnTo === undefined || !secret || expiresAtSeconds === undefined) return undefined;
  return { returnTo, secret, expiresAtSeconds };
}
