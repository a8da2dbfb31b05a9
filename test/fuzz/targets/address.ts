import { ok as holds, strictEqual } from 'node:assert';
import { isIP } from 'node:net';
import { z } from 'zod';
import { classifyAddress, mayConnect, parseUpstreamUrl } from '../../../functions/core/perimeter.ts';
import { mutate, shorterTexts, smallerMember } from '../mutate.ts';
import { kindOfAddress } from '../oracle/address.ts';
import type { Random } from '../random.ts';
import { createTarget, type Verdict } from '../target.ts';

type Guarded = { readonly address: string; readonly url: string; readonly isPrivate: boolean };

/**
 * The perimeter. An address is what the registries of IANA say of its bits, compared one block after the other, and nothing that the
 * operating system would not take is an address. A URL that is accepted is the one that was written, and if its host is an address in any
 * of the forms that a URL has for them, one that may be connected to.
 */
export const address = createTarget<Guarded>({
  name: 'address',
  input: z.object({ address: z.string(), url: z.string(), isPrivate: z.boolean() }),
  generate,
  check,
  *smaller(guarded) {
    yield* smallerMember(guarded, 'address', shorterTexts(guarded.address));
    yield* smallerMember(guarded, 'url', shorterTexts(guarded.url));
  },
});

function check({ address: text, url, isPrivate }: Guarded): Verdict {
  const kind = kindOfAddress(text);
  strictEqual(classifyAddress(text), kind);
  const isOpenPrivate = kind === 'private' && isPrivate;
  strictEqual(mayConnect(text, isPrivate), kind === 'public' || isOpenPrivate);
  strictEqual(mayConnect(text, isPrivate, false), isOpenPrivate, 'without TLS');
  if (kind !== 'forbidden') holds(isIP(text) !== 0, 'an address to the operating system');

  const parsed = parseUpstreamUrl(url, isPrivate);
  if (!parsed.ok) return kind === 'forbidden' ? 'refused' : 'accepted';
  const { protocol, hostname, href, host, pathname } = parsed.value;
  holds(protocol === 'https:' || (protocol === 'http:' && isPrivate), protocol);
  strictEqual(href, `${protocol}//${host}${pathname}`, 'nothing but scheme, host and path');
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) {
    const hostKind = kindOfAddress(bare);
    const isEncrypted = protocol === 'https:';
    const isOpen = (hostKind === 'public' && isEncrypted) || (hostKind === 'private' && isPrivate);
    holds(isOpen, `${bare} is ${hostKind}`);
  }
  const authority = /^https?:\/\/([^/?#\\@]+)(?:\/|$)/i.exec(url)?.[1];
  strictEqual(authority && new URL(`${protocol}//${authority}`).host, host, 'the host that was written');
  return 'accepted';
}

const IPV4_HEADS = [
  ...['10', '127', '172', '192', '169', '100', '0', '8', '198', '203', '224', '240', '255', '1'],
];
const IPV4_TAILS = [
  ...['0', '1', '2', '16', '31', '32', '63', '64', '88', '99', '113', '127', '128', '168', '175', '254'],
  ...['255', '256', '18', '19', '51'],
];
const GROUPS = [
  ...['0', '1', '2', '64', 'ff9b', 'ffff', 'fe80', 'fec0', 'fc00', 'fd00', 'fdff', 'ff02', '2000', '2001'],
  ...['2002', '3fff', '4000', 'db8', 'ec2', '2606', '4700', '100', '20', '2620', '4f', '8000', 'a9fe'],
  ...['7f00', '0db8', '5f00', '00000'],
];
const IPV4_ODD = [
  ...['0177.0.0.1', '0x7f.1', '2130706433', '127.1', '0x7f000001', '010.8.8.8', '00.0.0.0', '8.8.8.8.'],
  ...['1.2.3', '1e1.1.1.1', '+8.8.8.8', '８.8.8.8', '①②⑦.0.0.1'],
];
const PIECES = [
  ...['.', ':', '::', '0', '1', 'f', 'x', '%', '%eth0', '%25', '/', '/24', '[', ']', ' ', '\n', '\t', '\0'],
  ...['@', '\\', '?', '#', '-', '+', '。', 'ⓐ', '\u00ad', '0x', '00', '\u200b'],
];

function generate(random: Random): Guarded {
  const text = random.chance(50) ? ipv4(random) : ipv6(random);
  const address = random.chance(15) ? mutate(random, text, PIECES) : text;
  const host = random.pick([
    address,
    `[${ipv6(random)}]`,
    ipv4(random),
    'maps.example.com',
    'localhost',
    random.pick(IPV4_ODD),
    'xn--a',
  ]);
  const url = `${random.pick(['https', 'https', 'http', 'HTTPS', 'ftp', 'javascript'])}://${host}${random.pick(['', ':8443', ':443', ':0', ':65536'])}${random.pick(['', '/', '/mcp', '/a/../b', '/%2e%2e/x', '/a b', '/?q', '/#f'])}`;
  return {
    address,
    url: random.chance(30) ? mutate(random, url, PIECES) : url,
    isPrivate: random.chance(50),
  };
}

function ipv4(random: Random): string {
  if (random.chance(4)) return random.pick(IPV4_ODD);
  const part = () => (random.chance(50) ? random.pick(IPV4_TAILS) : String(random.below(256)));
  return [random.chance(70) ? random.pick(IPV4_HEADS) : part(), part(), part(), part()].join('.');
}

function ipv6(random: Random): string {
  const group = () => (random.chance(70) ? random.pick(GROUPS) : random.below(0x1_0000).toString(16));
  const isCompressed = random.chance(75);
  const count = isCompressed ? random.below(7) : 8;
  const groups = Array.from({ length: count }, group);
  const tail = random.chance(15) ? [ipv4(random)] : [];
  if (!isCompressed) return [...groups.slice(0, 8 - 2 * tail.length), ...tail].join(':');
  const at = random.below(count + 1);
  const text = `${groups.slice(0, at).join(':')}::${[...groups.slice(at), ...tail].join(':')}`;
  return random.chance(20) ? text.toUpperCase() : text;
}
