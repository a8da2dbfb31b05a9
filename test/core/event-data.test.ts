import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventData } from '../../functions/core/event-data.ts';
import { readEvent } from '../../functions/core/sse.ts';

/** The data of each event, as what is there and has not ended. */
function read(pieces: readonly Buffer[]): {
  readonly events: readonly string[];
  readonly ends: readonly number[];
  readonly ambiguous: number;
} {
  const events = [''];
  const ends: number[] = [];
  let passed = 0;
  let ambiguous = 0;
  const data = new EventData({
    data: (piece) => {
      events.push((events.pop() ?? '') + piece.toString('latin1'));
    },
    end: (at) => {
      events.push('');
      ends.push(passed + at);
    },
    ambiguous: () => {
      ambiguous += 1;
    },
  });
  for (const piece of pieces) {
    data.push(piece);
    passed += piece.length;
  }
  return { events, ends, ambiguous };
}

test.for([
  ['one', 'data: a\n\n', [' a\n', '']],
  ['several lines', 'data:a\ndata:b\n\n', ['a\nb\n', '']],
  ['CRLF and CR', 'data:a\r\n\r\ndata:b\r\r', ['a\n', 'b\n', '']],
  ['comments and other fields', ': data:x\nevent: data:\nid:1\ndat:y\ndatax:z\ndata:a\n\n', ['a\n', '']],
  ['byte order marks', '\uFEFF\uFEFFdata:a\n\n\uFEFFdata:b\n\n', ['a\n', '', '']],
  ['data without a colon', 'data\ndata:a\n\n', ['a\n', '']],
  ['one that is not over', 'data:a\n\ndata:b', ['a\n', 'b']],
] as const)('finds the data of %s', ([, text, expected]) => {
  expect(read([Buffer.from(text)]).events).toEqual(expected);
  const bytes = Array.from(Buffer.from(text), (byte) => Buffer.of(byte));
  expect(read(bytes).events).toEqual(expected);
});

test.for([
  ['a vertical tab', ': x\u000bdata: a', 1],
  ['a separator', 'event: x\u001ddata:a', 1],
  ['NEL', ': \u0085data:a', 1],
  ['the line break of Unicode, behind data that is none', ': data:x\u2028data:a', 1],
  ['the paragraph break of Unicode, twice', ': \u2029\nid:\u2029', 2],
  ['a break at the beginning', '\fdata:a', 1],
  ['letters alone', ': é… \t data:a\n: ą¨ù', 0],
  ['a break in data', 'data:\u2028data:a', 0],
] as const)('says of lines that are no data where some readers break them: %s', ([, text, count]) => {
  expect(read([Buffer.from(text)]).ambiguous).toBe(count);
  expect(read(Array.from(Buffer.from(text), (byte) => Buffer.of(byte))).ambiguous).toBe(count);
});

test('finds what a reader of whole events does, in whatever pieces', () => {
  const line = fc.constantFrom('data:a', 'data: b', 'data', ': c', 'id: 1', 'dat', '', '');
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 14 })
    .map((lines) => Buffer.from(lines.map(([text, end]) => text + end).join('')));
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200), { maxLength: 8 }), (bytes, cuts) => {
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const whole = read([bytes]);
      expect(read(pieces).events).toEqual(whole.events);
      const blocks = whole.ends.map((end, index) =>
        bytes.toString('latin1', whole.ends[index - 1] ?? 0, end),
      );
      for (const [index, block] of blocks.entries()) {
        const letters = (text: string) => text.replace(/\s/g, '');
        expect(letters(whole.events[index] ?? '')).toBe(letters(readEvent(block, index === 0).data));
      }
    }),
    { numRuns: 1_000 },
  );
});
