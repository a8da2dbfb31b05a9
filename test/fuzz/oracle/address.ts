/** What may be connected to, by the registries of IANA and nothing else. */
export type AddressKind = 'public' | 'private' | 'forbidden';

/** Blocks of the special-purpose registries (RFC 6890 and its updates), private and loopback ones apart. */
const IPV4_PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8'];
const IPV4_SPECIAL = [
  ...['0.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24'],
  ...['192.52.193.0/24'],
  ...['192.88.99.0/24', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];
const IPV6_PRIVATE = ['::1/128', 'fc00::/7'];
const IPV6_GLOBAL = '2000::/3';
const IPV6_SPECIAL = [
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
  'fd00:ec2::/32',
];

/** Classifies an address by comparing bits, one block after the other. */
export function kindOfAddress(text: string): AddressKind {
  const four = bitsOfIpv4(text);
  if (four !== undefined) {
    if (IPV4_PRIVATE.some((block) => four.startsWith(prefixOf(block)))) return 'private';
    return IPV4_SPECIAL.some((block) => four.startsWith(prefixOf(block))) ? 'forbidden' : 'public';
  }
  const six = bitsOfIpv6(text);
  if (six === undefined || IPV6_SPECIAL.some((block) => six.startsWith(prefixOf(block)))) return 'forbidden';
  if (IPV6_PRIVATE.some((block) => six.startsWith(prefixOf(block)))) return 'private';
  return six.startsWith(prefixOf(IPV6_GLOBAL)) ? 'public' : 'forbidden';
}

const prefixes = new Map<string, string>();

function prefixOf(block: string): string {
  const known = prefixes.get(block);
  if (known !== undefined) return known;
  const [address = '', length = ''] = block.split('/');
  const prefix = (bitsOfIpv4(address) ?? bitsOfIpv6(address) ?? '').slice(0, Number(length));
  prefixes.set(block, prefix);
  return prefix;
}

/** Four decimal parts without leading zeros. */
function bitsOfIpv4(text: string): string | undefined {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  )
    return undefined;
  return parts.map((part) => Number(part).toString(2).padStart(8, '0')).join('');
}

/** RFC 4291 §2.2: eight groups, `::` once for one or more of them. The form that ends in an IPv4 address is none here. */
function bitsOfIpv6(text: string): string | undefined {
  const halves = text.split('::');
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const written = groups.flat();
  if (halves.length > 2 || !written.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const missing = 8 - written.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const [head = [], tail = []] = groups;
  const whole = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  return whole.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}
