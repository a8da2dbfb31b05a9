/** A page of ours that wants a browser session (contract §2): what a login may lead back to, in the form in which we write it ourselves. */
const OWN_PAGE = /^\/connect(?:\/([a-z0-9][a-z0-9_-]{0,62})(?:\?t=([A-Za-z0-9_-]{1,4000}))?)?$/;

/** A path of ours, and what its sealed link stands in. */
export type OwnPage = {
  /** Behind the origin, with its query. */
  readonly path: string;
  /** Of the connect page of one provider. */
  readonly provider: string | undefined;
  readonly link: string | undefined;
};

/**
 * Reads where a login shall lead back to; undefined for everything but a page of ours. Only what this grammar spells leads anywhere: there
 * is no host in it, no second slash, no escape, and nothing that a browser could read in another way (RFC 9700 §4.11).
 */
export function readOwnPage(text: string | null): OwnPage | undefined {
  const [path, provider, link] = OWN_PAGE.exec(text ?? '') ?? [];
  return path === undefined ? undefined : { path, provider, link };
}

/** The path of our connect page at one provider, of all of them without. */
export function connectPath(provider?: string, link?: string): string {
  if (provider === undefined) return '/connect';
  return link === undefined ? `/connect/${provider}` : `/connect/${provider}?t=${link}`;
}

/** Where a browser is sent to log in first. */
export function loginUrl(origin: string, returnTo: string): string {
  return `${origin}/login?return_to=${encodeURIComponent(returnTo)}`;
}
