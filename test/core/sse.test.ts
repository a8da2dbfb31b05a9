import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseFilter } from '../../functions/core/sse.ts';
import { growthOf } from '../support/growth.ts';

const upper = (data: string) => data.toUpperCase();

function filtered(
  pieces: readonly string[],
  rewrite: (data: string) => string | undefined = upper,
  max = 1_000,
): string {
  const filter = new SseFilter(rewrite, max);
  return pieces.map((piece) => filter.push(piece)).join('') + filter.end();
}

describe('events pass', () => {
  test.for([
    ['with their data rewritten', 'data: a\n\n', 'data: A\n\n'],
    ['without the space', 'data:a\n\n', 'data: A\n\n'],
    ['with one space taken away', 'data:  a\n\n', 'data:  A\n\n'],
    [
      'with the other fields first',
      'id: 1\ndata: a\nevent: message\n\n',
      'id: 1\nevent: message\ndata: A\n\n',
    ],
    ['with the lines of their data joined', 'data: a\ndata: b\n\n', 'data: A\ndata: B\n\n'],
    ['with CRLF', 'id: 1\r\ndata: a\r\n\r\n', 'id: 1\ndata: A\n\n'],
    ['with CR', 'id: 1\rdata: a\r\r', 'id: 1\ndata: A\n\n'],
    ['with mixed endings', 'id: 1\ndata: a\r\n\ndata: b\n\r\n', 'id: 1\ndata: A\n\ndata: B\n\n'],
    ['one after the other', 'data: a\n\ndata: b\n\n', 'data: A\n\ndata: B\n\n'],
  ] as const)('%s', ([, input, output]) => {
    expect(filtered([input])).toBe(output);
  });

  test.for([
    ': ping\n\n',
    ': ping\r\n\r\n',
    'event: end\nid: 4\n\n',
    'retry: 100\n\n',
    'data\n\n',
    'data:\n\n',
    'data: \n\n',
    '\n\n',
    'DATA: a\n\n',
    'data : a\n\n',
    ' data: a\n\n',
  ])('unchanged where nobody reads data in them: %j', (input) => {
    expect(filtered([input])).toBe(input);
  });

  test('with a comment inside kept', () => {
    expect(filtered([': note\ndata: a\n\n'])).toBe(': note\ndata: A\n\n');
  });

  test.for([1, 2, 3])('rewritten behind %i byte order marks, in any pieces', (marks) => {
    const input = `${'\uFEFF'.repeat(marks)}data: a\n\n`;
    expect(filtered([input])).toBe('data: A\n\n');
    expect(filtered([...input])).toBe('data: A\n\n');
  });

  test('as soon as their blank line is seen', () => {
    const filter = new SseFilter(upper, 100);
    expect(filter.push('data: a\n')).toBe('');
    expect(filter.push('\ndata: b')).toBe('data: A\n\n');
    expect(filter.push('\r\n')).toBe('');
    expect(filter.push('\r\n')).toBe('data: B\n\n');
  });

  test('not, where they are unfinished at the end', () => {
    expect(filtered(['data: a\n\ndata: hidden\n'])).toBe('data: A\n\n');
    const filter = new SseFilter(upper, 100);
    filter.push('data: a\n');
    filter.end();
    expect(filter.push('\ndata: b\n\n')).toBe('data: B\n\n');
  });
});

describe('an event that is dropped', () => {
  const drop = (data: string) => (data === 'no' ? '' : data);

  test.for([
    ['leaves nothing', 'data: no\n\ndata: a\n\n', 'data: a\n\n'],
    [
      'leaves its id, by which a client goes on',
      'id: 7\ndata: no\nevent: message\n\n',
      'id: 7\nevent: message\n\n',
    ],
    ['leaves an id that is empty', 'id\ndata: no\n\n', 'id\n\n'],
    ['leaves no other field', 'event: message\nidle: 1\ndata: no\n\n', ''],
  ] as const)('%s', ([, given, expected]) => {
    expect(filtered([given], drop)).toBe(expected);
  });
});

