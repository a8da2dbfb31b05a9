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

const KEY = 'sk-live-0123456789abcdefghij';
const SLASHED = 'abc/def=ghi+jkl';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const ofBase64 = (text: string) => Buffer.from(text, 'base64').toString('latin1');
const ofBase64Twice = (text: string) => ofBase64(ofBase64(text).replace(/^.*Basic /s, ''));
const wrapped = (ending: string) => base64(`Bearer ${KEY} `.repeat(9)).replace(/.{76}/g, `$&${ending}`);
const ofHex = (text: string) => Buffer.from(text, 'hex').toString('latin1');
const ofJson = (text: string): string => {
  const value: unknown = JSON.parse(`"${text}"`);
  return String(value);
};
const entities = (text: string) =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .replace(/&#([0-9]+);/g, (_, digits: string) => String.fromCharCode(Number(digits)))
    .replaceAll('&sol;', '/')
    .replaceAll('&lt;', '<')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
const everyUnit = (text: string, write: (code: string) => string) =>
  Array.from({ length: text.length }, (_, at) => write(text.charCodeAt(at).toString(16))).join('');

/** As libraries escape it, each for its reader. */
const LIBRARIES: Readonly<Record<string, (text: string) => string>> = {
  JSON: json,
  'JSON of Go': go,
  'JSON of PHP': php,
  'a URL': encodeURIComponent,
  HTML: (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;'),
  'HTML by number': (text) => text.replaceAll(/[^a-z0-9]/gi, (unit) => `&#${unit.charCodeAt(0)};`),
  'HTML by number of every character': (text) => everyUnit(text, (code) => `&#x${code};`),
  'a string of JavaScript': (text) =>
    text.replaceAll(/[^a-z0-9]/gi, (unit) => `\\x${unit.charCodeAt(0).toString(16)}`),
};
/** With what each of them escapes, and none that looks like an escape. */
const NESTED = 'kQ7/z+"n&w=\\p<';

/** Encodings of common libraries, each with its reading. */
const ENCODED: readonly {
  encoding: string;
  secret: string;
  text: string;
  decode: (text: string) => string;
}[] = [
  ...[0, 1, 2, 3].flatMap((before) =>
    [0, 1, 2].map((after) => ({
      encoding: `Base64 of ${before} bytes, the secret, and ${after} bytes`,
      secret: KEY,
      text: base64(`${'x'.repeat(before)}${KEY}${'y'.repeat(after)}`),
      decode: ofBase64,
    })),
  ),
  {
    encoding: 'base64url of a header',
    secret: `${SLASHED}???>>>`,
    text: Buffer.from(`Bearer ${SLASHED}???>>>`).toString('base64url'),
    decode: (text) => Buffer.from(text, 'base64url').toString('latin1'),
  },
  {
    encoding: 'a blob of the headers, with the secret in JSON',
    secret: 'pass"word/\\1',
    text: base64(JSON.stringify({ accept: '*/*', key: 'pass"word/\\1' })),
    decode: (text) => ofBase64(text).replaceAll('\\"', '"').replaceAll('\\\\', '\\'),
  },
  {
    encoding: 'a blob of the headers, with HTTP Basic',
    secret: `user:${KEY}`,
    text: base64(`authorization: Basic ${base64(`user:${KEY}`)}`),
    decode: ofBase64Twice,
  },
  ...['\n', '\r\n', '\n  '].map((ending) => ({
    encoding: `Base64 wrapped with ${JSON.stringify(ending)}`,
    secret: KEY,
    text: wrapped(ending),
    decode: ofBase64,
  })),
  ...['\\n', '\\r\\n', '\\\\n'].map((ending) => ({
    encoding: `Base64 wrapped with ${ending}, as JSON has it`,
    secret: KEY,
    text: wrapped(ending),
    decode: (text: string) => ofBase64(text.replaceAll(/\\+[rn]/g, '')),
  })),
  {
    encoding: 'Base64 with its slashes escaped (PHP)',
    secret: '>>>???>>>???>>>',
    text: base64('>>>???>>>???>>>').replaceAll('/', '\\/'),
    decode: (text) => ofBase64(text.replaceAll('\\', '')),
  },
  { encoding: 'hexadecimal', secret: KEY, text: Buffer.from(`a${KEY}`).toString('hex'), decode: ofHex },
  {
    encoding: 'hexadecimal in upper case, as PostgreSQL shows bytes',
    secret: KEY,
    text: `\\x${Buffer.from(KEY).toString('hex').toUpperCase()}`,
    decode: (text) => ofHex(text.slice(2)),
  },
  ...[' ', ':', '-', ', ', ',', ' 0x', ', 0x', ',0x'].flatMap((between) =>
    [lower, upper].map((written) => ({
      encoding: `bytes in hexadecimal ${written('abc')} with ${JSON.stringify(between)} between them`,
      secret: KEY,
      text: Array.from(Buffer.from(`a${KEY}`), (byte) => written(byte.toString(16))).join(between),
      decode: (text: string) => ofHex(text.replaceAll(between, '')),
    })),
  ),
  ...[',', ', ', ' '].map((between) => ({
    encoding: `a list of bytes with ${JSON.stringify(between)} between them`,
    secret: KEY,
    text: [...Buffer.from(`a${KEY}`)].join(between),
    decode: (text: string) => Buffer.from(text.split(between).map(Number)).toString('latin1'),
  })),
  {
    encoding: 'a list of bytes as Node writes a Buffer',
    secret: KEY,
    text: JSON.stringify(Buffer.from(KEY)),
    decode: (text) => Buffer.from((text.match(/\d+/g) ?? []).map(Number)).toString('latin1'),
  },
  {
    encoding: 'percent-encoding that keeps slashes (Python)',
    secret: 'ab/c d"e',
    text: 'ab/c%20d%22e',
    decode: decodeURIComponent,
  },
  {
    encoding: 'percent-encoding of a path segment (Go)',
    secret: 'ab/c=d+e&f',
    text: 'ab%2Fc=d+e&f',
    decode: decodeURIComponent,
  },
  {
    encoding: 'percent-encoding with digits in both cases',
    secret: SLASHED,
    text: 'abc%2Fdef%3dghi%2bjkl',
    decode: decodeURIComponent,
  },
  {
    encoding: 'percent-encoding of every byte',
    secret: 'Zürich-😀-secret',
    text: Buffer.from('Zürich-😀-secret').toString('hex').replace(/../g, '%$&'),
    decode: decodeURIComponent,
  },
  {
    encoding: 'percent-encoding of percent-encoding',
    secret: SLASHED,
    text: encodeURIComponent(encodeURIComponent(SLASHED)),
    decode: (text) => decodeURIComponent(decodeURIComponent(text)),
  },
  {
    encoding: 'JSON in ASCII (Python)',
    secret: 'Zürich-😀-secret',
    text: 'Z\\u00fcrich-\\ud83d\\uDE00-secret',
    decode: ofJson,
  },
  {
    encoding: 'JSON with every unit escaped',
    secret: SLASHED,
    text: everyUnit(SLASHED, (code) => `\\u${code.padStart(4, '0')}`),
    decode: ofJson,
  },
  {
    encoding: 'JSON with slashes by number',
    secret: SLASHED,
    text: 'abc\\u002fdef=ghi\\u002Bjkl',
    decode: ofJson,
  },
  {
    encoding: 'JSON by number within JSON',
    secret: SLASHED,
    text: 'abc\\\\u002fdef=ghi+jkl',
    decode: (text) => ofJson(ofJson(text)),
  },
  {
    encoding: 'HTML',
    secret: 'p&ssw<rd/"x',
    text: 'p&amp;ssw&lt;rd&sol;&quot;x',
    decode: entities,
  },
  {
    encoding: 'HTML by number',
    secret: 'p&ssw<rd/"x',
    text: 'p&#38;ssw&#x3C;rd&#x2f;&#0034;x',
    decode: entities,
  },
  {
    encoding: 'HTML within HTML',
    secret: 'p&ssw<rd',
    text: 'p&amp;amp;ssw&amp;lt;rd',
    decode: (text) => entities(text.replaceAll('&amp;', '&')),
  },
  {
    encoding: 'percent-encoded HTML',
    secret: 'p&ssw<rd',
    text: encodeURIComponent('p&amp;ssw&lt;rd'),
    decode: (text) => entities(decodeURIComponent(text)),
  },
];

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

  test.for(ENCODED)('$encoding is taken out', ({ secret, text, decode }) => {
    const passed = redact([secret], [text]);
    expect(decode(passed)).not.toContain(secret.slice(1, -1));
    expect(passed).toContain('[redacted]');
    expect(decode(text)).toContain(secret);
  });

  test.for(ENCODED)('$encoding is taken out wherever the chunks are cut', ({ secret, text }) => {
    const whole = redact([secret], [text]);
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(redact([secret], [text.slice(0, cut), text.slice(cut)])).toBe(whole);
    }
    expect(redact([secret], [...text])).toBe(whole);
  });

  test.for(Object.keys(LIBRARIES))('%s within another is taken out wherever the chunks are cut', (inner) => {
    for (const outer of Object.values(LIBRARIES)) {
      const text = `"${outer(LIBRARIES[inner]?.(NESTED) ?? '')}"`;
      for (let cut = 1; cut < text.length; cut += 1) {
        expect(redact([NESTED], [text.slice(0, cut), text.slice(cut)])).toBe('"[redacted]"');
      }
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

test.for([
  'data: 1\n\n',
  'data: {"a":"c2st"}\n\n',
  'data: c2stbGl2ZS\r\n\r\n',
  'data: sk-live\n\n',
  '{"a":1}',
])('bytes that cannot begin a secret are not held back: %j', (text) => {
  const redactor = new Redactor([new Secret(SECRET)]);
  expect(Buffer.from(redactor.push(Buffer.from(text))).toString()).toBe(text);
});

test('texts of escapes pass unchanged where no secret is in them, in any pieces', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '%',
      '%2',
      '%25',
      '\\',
      '\\u00',
      '2f',
      '&',
      '&amp;',
      '&#3',
      ';',
      '\r',
      '\n',
      'c2st',
      '\\n',
    ),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece), (chunks) => {
      expect(redact(['0123456789abcdef'], chunks)).toBe(Buffer.from(chunks.join('')).toString());
    }),
  );
});

