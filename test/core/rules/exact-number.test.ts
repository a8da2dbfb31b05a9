import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNumbers, isIntegral } from '../../../functions/core/rules/exact-number.ts';

describe('numbers are compared as what they say', () => {
  test.for([
    ['9007199254740993', '9007199254740992', 1],
    ['0.30000000000000004', '0.3', 1],
    ['0.1', '0.10000000000000000001', -1],
    ['1e400', '1e399', 1],
    ['1e400', '100', 1],
    ['-1e400', '100', -1],
    ['1e-400', '0', 1],
    ['-1e-400', '0', -1],
    ['0', '-0.0e5', 0],
    ['100', '1e2', 0],
    ['100', '1.00E+2', 0],
    ['0.001e5', '100', 0],
    ['120', '12', 1],
    ['-120', '-12', -1],
    ['-5', '-50', 1],
    ['99', '100', -1],
    ['-99', '-100', 1],
    ['2', '19', -1],
    ['1e999999999999999', '1e999999999999998', 1],
    ['1e+00000000000000001', '10', 0],
    ['1e-00000000000000001', '0.1', 0],
    ['1e00000000000000001', '10', 0],
    ['2'.repeat(400), '1'.repeat(400), 1],
  ] as const)('%s against %s', ([left, right, order]) => {
    expect(Math.sign(compareNumbers(left, right) ?? Number.NaN)).toBe(order);
    expect(Math.sign(compareNumbers(right, left) ?? Number.NaN)).toBe(order === 0 ? 0 : -order);
  });

  test('as decimals of few digits are', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: -99999n, max: 99999n }), fc.nat({ max: 6 }), fc.integer({ min: -8, max: 8 }))
      .map(([digits, places, power]) => {
        const sign = digits < 0n ? '-' : '';
        const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0');
        const whole = text.slice(0, text.length - places).replace(/^0+(?=.)/, '');
        const fraction = places === 0 ? '' : `.${text.slice(text.length - places)}`;
        return {
          lexeme: `${sign}${whole}${fraction}e${power}`,
          scaled: digits * 10n ** BigInt(power - places + 20),
        };
      });
    fc.assert(
      fc.property(decimal, decimal, (one, other) => {
        const order = one.scaled < other.scaled ? -1 : one.scaled > other.scaled ? 1 : 0;
        expect(Math.sign(compareNumbers(one.lexeme, other.lexeme) ?? Number.NaN)).toBe(order);
      }),
      { numRuns: 2_000 },
    );
  });

  test.for([`1${'0'.repeat(400)}`, '1e1000000000000000', `1e-${'9'.repeat(300)}`])(
    'a number of no measure is compared with nothing: %#',
    (lexeme) => {
      expect(compareNumbers(lexeme, '1')).toBe(undefined);
      expect(compareNumbers('1', lexeme)).toBe(undefined);
      expect(isIntegral(lexeme)).toBe(undefined);
    },
  );
});

test.for([
  ['1', true],
  ['-7', true],
  ['1.0', true],
  ['1e2', true],
  ['1.50e1', true],
  ['0.0', true],
  ['0e-9', true],
  ['1.5', false],
  ['1e-1', false],
  ['9007199254740993.1', false],
  ['1.25e1', false],
] as const)('%s is a whole number: %s', ([lexeme, expected]) => {
  expect(isIntegral(lexeme)).toBe(expected);
});

test('a number of more than 400 characters is compared with none', () => {
  expect(compareNumbers('1'.repeat(401), '1')).toBeUndefined();
  expect(compareNumbers('1', '1'.repeat(401))).toBeUndefined();
  expect(isIntegral('1'.repeat(400))).toBe(true);
  expect(isIntegral('1'.repeat(401))).toBeUndefined();
});
