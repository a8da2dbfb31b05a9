import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeQuery } from '../../functions/core/query.ts';

test.for<readonly [readonly (readonly [string, string])[], string]>([
  [[], ''],
  [[['q', '']], '?q='],
  [
    [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ],
    '?a=1&b=2&a=3',
  ],
  [[['q', 'a b+c']], '?q=a%20b%2Bc'],
  [[['q', "-._~!'()*,:/?@[]"]], '?q=-._~%21%27%28%29%2A%2C%3A%2F%3F%40%5B%5D'],
  [[['naïve key', 'é😀']], '?na%C3%AFve%20key=%C3%A9%F0%9F%98%80'],
  [[['q', '\ud800']], '?q=%EF%BF%BD'],
])('%j is written %s', ([parameters, query]) => {
  expect(writeQuery(parameters)).toBe(query);
});

test('what is written is read as it was, by readers of forms and of URLs, and is what a URL keeps', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (parameters) => {
      const query = writeQuery(parameters);
      expect([...new URLSearchParams(query)]).toEqual(
        parameters.map((pair) => pair.map((one) => one.toWellFormed())),
      );
      expect(query).not.toContain('+');
      expect(new URL(`https://a/${query}`).search).toBe(query);
    }),
  );
});
