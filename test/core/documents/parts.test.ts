import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  byteOffset,
  countCharacters,
  findCharacters,
  isText,
  PART_BYTES,
  type Part,
  planSplice,
  splitContent,
} from '../../../functions/core/documents/parts.ts';

const character = fc.constantFrom('a', 'ß', '語', '😀', '\n');
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Text of up to three pieces, so that boundaries fall anywhere in a character. */
const longText = fc
  .tuple(fc.array(character, { maxLength: 5 }), character, fc.integer({ min: 0, max: 3 * PART_BYTES }))
  .map(([prefix, filling, bytes]) => {
    const times = Math.floor(bytes / bytesOf(filling).length);
    return prefix.join('') + filling.repeat(times);
  });

describe('content in pieces', () => {
  test('is all of it, none too large, and each piece of a text is text', () => {
    fc.assert(
      fc.property(longText, (text) => {
        const content = bytesOf(text);
        const parts = splitContent(content);
        expect(Buffer.concat(parts.map((part) => part.content)).equals(content)).toBe(true);
        expect(parts.every((part) => part.content.length > 0 && part.content.length <= PART_BYTES)).toBe(
          true,
        );
        expect(parts.reduce((sum, { chars }) => sum + (chars ?? Number.NaN), 0)).toBe([...text].length);
      }),
      { numRuns: 20 },
    );
  });

  test('has no characters where it is not text', () => {
    expect(
      splitContent(Buffer.alloc(PART_BYTES + 9, 0x80)).map(({ content, chars }) => [content.length, chars]),
    ).toEqual([
      [PART_BYTES, null],
      [9, null],
    ]);
    expect(splitContent(new Uint8Array())).toEqual([]);
  });
});

test.for<[string, number[], boolean]>([
  ['nothing', [], true],
  ['a byte order mark, which is a character like any other', [0xef, 0xbb, 0xbf, 0x61], true],
  ['half a character', [0xc3], false],
  ['a long form of a short character', [0xc0, 0xaf], false],
  ['half a surrogate pair', [0xed, 0xa0, 0x80], false],
])('text is well-formed UTF-8: %s', ([, bytes, expected]) => {
  expect(isText(Uint8Array.from(bytes))).toBe(expected);
  expect(countCharacters(Uint8Array.from(bytes)) !== null).toBe(expected);
});

test('a byte order mark is counted', () => {
  expect(countCharacters(bytesOf('\ufeffa'))).toBe(2);
});

test('the place of a character is where its bytes start', () => {
  fc.assert(
    fc.property(fc.array(character), fc.nat(40), fc.nat(40), (characters, from, count) => {
      const text = bytesOf(characters.join(''));
      const start = byteOffset(text, from);
      expect(start).toBe(bytesOf(characters.slice(0, from).join('')).length);
      expect(byteOffset(text, count, start)).toBe(bytesOf(characters.slice(0, from + count).join('')).length);
    }),
  );
});

const partsOf = (sizes: readonly number[]): readonly Part[] =>
  sizes.map((bytes, index) => ({ key: `k${index}`, bytes, chars: bytes }));

describe('a splice', () => {
  test('keeps whole pieces around a range that is all of what changed', () => {
    const splice = fc
      .tuple(
        fc.array(fc.integer({ min: 1, max: PART_BYTES }), { maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        fc.nat(2 * PART_BYTES),
      )
      .map(([sizes, start, length, newBytes]) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const startByte = start % (total + 1);
        return {
          sizes,
          range: { startByte, endByte: startByte + (length % (total - startByte + 1)), newBytes },
        };
      });
    fc.assert(
      fc.property(splice, ({ sizes, range }) => {
        const parts = partsOf(sizes);
        const { before, after, startByte, endByte } = planSplice(parts, range);
        const bytes = (some: readonly Part[]) => some.reduce((sum, part) => sum + part.bytes, 0);
        expect(bytes(before)).toBe(startByte);
        expect(bytes(parts) - bytes(after)).toBe(endByte);
        expect(startByte).toBeLessThanOrEqual(range.startByte);
        expect(endByte).toBeGreaterThanOrEqual(range.endByte);
        expect([...before, ...after].every((part) => parts.includes(part))).toBe(true);
      }),
    );
  });

  const full = partsOf(Array.from({ length: 64 }, () => PART_BYTES));

  test('at the end of 4 MiB stores the last piece again and no other', () => {
    const end = 64 * PART_BYTES - 10;
    const { before, after, startByte } = planSplice(full, { startByte: end, endByte: end, newBytes: 5 });
    expect([before.length, after.length, startByte]).toEqual([63, 0, 63 * PART_BYTES]);
  });

  test('at the very end continues the last piece', () => {
    const { before } = planSplice(partsOf([PART_BYTES, 10]), {
      startByte: PART_BYTES + 10,
      endByte: PART_BYTES + 10,
      newBytes: 5,
    });
    expect(before).toHaveLength(1);
  });

  test('that leaves a crumb takes the next piece with it', () => {
    const { before, after } = planSplice(full, { startByte: 5, endByte: PART_BYTES, newBytes: 0 });
    expect([before.length, after.length]).toEqual([0, 62]);
  });

  test('of a document in crumbs stores all of it again', () => {
    const { before, after } = planSplice(partsOf(Array.from({ length: 20 }, () => 1)), {
      startByte: 3,
      endByte: 4,
      newBytes: 1,
    });
    expect([before, after]).toEqual([[], []]);
  });

  test('into nothing keeps nothing', () => {
    const nothing = planSplice([], { startByte: 0, endByte: 0, newBytes: 9 });
    expect(nothing).toEqual({ before: [], after: [], startByte: 0, endByte: 0 });
  });
});

describe('characters', () => {
  const parts: readonly Part[] = [
    { key: 'a', bytes: 9, chars: 3 },
    { key: 'b', bytes: 4, chars: 4 },
    { key: 'c', bytes: 8, chars: 2 },
  ];
  test.for<[number, number, string, number]>([
    [0, 3, 'a', 0],
    [2, 4, 'ab', 2],
    [3, 7, 'b', 0],
    [4, 9, 'bc', 1],
    [0, 9, 'abc', 0],
    [9, 9, '', 0],
  ])('from %i to %i are in the pieces %s', ([start, end, keys, skipChars]) => {
    const found = findCharacters(parts, start, end);
    expect(found?.parts.map(({ key }) => key).join('')).toBe(keys);
    if (keys !== '') expect(found?.skipChars).toBe(skipChars);
  });

  test('are in no pieces that were not counted', () => {
    expect(findCharacters([{ key: 'a', bytes: 9, chars: null }], 0, 1)).toBeUndefined();
  });
});
