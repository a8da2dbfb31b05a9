import type { IssuerPorts } from '../issuer-ports.ts';

/** Marks a browser before anybody has logged in: what was begun in it can be finished in no other. */
const BROWSER_COOKIE = '__Host-sallyport_browser';
/** A consent page and a login after it, and as much again. */
const BROWSER_SECONDS = 3_600;
const BROWSER_ID = /^[A-Za-z0-9_-]{43}$/;
const COOKIE_VALUE = /^[A-Za-z0-9_.-]{1,512}$/;

/** A browser by its mark; the cookies keep it, or give it one. */
export type Browser = { readonly id: string; readonly cookies: readonly string[] };

/** The browser of a request, marked from now on if it was not before. Its mark is kept: other tabs may be under way. */
export function markBrowser(ports: Pick<IssuerPorts, 'randomBytes'>, request: Request): Browser {
  const id = knownBrowser(request) ?? Buffer.from(ports.randomBytes(32)).toString('base64url');
  return { id, cookies: [writeCookie(BROWSER_COOKIE, id, BROWSER_SECONDS)] };
}

/** The mark of a browser; undefined where it brings none. */
export function knownBrowser(request: Request): string | undefined {
  const id = readCookie(request, BROWSER_COOKIE);
  return id !== undefined && BROWSER_ID.test(id) ? id : undefined;
}

/** A cookie that a request brings; undefined where it brings none, or two of one name, of which no honest browser sends any. */
export function readCookie(request: Request, name: string): string | undefined {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  const values = pairs
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && COOKIE_VALUE.test(value) ? value : undefined;
}

/**
 * A cookie for this host alone and over TLS alone, which no script reads (RFC 6265bis §4.1.3.2). `Lax`: it comes back when the identity
 * provider leads the browser here, and with no form of another site.
 */
export function writeCookie(name: string, value: string, maxAgeSeconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Was a form sent by a page of ours? A browser says so in `Sec-Fetch-Site`, or else in `Origin`, and says nothing that a page can forge.
 * What says neither is no browser that keeps the promise.
 */
export function isSameOrigin(request: Request, origin: string): boolean {
  const site = request.headers.get('sec-fetch-site');
  const from = request.headers.get('origin');
  // A page that tells nobody where it comes from sends `null`, to itself too.
  if (site !== null) return site === 'same-origin' && (from === null || from === 'null' || from === origin);
  return from === origin;
}
