import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../functions/core/redact.ts';
import { Secret } from '../../functions/core/secret.ts';
import { growthOf } from '../support/growth.ts';

const SECRET = 'sk-live-4f/9+Zq"7';
/** Every character that some writer escapes and another does not. */
const AWKWARD = `p~a!b'c(d)e*f g+h/i=j&k<l>m"n\`o:p`;

const escaped = (value: string, characters: RegExp, hex: (code: string) => string) =>
  JSON.stringify(value)
    .slice(1, -1)
    .replace(characters, (one) => `\\u00${hex(one.charCodeAt(0).toString(16))}`);
const lower = (code: string) => code;
const upper = (code: string) => code.toUpperCase();
const lowerHex = (text: string) => text.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase());
const form = (value: string) => new URLSearchParams({ v: value }).toString().slice('v='.length);
const rfc3986 = (value: string) =>
  encodeURIComponent(value).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

const json = (value: string) => JSON.stringify(value).slice(1, -1);
const php = (value: string) => json(value).replaceAll('/', '\\/');
const go = (value: string) => escaped(value, /[&<>]/g, lower);
const dotNet = (value: string) =>
  escaped(value.replaceAll('"', '\u0001'), /[&<>+'`]/g, upper).replaceAll('\\u0001', '\\u0022');

function redact(secrets: readonly string[], chunks: readonly string[]): string {
  const redactor = new Redactor(secrets.map((secret) => new Secret(secret)));
  const passed = chunks.map((chunk) => Buffer.from(redactor.push(Buffer.from(chunk))));
  return Buffer.concat([...passed, redactor.end()]).toString();
}

describe('a secret that comes back', () => {
  test.for([
    { spelling: 'as encodeURIComponent writes it', text: encodeURIComponent(AWKWARD) },
    { spelling: 'as a form has it', text: form(AWKWARD) },
    { spelling: 'as RFC 3986 reserves it', text: rfc3986(AWKWARD) },
    { spelling: 'as encodeURIComponent, in lower case', text: lowerHex(encodeURIComponent(AWKWARD)) },
    { spelling: 'as a form, in lower case', text: lowerHex(form(AWKWARD)) },
    { spelling: 'as RFC 3986, in lower case', text: lowerHex(rfc3986(AWKWARD)) },
    { spelling: 'in JSON', text: JSON.stringify(AWKWARD).slice(1, -1) },
    {
      spelling: 'in JSON with its slashes escaped (PHP)',
      text: JSON.stringify(AWKWARD).slice(1, -1).replaceAll('/', '\\/'),
    },
    { spelling: 'in JSON that is safe in HTML (Go)', text: escaped(AWKWARD, /[&<>]/g, lower) },
    { spelling: 'in JSON that is safe in HTML (Gson)', text: escaped(AWKWARD, /[&<>=']/g, lower) },
    {
      spelling: 'in JSON that is safe in HTML (.NET)',
      text: escaped(AWKWARD.replace('"', '\u0001'), /[&<>+'`]/g, upper).replace('\\u0001', '\\u0022'),
    },
  ])('$spelling is taken out of a body and of a header', ({ text }) => {
    expect(redact([AWKWARD], [`a ${text} b`])).toBe('a [redacted] b');
    expect(new Redactor([new Secret(AWKWARD)]).text(`a ${text} b`)).toBe('a [redacted] b');
  });

  test.for([
    { spelling: 'as it is', text: SECRET },
    { spelling: 'percent-encoded', text: encodeURIComponent(SECRET) },
    { spelling: 'in Base64', text: Buffer.from(SECRET).toString('base64').replace(/=+$/, '') },
    { spelling: 'in base64url', text: Buffer.from(SECRET).toString('base64url') },
    { spelling: 'in a JSON string', text: JSON.stringify(SECRET).slice(1, -1) },
  ])('$spelling is taken out', ({ text }) => {
    expect(redact([SECRET], [`a ${text} b ${text}`])).toBe('a [redacted] b [redacted]');
  });

  test.for([
    { spelling: 'in JSON within JSON', write: [json, json] },
    { spelling: 'in JSON within JSON within JSON', write: [json, json, json] },
    { spelling: 'in JSON of Go within JSON of PHP', write: [go, php] },
    { spelling: 'in JSON of .NET within JSON', write: [dotNet, json] },
    { spelling: 'in JSON within JSON of .NET within JSON', write: [json, dotNet, json] },
  ])('$spelling is taken out', ({ write }) => {
    for (const secret of [SECRET, AWKWARD]) {
      const text = write.reduce((value, one) => one(value), secret);
      expect(redact([secret], [`a ${text} b`])).toBe('a [redacted] b');
    }
  });

  test('is taken out wherever the chunks are cut', () => {
    const whole = `before ${SECRET} after`;
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(redact([SECRET], [whole.slice(0, cut), whole.slice(cut)])).toBe('before [redacted] after');
    }
  });

  test('of two that overlap, the longer goes', () => {
    expect(redact(['password', 'user:password'], ['x user:password y'])).toBe('x [redacted] y');
  });
});

test('what is no secret passes unchanged, in any pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (chunks) => {
      expect(redact(['0123456789abcdef'], chunks)).toBe(Buffer.from(chunks.join('')).toString());
    }),
  );
});

test('no secret is ever in what passes, however it is repeated and cut', () => {
  const piece = fc.oneof(
    fc.constant('abcabcab'),
    fc.constantFrom('a', 'ab', 'abc', 'abcabca', 'b', 'c', 'abcab'),
  );
  fc.assert(
    fc.property(fc.array(piece), (chunks) => {
      expect(redact(['abcabcab'], chunks)).not.toContain('abcabcab');
    }),
  );
});

test('bytes that cannot begin a secret are not held back', () => {
  const redactor = new Redactor([new Secret(SECRET)]);
  expect(Buffer.from(redactor.push(Buffer.from('data: 1\n\n'))).toString()).toBe('data: 1\n\n');
});

test.for([
  ['a body of secrets', 'sk-live-4f/9+Zq"7 '],
  ['a body of what nearly are secrets', 'sk-live-4f/9+Zq"8 '],
  ['a body of one spelling, the others far away', `${encodeURIComponent(SECRET)} `],
])('%s costs time in proportion to its length', ([, part = '']) => {
  const run = (parts: number) => redact([SECRET], [part.repeat(parts)]);
  expect(growthOf(run, 1_500)).toBeLessThan(9);
});

test('a value too short to be told from innocent bytes is left alone', () => {
  expect(new Redactor([new Secret('abc')]).isIdle).toBe(true);
});
