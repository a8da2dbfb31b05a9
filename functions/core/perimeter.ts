import ipaddr from 'ipaddr.js';
import { err, ok, type Result } from './result.ts';

/** Ranges that a public name must never resolve to; only `unicast` of ipaddr.js is the open network. */
const PRIVATE_RANGES: ReadonlySet<string> = new Set(['private', 'loopback', 'uniqueLocal']);
/** What IANA has given out of IPv6 for the open network; ipaddr.js calls everything unassigned unicast too. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** The instance metadata, DNS and pod identity services of AWS over IPv6, inside the unique local range. */
const AWS_LOCAL_SERVICES = ipaddr.parseCIDR('fd00:ec2::/32');

/** Of the private ranges an entry with `private: true` may use these; link-local (metadata services) never. */
export type AddressClass = 'public' | 'private' | 'forbidden';

/**
 * What kind of address this is, for IPv4 and IPv6. Addresses that carry another one (IPv4-mapped, 6to4, NAT64, Teredo) are
 * forbidden as a whole, and so is everything special that is not plainly private or loopback: link-local, carrier-grade
 * NAT, multicast, broadcast, unspecified, reserved, site-local (RFC 6890), unassigned IPv6, the metadata services of AWS.
 * Text that is no address is forbidden, and so is one with a zone, an IPv4 address in any form but four decimal parts, and an
 * IPv6 address that ends in one: what stands in its parts is read in more than one way.
 */
export function classifyAddress(address: string): AddressClass {
  if (address.includes('%') || !ipaddr.isValid(address)) return 'forbidden';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (parsed instanceof ipaddr.IPv4 && parsed.toString() !== address) return 'forbidden';
  if (parsed instanceof ipaddr.IPv6) {
    if (address.includes('.')) return 'forbidden';
    if (range === 'unicast' && !parsed.match(GLOBAL_UNICAST)) return 'forbidden';
    if (parsed.match(AWS_LOCAL_SERVICES)) return 'forbidden';
  }
  if (range === 'unicast') return 'public';
  return PRIVATE_RANGES.has(range) ? 'private' : 'forbidden';
}

/**
 * May a connection go to this address? Private and loopback ones only where the entry is `private`, and without TLS (`isEncrypted`)
 * no others: credentials travel on it.
 */
export function mayConnect(address: string, allowPrivate: boolean, isEncrypted = true): boolean {
  const kind = classifyAddress(address);
  return (kind === 'public' && isEncrypted) || (kind === 'private' && allowPrivate);
}

/** Is the host of a URL, or an address, the machine itself: by its address, or by its name? Does NOT resolve other names. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host)) return ipaddr.parse(host).range() === 'loopback';
  return host === 'localhost' || host.endsWith('.localhost');
}

/** Names under which clouds have their metadata services; what they resolve to is refused too. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** A host after two slashes, and nothing that a URL parser drops or turns round without a word: white space, control characters, backslashes. */
const ABSOLUTE_URL = /^[a-z]+:\/\/[^\s\p{Cc}\\/][^\s\p{Cc}\\]*$/iu;

/**
 * Reads the URL of a server or service: http or https, no user, no fragment, no query, not even empty ones; http only for a private one,
 * because credentials travel to it. A host that is an address must be one that may be connected to.
 */
export function parseUpstreamUrl(text: string, isPrivate: boolean): Result<URL, string> {
  const url = ABSOLUTE_URL.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return err('write an absolute URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return err('write an https URL');
  if (url.protocol === 'http:' && !isPrivate) return err('write an https URL, or set `private: true`');
  if (/[?#]/.test(text)) return err('write the URL without query and fragment');
  if (/^[^/]*\/\/[^/]*@/.test(text)) return err('a URL holds no user or password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host.endsWith('.')) return err('write the host without a dot at its end');
  if (METADATA_NAMES.has(host)) return err('connections to metadata services are refused');
  if (url.protocol === 'http:' && classifyAddress(host) === 'public') return err('write an https URL');
  if (ipaddr.isValid(host) && !mayConnect(host, isPrivate)) {
    return err('connections to this address are refused; a private one needs `private: true`');
  }
  return ok(url);
}
