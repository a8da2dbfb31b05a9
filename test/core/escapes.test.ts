import { expect, test } from 'vitest';
import { readEscapes } from '../../functions/core/escapes.ts';

const read = (text: string) => readEscapes(Buffer.from(text)).bytes.toString();

test.for([
  ['&#128512;', '😀'],
  ['&#x1F600;', '😀'],
  ['&#228;', 'ä'],
  ['&#x110000;', '&#x110000;'],
  ['\\ud83d\\ude00', '😀'],
  ['%F0%9F%98%80', '😀'],
  ['&amp;#37;61', 'a'],
  ['%2561', 'a'],
  ['\\u005c\\u0075\\u0030\\u0030\\u0036\\u0031', 'a'],
  ['\\u005c\\u006e', '\n'],
  ['\\\\u0061', 'a'],
  ['&#x5c;&#x78;&#x36;&#x31;', 'a'],
  ['%5c%75%30%30%36%31', 'a'],
  ['\\&#92;&#110;', '\n'],
  ['\\u0\\u0030\\x361', 'a'],
  ['\\u00zz', 'u00zz'],
  ['\\xzz', 'xzz'],
  ['%zz', '%zz'],
  ['a;b', 'a;b'],
  ['%;', '%;'],
  [`&${'a'.repeat(64)};`, `&${'a'.repeat(64)};`],
] as const)('%s stands for %s', ([written, meant]) => {
  expect(read(written)).toBe(meant);
});

test('where a character was begun to be written is known, and the end where there is none more', () => {
  const { bytes, startOf } = readEscapes(Buffer.from('a%62&#99;d'));
  expect(bytes.toString()).toBe('abcd');
  expect([0, 1, 2, 3, 4].map(startOf)).toEqual([0, 1, 4, 9, 10]);
});

test.for([
  ['&quot&#x3b', 0],
  ['a%25%36', 1],
  ['a&#37;3', 1],
  ['\\u00%3', 0],
  ['&#3\\u003', 0],
  ['&#&#5', 0],
  ['&a%bz', 5],
  [`%${'25'.repeat(80)}%`, 161],
  ['%%', 0],
] as const)('what %s may still become begins at %i', ([text, at]) => {
  const { settled, startOf } = readEscapes(Buffer.from(text));
  expect(startOf(settled)).toBe(at);
});

test('escapes in escapes are taken away as far as one character is written in 128 bytes', () => {
  const nested = (times: number) => `%${'25'.repeat(times)}61`;
  expect(read(nested(10))).toBe('a');
  expect(read(nested(80))).toMatch(/^%25(?:25)+61$/);
});
