import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventSieve } from '../../functions/core/event-sieve.ts';
import { growthOf } from '../support/growth.ts';

const MAX = 40;
const rule = {
  mayHide: (bytes: Buffer) => bytes.includes('secret') || bytes.includes('hush'),
  rewrite: (data: string) => {
    if (data === 'secret!') return undefined;
    return /^\[?secret/.test(data) ? '' : data.replace(/^batch secret,/, 'batch');
  },
};

function sieved(pieces: readonly (string | Uint8Array)[], max = MAX): string {
  const sieve = new EventSieve(rule, max);
  const out = pieces.map((piece) => sieve.push(typeof piece === 'string' ? Buffer.from(piece) : piece));
  return Buffer.concat([...out, sieve.end()]).toString('latin1');
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');
const bytesOf = (text: string) => Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));

describe('every byte passes of', () => {
  test.for([
    'data: a\n\n',
    'id: 1\r\ndata:a\r\n\r\n',
    'data: a\r\rdata: b\n\r\n',
    ': a comment with secret\n\n',
    'event: secret\nid: 4\n\n',
    'retry: 100\n\n',
    'data: hush, but no more\n\n',
    'data: é😀\n\n',
    '\n\n\r\n',
    '\uFEFFdata: a\n\n',
    'data: the last one, unfinished',
    '',
  ])('%j, in any pieces', (text) => {
    expect(sieved([text])).toBe(latin1(text));
    expect(sieved(bytesOf(text))).toBe(latin1(text));
  });

  test('what is no text', () => {
    const bytes = Uint8Array.from([0, 255, 128, 10, 13, 10, 195]);
    expect(sieved([bytes])).toBe(Buffer.from(bytes).toString('latin1'));
  });
});

