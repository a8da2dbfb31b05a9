import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineFeeds } from '../../functions/core/line-feeds.ts';
import { growthOf } from '../support/growth.ts';

function written(pieces: readonly (string | Uint8Array)[]): string {
  const lines = new LineFeeds();
  const out = pieces.map((piece) => lines.push(typeof piece === 'string' ? Buffer.from(piece) : piece));
  return Buffer.concat(out).toString();
}

test.for([
  ['a\nb\n', 'a\nb\n'],
  ['a\r\nb\r\n', 'a\nb\n'],
  ['a\rb\r', 'a\nb\n'],
  ['\r\r\n\n\r', '\n\n\n\n'],
  ['é\u2028😀\r\n', 'é\u2028😀\n'],
  ['', ''],
] as const)('%j is written as %j, in any pieces', ([text, expected]) => {
  expect(written([text])).toBe(expected);
  expect(written(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toBe(expected);
});

test('a CR at the end of a chunk waits for nothing, and the LF that belongs to it comes no more', () => {
  const lines = new LineFeeds();
  const push = (text: string) => lines.push(Buffer.from(text)).toString();
  expect(['a\r', '', '\nb', '\n', 'c\r', '\r', '\n', '\n'].map(push)).toEqual([
    'a\n',
    '',
    'b',
    '\n',
    'c\n',
    '\n',
    '',
    '\n',
  ]);
});

test('bytes without a CR pass without a copy', () => {
  const chunk = Buffer.from('data: a\n\n');
  const passed = new LineFeeds().push(chunk);
  expect([passed.buffer === chunk.buffer, passed]).toEqual([true, chunk]);
});

test('it is what one reads who knows all three endings, however the stream is cut', () => {
  const bytes = fc.array(fc.constantFrom(13, 10, 97, 0xc3), { maxLength: 20 }).map((all) => Buffer.from(all));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (all, cuts) => {
      const places = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length];
      const pieces = places.slice(1).map((end, index) => all.subarray(places[index], end));
      const expected = all.toString('latin1').replaceAll(/\r\n|\r/g, '\n');
      expect(written(pieces)).toBe(Buffer.from(expected, 'latin1').toString());
    }),
    { numRuns: 1_000 },
  );
});

test('a chunk of CRs costs time in proportion to its length', () => {
  const run = (length: number) => void new LineFeeds().push(Buffer.alloc(length, '\r'));
  expect(growthOf(run, 20_000)).toBeLessThan(9);
});
