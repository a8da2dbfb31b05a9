import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInNetworks, isInside } from '../../functions/core/perimeter-list.ts';

const perimeter = {
  hosts: ['api.partner.example', '*.corp.example', 'localhost'],
  networks: ['10.20.0.0/16', '192.168.7.9/32', 'fd12:3456::/32'],
};

describe('inside the perimeter is', () => {
  test.for([
    'https://api.partner.example/v2',
    'https://API.Partner.Example:8443/',
    'https://maps.corp.example/mcp',
    'https://a.b.corp.example/',
    'http://localhost:3000/mcp',
    'http://10.20.0.1/mcp',
    'http://10.20.255.255/mcp',
    'http://169082881/mcp',
    'http://192.168.7.9/',
    'https://[fd12:3456:0:1::1]/mcp',
  ])('%s', (url) => {
    expect(isInside(perimeter, new URL(url))).toBe(true);
  });
});

describe('outside it is', () => {
  test.for([
    'https://partner.example/',
    'https://www.api.partner.example/',
    'https://api.partner.example.evil.example/',
    'https://xapi.partner.example/',
    'https://corp.example/',
    'https://evilcorp.example/',
    'https://corp.example.evil.example/',
    'https://corp-example/',
    'https://sub.localhost/',
    'http://10.21.0.1/',
    'http://192.168.7.8/',
    'https://[fd12:3457::1]/',
    'https://[::ffff:10.20.0.1]/',
    'https://8.8.8.8/',
  ])('%s', (url) => {
    expect(isInside(perimeter, new URL(url))).toBe(false);
  });
});

test('without a perimeter nothing is outside; with an empty one everything is', () => {
  for (const url of ['https://maps.example.com/', 'http://10.1.2.3/']) {
    expect(isInside(undefined, new URL(url))).toBe(true);
    expect(isInside({ hosts: [], networks: [] }, new URL(url))).toBe(false);
  }
});

test.for(['maps.example.com', '', '10.20.0.0/24', '10.20.0.1%lo', '10.20.0.256'])(
  'what is no address is in no network: %j',
  (text) => {
    expect(isInNetworks(['10.20.0.0/16', '0.0.0.0/0'], text)).toBe(false);
  },
);

test('an address is in a network where the bits that count are its own', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
      const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
      const mask = bits === 0 ? 0 : (~0 << (32 - bits)) >>> 0;
      const base = (a & mask) >>> 0;
      expect(isInNetworks([`${dotted(base)}/${bits}`], dotted(b))).toBe((b & mask) >>> 0 === base);
    }),
    { numRuns: 2_000 },
  );
});
