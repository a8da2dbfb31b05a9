import { describe, expect, test } from 'vitest';
import { classifyAddress, isLoopback, mayConnect, parseUpstreamUrl } from '../../functions/core/perimeter.ts';

describe('public addresses may be connected to', () => {
  test.for([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '11.0.0.1',
  ])('%s', (address) => {
    expect([mayConnect(address, false), mayConnect(address, true)]).toEqual([true, true]);
  });

  test.for(['2606:4700:4700::1111', '2A00:1450:4001:800::200E', '2001:4860:4860:0:0:0:0:8888'])(
    '%s',
    (address) => {
      expect(classifyAddress(address)).toBe('public');
    },
  );
});

describe('private addresses may be connected to where the entry says so', () => {
  test.for([
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fc00::1',
    'fd00::1',
    'fd12:3456:789a::1',
  ])('%s', (address) => {
    expect([mayConnect(address, false), mayConnect(address, true)]).toEqual([false, true]);
  });
});

describe('never connected to, private entry or not', () => {
  test.for([
    ['the metadata service', '169.254.169.254'],
    ['the credentials of a task', '169.254.170.2'],
    ['the credentials of a pod', '169.254.170.23'],
    ['the metadata service over IPv6', 'fd00:ec2::254'],
    ['the credentials of a pod over IPv6', 'fd00:ec2::23'],
    ['the DNS of AWS over IPv6', 'fd00:ec2::253'],
    ['the metadata service of another cloud', '100.100.100.200'],
    ['link-local', '169.254.0.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['the end of carrier-grade NAT', '100.127.255.255'],
    ['this network', '0.0.0.0'],
    ['this network, further on', '0.1.2.3'],
    ['IETF assignments', '192.0.0.1'],
    ['documentation', '192.0.2.1'],
    ['documentation 2', '198.51.100.1'],
    ['documentation 3', '203.0.113.1'],
    ['benchmarks', '198.18.0.1'],
    ['6to4 relays', '192.88.99.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['link-local over IPv6', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['a public address with a zone', '2606:4700::1%eth0'],
    ['loopback with a zone', '::1%lo'],
    ['a public IPv4 address with a zone', '8.8.8.8%eth0'],
    ['a public IPv6 address that ends in octal', '2606:4700::010.8.8.8'],
    ['a private IPv6 address that ends in hexadecimal', 'fd00::0x7f.0.0.1'],
    ['an IPv6 address that ends in decimal parts', '2606:4700::8.8.8.8'],
    ['a group of five digits', '2606:04700::1'],
    ['IETF assignments over IPv6', '2001:1::1'],
    ['site-local', 'fec0::1'],
    ['multicast over IPv6', 'ff02::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped, in hexadecimal', '::ffff:7f00:1'],
    ['IPv4-mapped and public', '::ffff:8.8.8.8'],
    ['IPv4-mapped metadata', '::ffff:a9fe:a9fe'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-compatible, in hexadecimal', '::7f00:1'],
    ['IPv4-compatible metadata', '::a9fe:a9fe'],
    ['IPv4-translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::a9fe:a9fe'],
    ['local NAT64', '64:ff9b:1::a9fe:a9fe'],
    ['6to4', '2002:a9fe:a9fe::1'],
    ['Teredo', '2001::1'],
    ['ORCHID', '2001:20::1'],
    ['documentation over IPv6', '2001:db8::1'],
    ['documentation over IPv6, newer', '3fff::1'],
    ['discard', '100::1'],
    ['segment routing', '5f00::1'],
    ['unassigned', '4000::1'],
    ['unassigned, low', '1::1'],
    ['unassigned, high', 'e000::1'],
    ['a decimal number', '2130706433'],
    ['hexadecimal', '0x7f000001'],
    ['hexadecimal parts', '0x7f.0.0.1'],
    ['octal', '0177.0.0.1'],
    ['octal that looks public', '010.8.8.8'],
    ['two parts', '127.1'],
    ['three parts', '127.0.1'],
    ['five parts', '8.8.8.8.8'],
    ['a part too large', '256.1.1.1'],
    ['a trailing dot', '8.8.8.8.'],
    ['a leading space', ' 8.8.8.8'],
    ['a trailing line feed', '8.8.8.8\n'],
    ['a range', '8.8.8.0/24'],
    ['a port', '8.8.8.8:80'],
    ['brackets', '[::1]'],
    ['full-width digits', '８.8.8.8'],
    ['a name', 'localhost'],
    ['nothing', ''],
  ] as const)('%s', ([, address]) => {
    expect([classifyAddress(address), mayConnect(address, true), mayConnect(address, false)]).toEqual([
      'forbidden',
      false,
      false,
    ]);
  });
});

describe('the URL of an upstream', () => {
  test.for([
    ['https://maps.example.com/mcp', false],
    ['https://maps.example.com:8443/', false],
    ['http://127.0.0.1:8790/mcp', true],
    ['http://maps.internal/mcp', true],
    ['https://10.1.2.3/mcp', true],
    ['https://[fd12::1]/mcp', true],
    ['https://8.8.8.8/', false],
    ['HTTPS://Maps.example.com', false],
    ['https://maps.example.com/a@b', false],
    ['http://localhost:8790/mcp', true],
    ['https://maps.localhost/mcp', true],
    ['https://metadata.example.com/mcp', false],
  ] as const)('%s (private: %s) is accepted', ([text, isPrivate]) => {
    expect(parseUpstreamUrl(text, isPrivate).ok).toBe(true);
  });

  test.for([
    ['no URL', 'maps', true],
    ['a path', '/mcp', true],
    ['nothing', '', true],
    ['another scheme', 'ftp://maps.example.com/', true],
    ['a file', 'file:///etc/passwd', true],
    ['a script', 'javascript:alert(1)', true],
    ['http without `private`', 'http://maps.example.com/', false],
    ['http to a public address', 'http://8.8.8.8/', true],
    ['http to a public address over IPv6', 'http://[2606:4700:4700::1111]/', true],
    ['a user', 'https://user@maps.example.com/', true],
    ['a password', 'https://:secret@maps.example.com/', true],
    ['a query', 'https://maps.example.com/?key=secret', true],
    ['an empty user', 'https://@maps.example.com/', true],
    ['an empty password', 'https://:@maps.example.com/', true],
    ['an empty query', 'https://maps.example.com/?', true],
    ['an empty fragment', 'https://maps.example.com/#', true],
    ['backslashes', 'https:\\\\maps.example.com\\mcp', true],
    ['a backslash in the path', 'https://maps.example.com/a\\b', true],
    ['no slashes', 'https:maps.example.com', true],
    ['three slashes', 'https:///maps.example.com', true],
    ['a space before it', ' https://maps.example.com/', true],
    ['a line feed after it', 'https://maps.example.com/\n', true],
    ['a control character after it', 'https://maps.example.com/\u0001', true],
    ['a tab in the host', 'https://ma\tps.example.com/', true],
    ['a fragment', 'https://maps.example.com/#x', true],
    ['a private address without `private`', 'https://10.1.2.3/', false],
    ['loopback without `private`', 'https://127.0.0.1/', false],
    ['loopback in decimal without `private`', 'https://2130706433/', false],
    ['loopback in hexadecimal without `private`', 'https://0x7f.1/', false],
    ['loopback in other digits without `private`', 'https://①②⑦.0.0.1/', false],
    ['IPv6 loopback without `private`', 'https://[::1]/', false],
    ['metadata', 'http://169.254.169.254/latest/', true],
    ['metadata in decimal', 'http://2852039166/', true],
    ['metadata, IPv4-mapped', 'http://[::ffff:169.254.169.254]/', true],
    ['metadata over IPv6', 'http://[fd00:ec2::254]/', true],
    ['everything on this machine', 'http://0.0.0.0:8080/', true],
    ['metadata by name', 'http://metadata.google.internal/computeMetadata/', true],
    ['metadata by its short name', 'http://metadata/', true],
    ['metadata by another name', 'https://instance-data.ec2.internal/latest/', true],
    ['a dot at the end of the host', 'https://maps.example.com./', true],
    ['a private network of another cloud’s metadata', 'http://100.100.100.200/', true],
    ['the credentials of a task', 'http://169.254.170.2/v2/credentials', true],
  ] as const)('%s is refused', ([, text, isPrivate]) => {
    expect(parseUpstreamUrl(text, isPrivate)).toEqual({ ok: false, error: expect.any(String) });
  });
});

test.for<readonly [string, boolean]>([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['localhost', true],
  ['a.localhost', true],
  ['10.0.0.1', false],
  ['localhost.example.com', false],
])('%s is the machine itself: %s', ([host, is]) => {
  expect(isLoopback(host)).toBe(is);
});