describe('an event that is hidden is dropped', () => {
  test.for([
    ['between others', 'data: a\n\ndata: secret\n\ndata: b\n\n', 'data: a\n\ndata: b\n\n'],
    ['with CRLF', 'data: a\r\n\r\ndata: secret\r\n\r\ndata: b\r\n\r\n', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['with CR', 'data: a\r\rdata: secret\r\rdata: b\r\r', 'data: a\r\rdata: b\r\r'],
    ['with mixed endings', 'data: a\r\n\ndata: secret\n\r\ndata: b\n\r', 'data: a\r\n\ndata: b\n\r'],
    ['without a space', 'data:secret\n\n', ''],
    ['in several lines', 'data: [secret\ndata: ]\n\n', ''],
    ['behind an empty line of data', 'data:secret\ndata\n\n', ''],
    ['behind a comment', ': x\ndata: secret\n\n', ''],
    ['behind byte order marks', '\uFEFF\uFEFFdata: secret\n\n', ''],
    ['but for its id', 'event: message\nid: 7\ndata: secret\n\n', 'event: message\nid: 7\n\n'],
    ['where it is the last, unfinished', 'data: a\n\ndata: secret', 'data: a\n\n'],
  ] as const)('%s', ([, given, expected]) => {
    expect(sieved([given])).toBe(latin1(expected));
    expect(sieved(bytesOf(given))).toBe(latin1(expected));
  });
});

describe('of an event in which something is hidden the rest stays', () => {
  test.for([
    ['alone', 'data: batch secret,a\n\n', 'data: batcha\n\n'],
    [
      'between others',
      'data: a\n\ndata: batch secret,b\n\ndata: c\n\n',
      'data: a\n\ndata: batchb\n\ndata: c\n\n',
    ],
    [
      'with its fields',
      'id: 7\r\ndata: batch secret,b\r\n\r\ndata: c\r\n\r\n',
      'id: 7\ndata: batchb\n\ndata: c\r\n\r\n',
    ],
    ['in several lines', 'data: batch secret,a\ndata: b\n\n', 'data: batcha\ndata: b\n\n'],
    ['unfinished', 'data: batch secret,a', 'data: batcha\n\n'],
  ] as const)('%s', ([, given, expected]) => {
    expect(sieved([given])).toBe(expected);
    expect(sieved(bytesOf(given))).toBe(expected);
  });
});

test('an event that must not pass ends the stream', () => {
  expect(() => sieved(['data: secret!\n\n'])).toThrow(TypeError);
  expect(() => sieved(['data: secret!'])).toThrow(TypeError);
  expect(() => sieved(bytesOf('data: a\n\ndata: secret!\n\n'))).toThrow(TypeError);
});

describe('nothing waits', () => {
  const push = (sieve: EventSieve, text: string) => Buffer.from(sieve.push(Buffer.from(text))).toString();

  test('longer than its blank line', () => {
    const sieve = new EventSieve(rule, MAX);
    expect(push(sieve, 'data: a\n')).toBe('');
    expect(push(sieve, '\ndata: b')).toBe('data: a\n\n');
    expect(push(sieve, '\r\n')).toBe('');
    expect(push(sieve, '\r')).toBe('data: b\r\n\r');
    expect(push(sieve, '\n')).toBe('\n');
    expect(push(sieve, ': ping\n\n')).toBe(': ping\n\n');
  });

  test('of an event that is too large to be looked at, and the next one is looked at again', () => {
    const sieve = new EventSieve(rule, MAX);
    expect(push(sieve, 'data: secret')).toBe('');
    expect(push(sieve, 'x'.repeat(MAX))).toBe(`data: secret${'x'.repeat(MAX)}`);
    expect(push(sieve, 'y')).toBe('y');
    expect(push(sieve, '\n\ndata: secret\n\ndata: b\n\n')).toBe('\n\ndata: b\n\n');
    expect(push(sieve, `data: a\n\ndata: secret${'x'.repeat(MAX)}`)).toBe(
      `data: a\n\ndata: secret${'x'.repeat(MAX)}`,
    );
    expect(Buffer.from(sieve.end()).toString()).toBe('');
  });
});

test('an event that passes keeps its whole ending where a hidden one ended in the same chunk', () => {
  expect(sieved(['data: se', 'cret\r\n\n\r', '\ndata: a\n\n'])).toBe('\r\ndata: a\n\n');
  expect(sieved(['data: se', 'cret\r\n\r', '\ndata: a\n\n'])).toBe('data: a\n\n');
});

test('the bound is of one event, with its endings, in any pieces', () => {
  const event = (length: number) => `data: secret${'x'.repeat(length - 'data: secret\n\n'.length)}\n\n`;
  for (const [length, passes] of [
    [MAX, false],
    [MAX + 1, true],
  ] as const) {
    for (const pieces of [
      [event(length)],
      bytesOf(event(length)),
      [event(length).slice(0, 20), event(length).slice(20)],
    ]) {
      expect(sieved(pieces)).toBe(passes ? event(length) : '');
    }
  }
});

test('a chunk in which nothing is hidden is passed on without a copy', () => {
  const chunk = Buffer.from('data: a\n\ndata: hush\n\n');
  const passed = new EventSieve(rule, MAX).push(chunk);
  expect([passed.buffer === chunk.buffer, passed]).toEqual([true, chunk]);
});

test('it is the same however the stream is cut, and what is not hidden is there', () => {
  const line = fc.constantFrom(
    'data: secret',
    'data: [secret',
    'data:b',
    'data',
    ': hush',
    'id: 1',
    'data: é😀',
    '',
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 14 })
    .map((lines) => lines.map(([text, end]) => text + end).join(''));
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200), { maxLength: 8 }), (text, cuts) => {
      const bytes = Buffer.from(text);
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const whole = sieved([text], 1_000);
      expect(sieved(pieces, 1_000)).toBe(whole);
      expect(sieved(bytesOf(text), 1_000)).toBe(whole);
      if (!/data: \[?secret/.test(text)) expect(whole).toBe(latin1(text));
      const events = whole.split(/\r\n\r\n|\n\n|\r\r|\n\r|\r\n\n|\r\n\r/);
      for (const event of events) expect(event).not.toMatch(/^data: secret/);
    }),
    { numRuns: 1_000 },
  );
});

test('an event in single bytes costs time in proportion to its length', () => {
  const run = (length: number): number => {
    const sieve = new EventSieve(rule, 10_000_000);
    const byte = Uint8Array.of(120);
    for (let sent = 0; sent < length; sent += 1) sieve.push(byte);
    return sieve.end().byteLength;
  };
  expect(growthOf(run, 5_000)).toBeLessThan(11);
});
