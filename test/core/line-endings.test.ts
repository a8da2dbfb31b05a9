import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOfEvent, endOfLastEvent, LF, lineStartIn } from '../../functions/core/line-endings.ts';

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
