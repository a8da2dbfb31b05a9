import { expect, test } from 'vitest';
import { joinLines } from '../../functions/core/base64-trace.ts';

test.for([
  ['ab\ncd', 'abcd', [0, 1, 3, 4]],
  ['ab\r\n \tcd', 'abcd', [0, 1, 6, 7]],
  ['ab\n\ncd', 'ab\ncd', [0, 1, 2, 4, 5]],
] as const)('of %j joined to %j it is known where each byte was', ([text, joined, places]) => {
  const { bytes, indexOf } = joinLines(Buffer.from(text));
  expect(bytes.toString()).toBe(joined);
  expect(places.map((_, index) => indexOf(index))).toEqual(places);
});
