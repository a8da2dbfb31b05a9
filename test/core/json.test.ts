import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANSWER_JSON,
  foldName,
  isJsonArray,
  isJsonObject,
  type Json,
  JsonNumber,
  member,
  parseJson,
  parseJsonText,
  stringMember,
  writeJson,
} from '../../functions/core/json.ts';

const KELVIN = '\u212a';
const LONG_S = '\u017f';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function detail(input: string | Uint8Array): string | undefined {
  const parsed = parseJson(typeof input === 'string' ? bytes(input) : input);
  return parsed.ok ? undefined : parsed.error.detail;
}

/** The value as `JSON.parse` would give it. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return value.toNumber();
  if (isJsonArray(value)) return value.map(plain);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Array.from(value, ([name, item]) => [name, plain(item)]));
}

describe('accepted, and written again as it was but for white space', () => {
  test.for([
    'null',
    'true',
    'false',
    '""',
    '0',
    '-0',
    '1.0',
    '1e400',
    '-1E-7',
    '12345678901234567890',
    '0.1000000000000000055511151231257827',
    '[]',
    '{}',
    '[1,[2,[3]],{}]',
    '{"a":{"b":[null,true,"x"]}}',
    '{"__proto__":{"polluted":true},"constructor":1,"toString":null}',
    '{"b":1,"a":2,"10":3,"9":4}',
    '"\u007f\u2027\u202a"',
    '"😀"',
    '{"":0}',
    '{"a":1,"b":{"A":1}}',
    '{"é":1,"e\u0301":2}',
  ])('%s', (text) => {
    const parsed = parseJson(bytes(text));
    expect(parsed.ok && writeJson(parsed.value)).toBe(text);
  });

  test.for([
    [' \t\r\n{ "a" :\n[ 1 , 2 ]\t}\r\n ', '{"a":[1,2]}'],
    ['"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\"', '"A/\\b\\f\\n\\r\\t\\"\\\\"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['{"\\u0061":1}', '{"a":1}'],
    ['{"\\u2028\u2029":"\u0085\\u0085"}', '{"\\u2028\\u2029":"\\u0085\\u0085"}'],
  ] as const)('%s becomes %s', ([text, written]) => {
    const parsed = parseJson(bytes(text));
    expect(parsed.ok && writeJson(parsed.value)).toBe(written);
  });

  test('`__proto__` is a member like any other and touches no prototype', () => {
    const parsed = parseJson(bytes('{"__proto__":{"isAdmin":true}}'));
    expect(parsed.ok && member(member(parsed.value, '__proto__'), 'isAdmin')).toBe(true);
    expect(parsed.ok && member(parsed.value, 'isAdmin')).toBe(undefined);
  });

  test('depth 64 is the last that a request may have', () => {
    expect(detail('['.repeat(64) + ']'.repeat(64))).toBe(undefined);
    expect(detail('['.repeat(65) + ']'.repeat(65))).toBe('nested too deep');
    expect(detail(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`)).toBe(undefined);
    expect(detail(`${'[{"a":'.repeat(32)}[]${'}]'.repeat(32)}`)).toBe('nested too deep');
  });

  test('a million brackets are refused, not a crash', () => {
    expect(detail('['.repeat(1_000_000))).toBe('nested too deep');
  });
});

describe('the number of values', () => {
  const values = (count: number) => `[${'{},'.repeat(count - 2)}0]`;

  test.for([
    ['empty objects', values(200_000), undefined],
    ['one empty object too many', values(200_001), 'too many values'],
    ['a body of nothing else', values(1_499_000), 'too many values'],
    ['members', `{${Array.from({ length: 199_999 }, (_, at) => `"${at}":1`).join()}}`, undefined],
    [
      'one member too many',
      `{${Array.from({ length: 200_000 }, (_, at) => `"${at}":1`).join()}}`,
      'too many values',
    ],
    ['one too many deeper down', `{"a":[${values(199_999)}]}`, 'too many values'],
  ] as const)('is bounded: %s', ([, text, refusal]) => {
    expect(detail(text)).toBe(refusal);
  });

  test('is that of a request where nothing else is said, and five times as many in an answer', () => {
    const options = { maxDepth: 2, caseVariants: 'keep' } as const;
    expect(parseJsonText(values(200_000), options).ok).toBe(true);
    expect(parseJsonText(values(200_001), options).ok).toBe(false);
    expect(parseJsonText(values(1_000_000), ANSWER_JSON).ok).toBe(true);
    expect(parseJsonText(values(1_000_001), ANSWER_JSON).ok).toBe(false);
  });
});

describe('refused', () => {
  test.for([
    ['a byte order mark', '\uFEFF{}', 'byte order mark'],
    ['nothing', '', 'a value is expected'],
    ['white space alone', ' \n', 'a value is expected'],
    ['a second value', '{}{}', 'text after the value'],
    ['a trailing comma after it', '{},', 'text after the value'],
    ['a trailing NUL', '{}\0', 'text after the value'],
    ['a trailing no-break space', '{}\u00a0', 'text after the value'],
    ['a leading form feed', '\f{}', 'a value is expected'],
    ['a duplicate member', '{"a":1,"a":1}', 'duplicate member'],
    ['a duplicate by escape', '{"a":1,"\\u0061":1}', 'duplicate member'],
    ['a duplicate deeper down', '{"p":[{"a":1,"b":2,"a":1}]}', 'duplicate member'],
    ['a duplicate `__proto__`', '{"__proto__":1,"__proto__":2}', 'duplicate member'],
    ['a case variant', '{"name":1,"Name":2}', 'members that differ in case alone'],
    ['a case variant that comes first', '{"NAME":1,"x":0,"name":2}', 'members that differ in case alone'],
    ['a long s', `{"params":1,"param${LONG_S}":2}`, 'members that differ in case alone'],
    ['a long s by escape', '{"params":1,"param\\u017f":2}', 'members that differ in case alone'],
    ['a Kelvin sign', `{"k":1,"${KELVIN}":2}`, 'members that differ in case alone'],
    ['a Kelvin sign that comes first', `{"to${KELVIN}en":1,"token":2}`, 'members that differ in case alone'],
    ['a final sigma', '{"ας":1,"ΑΣ":2}', 'members that differ in case alone'],
    ['a capital i with a dot', '{"uri":1,"ur\u0130":2}', 'members that differ in case alone'],
    ['a small i without one', '{"\u0131d":1,"id":2}', 'members that differ in case alone'],
    ['a capital i with two dots', '{"i\u0307d":1,"\u0130\u0307d":2}', 'members that differ in case alone'],
    ['an i with one dot, and with two', '{"i\u0307\u0307":1,"i":2}', 'members that differ in case alone'],
    ['a capital sharp s', '{"ß":1,"ẞ":2}', 'members that differ in case alone'],
    ['a third that varies the second', '{"a":1,"B":2,"b":3}', 'members that differ in case alone'],
    ['two variants of a name that is not there', '{"AB":1,"Ab":2}', 'members that differ in case alone'],
    ['a lone high surrogate', '"\\ud800"', 'lone surrogate'],
    ['a lone low surrogate', '"x\\udc00y"', 'lone surrogate'],
    ['surrogates in the wrong order', '"\\ude00\\ud83d"', 'lone surrogate'],
    ['a lone surrogate in a name', '{"\\ud800":1}', 'lone surrogate'],
    ['a bare line feed in a string', '"\n"', 'an unfinished string or a bare control character'],
    ['a bare tab in a string', '"\t"', 'an unfinished string or a bare control character'],
    ['a bare NUL in a string', '"\0"', 'an unfinished string or a bare control character'],
    ['a bare U+001F in a name', '{"\u001f":1}', 'an unfinished string or a bare control character'],
    ['an unfinished string', '"abc', 'an unfinished string or a bare control character'],
    ['an unfinished escape', '"\\', 'unknown escape'],
    ['an unknown escape', '"\\x41"', 'unknown escape'],
    ['a short escape', '"\\u12"', 'unknown escape'],
    ['an escape with a sign', '"\\u+123"', 'unknown escape'],
    ['single quotes', "{'a':1}", 'a member name is expected'],
    ['a bare name', '{a:1}', 'a member name is expected'],
    ['a trailing comma in an object', '{"a":1,}', 'a member name is expected'],
    ['a trailing comma in an array', '[1,]', 'a value is expected'],
    ['two commas', '[1,,2]', 'a value is expected'],
    ['no comma', '[1 2]', 'a comma or a closing bracket is expected'],
    ['the wrong bracket', '[1}', 'a comma or a closing bracket is expected'],
    ['no bracket', '{"a":1', 'a comma or a closing bracket is expected'],
    ['no colon', '{"a" 1}', 'a colon is expected'],
    ['no value', '{"a":}', 'a value is expected'],
    ['a comment', '/* */ {}', 'a value is expected'],
    ['a comment inside', '{"a":1 // x\n}', 'a comma or a closing bracket is expected'],
    ['NaN', 'NaN', 'a value is expected'],
    ['Infinity', '-Infinity', 'a value is expected'],
    ['a leading plus', '+1', 'a value is expected'],
    ['a leading zero', '01', 'text after the value'],
    ['a leading point', '.5', 'a value is expected'],
    ['a trailing point', '1.', 'text after the value'],
    ['an empty exponent', '1e', 'text after the value'],
    ['a hexadecimal number', '0x10', 'text after the value'],
    ['a separator in a number', '1_000', 'text after the value'],
    ['other digits', '١', 'a value is expected'],
    ['a capital literal', 'True', 'a value is expected'],
    ['an unfinished literal', 'nul', 'a value is expected'],
    ['a longer literal', 'nullx', 'text after the value'],
    ['undefined', 'undefined', 'a value is expected'],
  ] as const)('%s', ([, text, why]) => {
    expect(detail(text)).toBe(why);
  });

  test.for([
    ['a stray continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['a code point beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ] as const)('%s is no UTF-8', ([, input]) => {
    expect(detail(Uint8Array.from(input))).toBe('invalid UTF-8');
  });

  test('every name that equals another but for its case, by Unicode’s own simple folding', () => {
    const missed: string[] = [];
    for (let code = 0x21; code <= 0xffff; code += 1) {
      const one = String.fromCharCode(code);
      for (const other of new Set([one.toLowerCase(), one.toUpperCase()])) {
        const pattern = Array.from(other, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`).join('');
        const isVariant = other !== one && new RegExp(`^${pattern}$`, 'iu').test(one);
        if (isVariant && parseJsonText(JSON.stringify({ [one]: 1, [other]: 2 })).ok) missed.push(one + other);
      }
    }
    expect(missed).toEqual([]);
  });
});

describe('an answer of a server', () => {
  test('may have case variants, never duplicates', () => {
    expect(parseJsonText('{"a":1,"A":2}', ANSWER_JSON).ok).toBe(true);
    expect(parseJsonText('{"a":1,"a":2}', ANSWER_JSON).ok).toBe(false);
  });

  test('may be nested 256 deep', () => {
    expect(parseJsonText('['.repeat(256) + ']'.repeat(256), ANSWER_JSON).ok).toBe(true);
    expect(parseJsonText('['.repeat(257) + ']'.repeat(257), ANSWER_JSON).ok).toBe(false);
  });
});

test('members are had by exact name and type alone', () => {
  const parsed = parseJsonText('{"a":"x","n":1,"o":{}}');
  const value = parsed.ok ? parsed.value : null;
  expect(stringMember(value, 'a')).toBe('x');
  for (const name of ['A', 'n', 'o', 'missing', '__proto__', 'size']) {
    expect(stringMember(value, name)).toBe(undefined);
  }
  expect(stringMember([], 'length')).toBe(undefined);
  expect(member('text', 'length')).toBe(undefined);
});

describe('laws', () => {
  test('any JSON value is read and written to an equal value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme', noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        const parsed = parseJsonText(text, ANSWER_JSON);
        expect(parsed.ok && JSON.parse(writeJson(parsed.value))).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test('what is accepted, JSON.parse accepts with the same meaning, and writing it again changes nothing', () => {
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0061', '\\ud83d', '\\ude00', 'a', 'A', LONG_S, KELVIN],
      ...[
        '0',
        '\u2028',
        '\\u2028',
        '\u0085',
        '1',
        '-',
        '.',
        'e',
        '+',
        ' ',
        '\n',
        '\t',
        '\0',
        'true',
        'null',
        '{"a":',
        '["',
        '"]',
        '\uFEFF',
      ],
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (input) => {
        const parsed = parseJsonText(input);
        if (!parsed.ok) return;
        const written = writeJson(parsed.value);
        expect(plain(parsed.value)).toEqual(JSON.parse(input));
        expect(JSON.parse(written)).toEqual(JSON.parse(input));
        const again = parseJsonText(written);
        expect(again.ok && writeJson(again.value)).toBe(written);
      }),
      { numRuns: 20_000 },
    );
  });

  test('one changed character of a message is either refused or means what JSON.parse says', () => {
    const message =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping","arguments":{"n":[1.0]}}}';
    const place = fc.nat(message.length - 1);
    const character = fc.oneof(fc.constantFrom(...'{}[]",:\\ 01eE-.tnfuM\u017f\u212a\0\n'), fc.string());
    fc.assert(
      fc.property(place, character, (at, replacement) => {
        const input = message.slice(0, at) + replacement + message.slice(at + 1);
        const parsed = parseJsonText(input);
        if (parsed.ok) expect(plain(parsed.value)).toEqual(JSON.parse(input));
      }),
      { numRuns: 5_000 },
    );
  });

  test('what is folded is its own folding', () => {
    const unstable: string[] = [];
    for (let code = 0; code <= 0x1ffff; code += 1) {
      const folded = foldName(String.fromCodePoint(code));
      if (foldName(folded) !== folded) unstable.push(code.toString(16));
    }
    expect(unstable).toEqual([]);
  });

  test('what is no text at all is a bug, and not a refusal', () => {
    expect(() => parseJsonText(JSON.parse('null'))).toThrow(TypeError);
  });

  test('no bytes make it throw', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .array(fc.constantFrom(...bytes('{}[]",:\\u0ed8 -1.tfn\ufeff')), { maxLength: 64 })
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(noise, (input) => {
        expect(typeof parseJson(input).ok).toBe('boolean');
      }),
      { numRuns: 5_000 },
    );
  });
});