test('what passes is the same for any pieces', () => {
  const secrets = ['ab/c"d%41e', 'ab/c"d%41e&2', 'c"d%41e&2Fgh'];
  const piece = fc.oneof(
    fc.constantFrom('ab', '%2f', '/', '\\u002', 'fc', 'c', '\\"', '&quot;', 'd', '%2541', '%41', 'e', 'A'),
    fc.constantFrom('&', '&amp;', '2', '2F', 'gh', '\\', '%', '\n', base64(`x${secrets[0]}`), base64('c"')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const whole = redact(secrets, [text]);
      expect(redact(secrets, pieces)).toBe(whole);
      expect(redact(secrets, [...text])).toBe(whole);
    }),
    { numRuns: 500 },
  );
});

test('no secret of one byte more or less is taken for it', () => {
  for (const text of [KEY.slice(1), base64(KEY.slice(1)), base64(`x${KEY.slice(0, -1)}`)]) {
    expect(redact([KEY], [text])).toBe(text);
  }
});

test('what is held back is bounded, whatever an upstream sends', () => {
  const redactor = new Redactor([new Secret(SECRET)]);
  for (const part of ['%25', '\\', '&amp;', '&', 'c2st', 'sk-live']) {
    const chunk = Buffer.from(part.repeat(50_000));
    expect(chunk.byteLength - redactor.push(chunk).byteLength).toBeLessThan(1_000);
  }
});