describe('an event that may not pass', () => {
  test('ends the stream', () => {
    const filter = new SseFilter((data) => (data === 'secret' ? undefined : data), 100);
    expect(filter.push('data: fine\n\n')).toBe('data: fine\n\n');
    expect(() => filter.push('data: secret\n\n')).toThrow(TypeError);
  });

  test('hides behind no other line of its event', () => {
    for (const input of [
      'data\ndata: secret\n\n',
      'data:\ndata: secret\n\n',
      'event: x\rdata: secret\r\n\n',
    ]) {
      expect(() => filtered([input], (data) => (data.includes('secret') ? undefined : data))).toThrow(
        TypeError,
      );
    }
  });
});

describe('the bound of an event', () => {
  const event = (length: number) => `data: ${'x'.repeat(length - 'data: '.length)}`;

  test.for(['\n\n', '\r\n\r\n', '\r\r'])('is the same in any pieces, with the ending %j', (ending) => {
    for (const [length, passes] of [
      [50, true],
      [51, false],
    ] as const) {
      const text = event(length) + ending;
      for (const pieces of [[text], Array.from(text), [text.slice(0, 20), text.slice(20)]]) {
        const run = () => filtered(pieces, upper, 50);
        if (passes) expect(run()).toBe(`data: ${'X'.repeat(44)}\n\n`);
        else expect(run).toThrow(RangeError);
      }
    }
  });

  test('holds for an event that never ends', () => {
    const filter = new SseFilter(upper, 50);
    expect(() => {
      for (let count = 0; count < 100; count += 1) filter.push('data: x\n');
    }).toThrow(RangeError);
  });

  test('is per event, not per stream', () => {
    expect(filtered([`${event(40)}\n\n`.repeat(10)], upper, 50)).toHaveLength(420);
  });
});

describe('an event in pieces of 100 bytes', () => {
  const run = (characters: number): number => {
    const filter = new SseFilter((data) => data, 8_000_000);
    const line = `data: ${'x'.repeat(93)}\n`;
    let passed = 0;
    for (let sent = 0; sent < characters; sent += line.length) passed += filter.push(line).length;
    return passed + filter.push('\n').length;
  };

  test('arrives whole where it has 2 MB', () => {
    expect(run(2_000_000)).toBe(2_000_001);
  });

  // Smaller ones are gone before the first collection, and look cheaper than they are.
  test('costs four times as much where it has 6 MB as with 1.5, not sixteen times', () => {
    expect(growthOf(run, 1_500_000)).toBeLessThan(11);
  });
});

test('an event in thousands of characters by themselves arrives whole, and so does the next', () => {
  const text = 'abcdefghij'.repeat(500);
  const one = [...`data: ${text}`, '\n\n'];
  expect(filtered([...one, ...one], upper, 10_000)).toBe(`data: ${text.toUpperCase()}\n\n`.repeat(2));
});

describe('laws', () => {
  const line = fc.constantFrom(
    'data: a',
    'data:b',
    'data',
    ': c',
    'id: 1',
    'event: x',
    'data: {"a":"é😀"}',
    '',
  );
  const ending = fc.constantFrom('\n', '\r\n', '\r');
  const stream = fc
    .array(fc.tuple(line, ending), { maxLength: 12 })
    .map((lines) => lines.map(([text, end]) => text + end).join(''));

  test('the output is the same however the stream is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(100), { maxLength: 8 }), (text, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const whole = filtered([text]);
        expect(filtered(pieces)).toBe(whole);
        expect(filtered(Array.from({ length: text.length }, (_, index) => text.charAt(index)))).toBe(whole);
      }),
      { numRuns: 1_000 },
    );
  });

  test('no data passes that was not asked about', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const output = filtered([text.replaceAll('a', 'SECRET')], () => 'rewritten');
        expect(
          output.split(/\r\n|\r|\n/).filter((part) => part.startsWith('data:') && part.includes('SECRET')),
        ).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
