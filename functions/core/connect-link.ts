import { isJsonObject, parseJsonText, stringMember } from './json.ts';
import { connectPath } from './own-page.ts';

/**
 * What the URL of a connect page says beside the provider: for whom it was made, and on whose behalf. It travels sealed, and opens nothing:
 * the browser has to be signed in as that very user.
 */
export type ConnectLink = {
  readonly orgId: string;
  readonly subject: string;
  /** The server or service whose scopes are needed; undefined: what the provider's entry asks for. */
  readonly target: string | undefined;
  /** The client through which the user asked. */
  readonly clientId: string;
};

/** The text of a link, short because it travels in a URL. */
export function writeConnectLink({ orgId, subject, target, clientId }: ConnectLink): string {
  return JSON.stringify({ o: orgId, u: subject, s: target, c: clientId });
}

/** A link from its text; undefined where it is none, which a text that we sealed never is. */
export function readConnectLink(text: string): ConnectLink | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const orgId = stringMember(parsed.value, 'o');
  const subject = stringMember(parsed.value, 'u');
  const clientId = stringMember(parsed.value, 'c');
  if (!orgId || !subject || !clientId) return undefined;
  return { orgId, subject, target: stringMember(parsed.value, 's'), clientId };
}

/** The page on which a user connects an account at a provider (contract §2). */
export function connectPageUrl(origin: string, provider: string, sealedLink: string): string {
  return origin + connectPath(provider, sealedLink);
}
