import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  coversResource,
  forbidsResource,
  readyPattern,
} from '../../../functions/core/rules/resource-pattern.ts';
import { ResourceUri } from '../../../functions/core/rules/resource-uri.ts';

const PARTY = { orgId: 'acme', subject: 'company:mara', clientId: 'courier' };

function covers(pattern: string, uri: string, party = PARTY): boolean {
  return coversResource(readyPattern(pattern), new ResourceUri(uri), party, { stepsLeft: 1_000_000 });
}

function forbids(pattern: string, uri: string, party = PARTY): boolean {
  return forbidsResource(readyPattern(pattern), new ResourceUri(uri), party, { stepsLeft: 1_000_000 });
}

describe('a granted pattern', () => {
  test.for([
    ['docs://acme/a', 'docs://acme/a', true],
    ['docs://acme/a', 'docs://acme/ab', false],
    ['docs://acme/*', 'docs://acme/a', true],
    ['docs://acme/*', 'docs://acme/', true],
    ['docs://acme/*', 'docs://acme/a/b', false],
    ['docs://acme/**', 'docs://acme/a/b?c=d#e', true],
    ['docs://acme/**', 'docs://acmex/a', false],
    ['docs://acme**', 'docs://acmex/a', true],
    ['docs://*/a', 'docs://acme/a', true],
    ['docs://*/a', 'docs://x/y/a', false],
    ['docs://{org_id}/**', 'docs://acme/a', true],
    ['docs://{org_id}/**', 'docs://rival/a', false],
    ['docs://{subject}/{client_id}', 'docs://company:mara/courier', true],
    ['docs://{subject}/{client_id}', 'docs://company:otto/courier', false],
    ['docs://acme/**', 'DOCS://acme/a', false],
    ['docs://acme/**', 'docs://Acme/a', false],
    ['docs://acme/é', 'docs://acme/é', true],
    ['docs://acme/*', 'docs://acme/%C3%A9', true],
    ['docs://acme/{a}', 'docs://acme/{a}', true],
    ['**', 'anything at:all', false],
    ['**', 'anything:at/all', true],
  ] as const)('%s covers %s: %s', ([pattern, uri, expected]) => {
    expect(covers(pattern, uri)).toBe(expected);
  });

  test.for([
    'docs://acme/../rival/a',
    'docs://acme/a/..',
    'docs://acme/./a',
    'docs://acme/a?b/../c',
    'docs://acme/a#b/../c',
    'docs://acme/%2e%2e/rival',
    'docs://acme/.%2E/rival',
    'docs://acme%2Frival',
    'docs://acme/a%5cb',
    'docs://acme/a\\b',
    'docs://acme/%252e%252e/a',
    'docs://acme/a\n',
    'docs://acme/a b',
    'docs://acme/%0a',
    'docs://acme/%00',
    'docs://acme/%ff',
    'docs://acme/%C0%AE',
    'docs://acme/%',
    'docs://acme/%zz',
    'docs://acme/\u0085',
    'docs://acme/%C2%85',
    'docs://acme/..;/rival',
    'docs://acme/..;x=y/rival',
    'docs://acme/%2e.%3b/rival',
    'docs://acme/..%3b/rival',
    'docs://acme/\uff0e\uff0e/rival',
    'docs://acme\uff0frival',
    'docs://ac\u00adme/a',
    'docs://acme/\u200ba',
    'docs://acme/%E2%80%8Ba',
    'docs://acme/a\ufe0f',
    'docs://acme/\ufb01le',
    `docs://acme/${'a'.repeat(2_048)}`,
    '..',
    '.',
  ])('covers nothing that has two readings: %j', (uri) => {
    expect([covers('**', uri), covers('docs://acme/**', uri), covers(uri, uri)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test.for([
    '',
    '/',
    '*',
    '**',
    'a/b',
    'a*',
    '%2f',
    'a%',
    '?',
    'a#b',
    '..',
    '.',
    'a..b',
    'a\\b',
    'a b',
    'a\nb',
    '{org_id}',
  ])('a name that could reach beyond its place opens nothing: %j', (orgId) => {
    const party = { ...PARTY, orgId };
    for (const uri of ['docs://acme/a', `docs://${orgId}/a`, 'docs://x/a', 'docs:///a', 'docs://a/b/a']) {
      expect(covers('docs://{org_id}/a', uri, party)).toBe(false);
    }
  });

  test('never opens more with a name in it than the same name written out', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', '*', '/', '.', '%', '?', '{', '}'),
      maxLength: 4,
    });
    fc.assert(
      fc.property(name, name, (orgId, uri) => {
        const found = covers('d:{org_id}/*', `d:${uri}`, { ...PARTY, orgId });
        if (found) expect(uri.startsWith(`${orgId}/`)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a denied pattern', () => {
  test.for([
    'docs://secret/a',
    'DOCS://secret/a',
    'docs://SECRET/A',
    'docs://%73ecret/a',
    'docs://secret/%61',
    'docs://secret/a/',
    'docs://secret/a#x',
    'docs://secret/a?x=y',
    'docs://secret/a?x=y#z',
    'docs://secret//a',
    'docs://x//secret/a',
    'docs:////secret/a',
    'docs:///secret/a',
    'docs:/secret/a',
    'docs:secret/a',
    'docs://open/../secret/a',
    'docs://open/%2e%2e/secret/a',
    'docs:\\\\secret\\a',
    'docs://secret/a\n',
    'docs://secret/%ff',
    'docs://s\u0065cret/a',
    'docs://secret;a/a',
    'docs://secret/a;x=y;z',
    'docs://secret;a=b/a;c?d#e',
    'docs://\u200bsecret/a',
    'docs://se\u00adcret/a',
    'docs://\uff53ecret/a',
    `docs://open/${'a'.repeat(2_048)}`,
  ])('forbids every spelling of what it names: %j', (uri) => {
    expect(forbids('docs://secret/a', uri)).toBe(true);
    expect(forbids('docs://SECRET/a', uri)).toBe(true);
  });

  test.for([
    'docs://open/a',
    'docs://secret/b',
    'docs://secret/ab',
    'docs://secretly/a',
    'file:///secret/a',
    'docs://open/a?next=b//c',
    '/secret/a',
  ])('forbids nothing else: %s', (uri) => {
    expect(forbids('docs://secret/a', uri)).toBe(false);
  });

  test.for([
    ['docs://secret/**', 'docs://secret/a/b', true],
    ['docs://secret/*', 'docs://secret/a/b', false],
    ['docs://{org_id}/x', 'docs://ACME/x', true],
    ['docs://{org_id}/x', 'docs://rival/x', false],
    ['docs://a/e*', 'docs://a/e\u0301tude', true],
    ['docs://a/e*', 'docs://a/E%CC%81tude', true],
    ['docs://a/ΜΙΣ*', 'docs://a/ΜΙΣΘΟΣ', true],
    ['docs://a/ΜΙΣ*', 'docs://a/μισθος', true],
    ['docs://a/straße', 'docs://a/STRASSE', true],
    ['https://wiki/a', 'https://mara:pw@wiki/a', true],
    ['https://wiki/a', 'https://wiki:443/a', true],
    ['https://wiki/a', 'https://wiki:/a', true],
    ['https://wiki/a', 'HTTPS://x@WIKI.:0443/a', true],
    ['https://wiki:443/a', 'https://wiki/a', true],
    ['https://wiki./a', 'https://wiki/a', true],
    ['http://wiki/a', 'http://wiki:80/a', true],
    ['http://[::1]/a', 'http://[::1]:80/a', true],
    ['http://wiki/a', 'http://wiki:443/a', false],
    ['https://wiki/a', 'https://wiki:8443/a', false],
    ['https://wiki:8443/a', 'https://wiki:08443/a', true],
    ['https://wiki:8443/a', 'https://wiki:8443/b', false],
    ['https://internal.example.com/**', 'https://int\u00adernal.example.com/x', true],
    ['https://internal.example.com/**', 'https://\uff49nternal.example.com/x', true],
    ['https://internal.example.com/**', 'https://internal\u3002example.com/x', true],
    ['https://internal.example.com/**', 'https://int%C2%ADernal.example.com/x', true],
    ['https://internal.example.com/**', 'https://internal.example.org/x', false],
    ['https://internal.example.com/**', 'https:\u0009internal.example.com/x', true],
    ['https://internal.example.com/**', 'https://a^b/x', true],
    ['https://internal.example.com/**', 'https://open.example.com/{x}', false],
    ['http://127.0.0.1/**', 'http://127.1/x', true],
    ['http://127.0.0.1/**', 'http://2130706433/x', true],
    ['http://127.0.0.1/**', 'http://0x7f.0.0.1/x', true],
    ['http://127.0.0.1/**', 'http:0177.1:080/x', true],
    ['http://127.0.0.1/**', 'http://127.0.0.2/x', false],
    ['http://127.1/**', 'http://127.0.0.1/x', true],
    ['http://[0:0:0:0:0:0:0:1]/**', 'http://[::1]/x', true],
    ['https://münchen.example/**', 'https://xn--mnchen-3ya.example/x', true],
    ['https://xn--mnchen-3ya.example/**', 'https://MÜNCHEN.example/x', true],
    ['https://*.example.com/**', 'https://a.EXAMPLE.com/x', true],
    ['https://{client_id}.example.com/**', 'https://courier.example.com/x', true],
    ['https://a@wiki/x', 'https://wiki/x', false],
    ['https://[/x', 'https://wiki/x', false],
    ['https://wiki/a', 'https://wikia/a', false],
    ['docs://wiki/a', 'docs://x@wiki/a', false],
  ] as const)('%s forbids %s: %s', ([pattern, uri, expected]) => {
    expect(forbids(pattern, uri)).toBe(expected);
  });

  test('stands for anything where a name could reach beyond its place', () => {
    for (const subject of ['', 'a/b', '*', '..']) {
      expect(forbids('docs://{subject}/x', 'docs://whoever/it/is/x', { ...PARTY, subject })).toBe(true);
    }
  });

  test('is looked for as long as the budget lasts, and is found behind it', () => {
    const uri = new ResourceUri(`https://wiki/${'a/'.repeat(400)}b;c?d#e`);
    const ready = readyPattern('**a*/*a*/*a*c');
    const budget = { stepsLeft: 10_000 };
    expect(forbidsResource(ready, uri, PARTY, budget)).toBe(true);
    expect(budget.stepsLeft).toBeLessThan(0);
    const searched = { stepsLeft: 1_000 };
    expect(coversResource(readyPattern('**/x/**'), uri, PARTY, searched)).toBe(false);
    expect(searched.stepsLeft).toBe(1_000 - 3 - Math.ceil(uri.text.length / 32));
    expect(coversResource(readyPattern('**/a/**'), uri, PARTY, budget)).toBe(false);
    expect(forbidsResource(readyPattern('docs://*'), uri, PARTY, budget)).toBe(false);
  });

  test('is compared with spellings that are looked for once', () => {
    const uri = new ResourceUri('https://wiki:443/a;b?c#d');
    expect(uri.spellings).toBe(uri.spellings);
    const budget = { stepsLeft: 1_000 };
    for (const pattern of ['docs://**', 'https://other/**/x*', 'https://wiki/b']) {
      expect(forbidsResource(readyPattern(pattern), uri, PARTY, budget)).toBe(false);
    }
    expect(budget.stepsLeft).toBe(1_000);
  });

  test('forbids all that a grant of it covers', () => {
    const part = fc.constantFrom(
      'a',
      'A',
      '/',
      '*',
      '**',
      '.',
      '%61',
      '%2f',
      '?',
      '#',
      'é',
      'e',
      'e\u0301',
      '\u0301',
      'Σ',
      'ς',
      'ß',
      '{org_id}',
    );
    const text = fc.array(part, { maxLength: 6 }).map((parts) => `d:${parts.join('')}`);
    fc.assert(
      fc.property(text, text, (pattern, uri) => {
        if (covers(pattern, uri)) expect(forbids(pattern, uri)).toBe(true);
        const plain = uri.replaceAll(/[*{}]/g, '');
        expect(forbids(plain, plain)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});
