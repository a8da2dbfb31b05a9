import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOfLastEvent, LF, LineEndings, lineStartIn } from '../../functions/core/line-endings.ts';
import { growthOf } from '../support/growth.ts';

const endOfEvent = (chunk: Buffer, start: number, lineStart: number) =>
  new LineEndings(chunk).endOfEvent(start, lineStart);

/** Where each event of a chunk ends. */
function endsOf(chunk: Buffer): readonly number[] {
  const endings = new LineEndings(chunk);
  const ends: number[] = [];
  for (let end = endings.endOfEvent(0, 0); end !== -1; end = endings.endOfEvent(end, end)) ends.push(end);
  return ends;
}

test.for([
  ['a\n\nb\n\n', 3, 6],
  ['a\r\n\r\nb', 5, 5],
  ['a\r\rb\r\r\n', 3, 7],
  ['a\n\rb', 3, 3],
  ['a\r\n\nb\n', 4, 4],
  ['\n\n', 1, 2],
  ['\r\na\nb', 2, 2],
  ['a\nb\r', -1, 0],
  ['', -1, 0],
] as const)('the first blank line of %j ends at %i, the last at %i', ([text, first, last]) => {
  expect(endOfEvent(Buffer.from(text), 0, 0)).toBe(first);
  expect(endOfLastEvent(Buffer.from(text), 0)).toBe(last);
});

test.for([
  ['\nb', '\r', false, 1],
  ['\nb', '\r', true, 1],
  ['\nb', '\n', false, 0],
  ['b', '\r', false, 0],
  ['b', 'a', true, 0],
  ['b', 'a', false, -1],
] as const)('in %j behind %j (between events: %s) a line begins at %i', ([text, last, isBetween, at]) => {
  expect(lineStartIn(Buffer.from(text), last.charCodeAt(0), isBetween)).toBe(at);
});

test('a line that has begun before is not blank', () => {
  expect(endOfEvent(Buffer.from('\na\n\n'), 0, -1)).toBe(4);
  expect(endOfEvent(Buffer.from('\n\n'), 0, -1)).toBe(2);
});

test('the last is where going from one to the next ends', () => {
  const text = fc
    .array(fc.constantFrom('a', '\n', '\r', '\r\n'), { maxLength: 12 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (given) => {
      const chunk = Buffer.from(given);
      const start = lineStartIn(chunk, LF, true);
      let end = start;
      for (let next = endOfEvent(chunk, start, start); next !== -1; next = endOfEvent(chunk, next, next))
        end = next;
      expect(endOfLastEvent(chunk, start)).toBe(end);
    }),
    { numRuns: 2_000 },
  );
});

test('going from one to the next finds each that a look of its own finds', () => {
  const text = fc
    .array(fc.constantFrom('a', '\n', '\r', '\r\n'), { maxLength: 16 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (given) => {
      const chunk = Buffer.from(given);
      const expected: number[] = [];
      for (let end = endOfEvent(chunk, 0, 0); end !== -1; end = endOfEvent(chunk, end, end))
        expected.push(end);
      expect(endsOf(chunk)).toEqual(expected);
    }),
    { numRuns: 2_000 },
  );
});

describe('time in proportion to their length cost', () => {
  const SIZE = 32_768;
  const chunks = (unit: string) => {
    const of = (size: number) => Buffer.from(`:${unit.repeat(size / unit.length)}`);
    return new Map([SIZE, 4 * SIZE].map((size) => [size, of(size)]));
  };

  test.for(['\n', '\r', ':\n\n', ':\r\r', 'a\n', 'a\r'])(
    'events and lines that end with %j alone',
    (unit) => {
      const given = chunks(unit);
      const run = (size: number) => endsOf(given.get(size) ?? Buffer.alloc(0));
      expect(growthOf(run, SIZE)).toBeLessThan(11);
    },
  );

  test.for(['a\n', 'a\r'])('lines that end with %j, before which there is no blank one', (unit) => {
    const given = chunks(unit);
    const run = (size: number) => endOfLastEvent(given.get(size) ?? Buffer.alloc(0), 0);
    expect(growthOf(run, SIZE)).toBeLessThan(11);
  });
});
