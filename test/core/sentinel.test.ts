import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSentinel, isHeaderText } from '../../functions/core/sentinel.ts';

const encode = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

test.for([
  ['printable ASCII', 'route ~!', true],
  ['a tab', 'a\tb', true],
  ['nothing', '', true],
  ['a line feed', 'a\nb', false],
  ['DEL', '\u007f', false],
  ['Latin-1', '\u00e9', false],
  ['a no-break space', '\u00a0', false],
  ['another script', '\u0431', false],
] as const)('%s may stand in a header: %s', ([, value, may]) => {
  expect([isHeaderText(value), decodeSentinel(value)]).toEqual([may, may ? value : undefined]);
});

describe('a value is itself where it is no sentinel', () => {
  test.for([
    'route',
    '=?base64?',
    '?=',
    '=?base64?x',
    '=?base64',
    '=?base32?x?=',
    'x=?base64?cm91dGU=?=',
    '=?',
  ])('%s', (value) => {
    expect(decodeSentinel(value)).toBe(value);
  });
});

describe('nothing is what could be read in two ways', () => {
  test.for([
    ['capitals', '=?BASE64?cm91dGU=?='],
    ['one capital', '=?Base64?cm91dGU=?='],
    ['marks that share a character', '=?base64?='],
    ['no padding', '=?base64?cm91dGU?='],
    ['too much padding', '=?base64?cm91dGU==?='],
    ['loose bits', '=?base64?cm91dGV=?='],
    ['a space', '=?base64?cm91 dGU=?='],
    ['the URL alphabet', '=?base64?Pz8_?='],
    ['no Base64', '=?base64?!!!!?='],
    ['no UTF-8', '=?base64?/w==?='],
    ['an overlong form', '=?base64?wK8=?='],
    ['a surrogate', '=?base64?7aCA?='],
  ] as const)('%s', ([, value]) => {
    expect(decodeSentinel(value)).toBe(undefined);
  });
});

describe('laws', () => {
  test('a name survives its encoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        if (!name.isWellFormed()) return;
        expect(decodeSentinel(encode(name))).toBe(name);
      }),
    );
  });

  test('no two sentinels stand for one name', () => {
    fc.assert(
      fc.property(fc.base64String(), fc.nat(), fc.constantFrom(...'AB/+=_- '), (text, at, letter) => {
        const changed =
          text.slice(0, at % (text.length + 1)) + letter + text.slice((at % (text.length + 1)) + 1);
        const [one, other] = [text, changed].map((encoded) => decodeSentinel(`=?base64?${encoded}?=`));
        if (changed !== text && one !== undefined) expect(other).not.toBe(one);
      }),
      { numRuns: 2_000 },
    );
  });
});