test.for([
  ['a body of secrets', 'sk-live-4f/9+Zq"7 '],
  ['a body of what nearly are secrets', 'sk-live-4f/9+Zq"8 '],
  ['a body of one spelling, the others far away', `${encodeURIComponent(SECRET)} `],
  ['a body of percent signs', '%25'],
  ['a body of backslashes', '\\'],
  ['a body of ampersands', '&amp;'],
  ['a body of lines', 'c2st\n'],
  ['a body of semicolons', `\\${';'.repeat(40)}`],
  ['a body of backslashes by number', '\\u005c'],
])('%s costs time in proportion to its length', ([, part = '']) => {
  const run = (parts: number) => redact([SECRET], [part.repeat(parts)]);
  expect(growthOf(run, 1_500)).toBeLessThan(9);
});

test('a value too short to be told from innocent bytes is left alone', () => {
  expect(new Redactor([new Secret('abc')]).isIdle).toBe(true);
});

test('a short one is found as it is and where Base64 begins with it, and nothing alike within other data', () => {
  const redactor = new Redactor([new Secret('p4ss!')]);
  expect(redactor.text('key=p4ss! end')).toBe('key=[redacted] end');
  expect(redactor.text(base64('p4ss!').replace(/=+$/, ''))).not.toContain('cDRzcyE');
  const hex = Buffer.from('p4ss!').toString('hex');
  expect(redactor.text(hex)).toBe(hex);
});

test('a long one is found in digits, and not byte by byte', () => {
  const long = 'k3y-'.repeat(300);
  const redactor = new Redactor([new Secret(long)]);
  expect(redactor.text(`a ${long} b ${Buffer.from(long).toString('hex')} c`)).toBe(
    'a [redacted] b [redacted] c',
  );
  const listed = Buffer.from(long).join(',');
  expect(redactor.text(listed)).toBe(listed);
});
