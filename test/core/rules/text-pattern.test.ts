import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTextPattern, TextPatterns } from '../../../functions/core/rules/text-pattern.ts';
import { runProgram } from '../../../functions/core/rules/text-program.ts';

const PLENTY = 10_000_000;

function matches(pattern: string, text: string): boolean | undefined {
  const parsed = parseTextPattern(pattern);
  if (!parsed.ok) throw new Error(parsed.error);
  return runProgram(parsed.value.program, text, { stepsLeft: PLENTY });
}

describe('a pattern matches', () => {
  test.for([
    ['abc', 'xabcx', true],
    ['^abc$', 'abc', true],
    ['^abc$', 'abc\n', false],
    ['^abc$', '\nabc', false],
    ['^a|b$', 'ax', true],
    ['^(?:a|b)$', 'ax', false],
    ['^[A-Z]{2,5}$', 'ACME', true],
    ['^[A-Z]{2,5}$', 'A', false],
    ['^[A-Z]{2,5}$', 'ACMEXX', false],
    ['^[A-Z]{2}$', 'AB', true],
    ['^[A-Z]{2,}$', 'ABCDEFG', true],
    ['^\\d+\\.\\d{2}$', '12.50', true],
    ['^\\d+$', '١٢', false],
    ['^[^/]*$', 'a/b', false],
    ['^[-_a-]+$', 'a-_', true],
    ['^[\\d-]+$', '1-2', true],
    ['^[\\]\\\\]$', ']', true],
    ['^.$', '😀', true],
    ['^.$', '\n', false],
    ['^(a(b)?)+$', 'aaba', true],
    ['^(|x)y$', 'y', true],
    ['^()*$', '', true],
    ['^(a*)*$', 'aaa', true],
    ['^x{0}$', '', true],
    ['^\\w\\W\\s\\S\\D\\t\\r\\n$', 'a-\u00a0bc\t\r\n', true],
    ['$^', '', true],
    ['a^', 'a', false],
    ['[]', 'a', false],
    ['[^]', '\n', true],
    ['', '', true],
  ] as const)('%s in %j: %s', ([pattern, text, expected]) => {
    expect(matches(pattern, text)).toBe(expected);
    expect(new RegExp(pattern, 'u').test(text)).toBe(expected);
  });

  test('what JavaScript’s own engine says that it matches', () => {
    const leaf = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\d', '^', '$', '\\.');
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `${one}${other}`),
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(${one}|${other})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}'))
          .map(([one, many]) => `(?:${one})${many}`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (one, other) => {
        expect(matches(one, other)).toBe(new RegExp(one, 'u').test(other));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a pattern that cannot be run in one pass is an error:', () => {
  test.for([
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<name>a)',
    '(a)\\1',
    '\\k<n>',
    '\\ba',
    '\\p{L}',
    '\\u0041',
    '\\x41',
    '\\c',
    '\\0',
    'a*?',
    'a**',
    'a{2}{3}',
    '*a',
    '+',
    '?',
    '{2}',
    'a{',
    'a{2',
    'a{,3}',
    'a{x}',
    'a{3,2}',
    'a{999}',
    'a{1,999}',
    '(',
    '(a',
    'a)',
    '[a',
    '[b-a]',
    '[a-\\d]',
    '[\\D]',
    '[[:alpha:]]',
    ']',
    '}',
    '\\',
    'é\\é',
    '('.repeat(17) + ')'.repeat(17),
    'a'.repeat(257),
    '((a{200}){200}){200}',
    '(a|b){256}(a|b){256}',
  ])('%s', (pattern) => {
    expect(parseTextPattern(pattern).ok).toBe(false);
  });
});

test.for([
  ['^a$', true],
  ['^$', true],
  ['^a$|^b$', true],
  ['^(a|b)$', true],
  ['^a|b$', false],
  ['^a', false],
  ['a$', false],
  ['(^a$)', false],
  ['(^a$)b', false],
  ['', false],
] as const)('%s leaves nothing around a match: %s', ([pattern, expected]) => {
  const parsed = parseTextPattern(pattern);
  expect(parsed.ok && parsed.value.isWhole).toBe(expected);
});

describe('its cost', () => {
  test.for(['^(a+)+$', '^(a|a)*$', '^(a*)*b$', '(x+x+)+y', '^(a?){50}a{50}$'])(
    'grows with the text and no faster: %s',
    (pattern) => {
      const program = new TextPatterns().programOf(pattern);
      const cost = (length: number) => {
        const budget = { stepsLeft: PLENTY };
        runProgram(program, `${'a'.repeat(length)}!`, budget);
        return PLENTY - budget.stepsLeft;
      };
      expect(cost(2_000)).toBeLessThan(2.2 * cost(1_000));
    },
  );

  test('is bounded: what cannot be told within the budget is not told', () => {
    const program = new TextPatterns().programOf('^a*$');
    expect(runProgram(program, 'a'.repeat(100), { stepsLeft: 50 })).toBe(undefined);
  });
});

test.for(['^(((((){256}){256}){256}){256}){256}$', '^(((|){256}){0}(){9})$'])(
  'repeats of nothing are written out once: %s',
  (pattern) => {
    expect(matches(pattern, '')).toBe(true);
    expect(matches(pattern, 'a')).toBe(false);
  },
);

test('the patterns of a policy are compiled once', () => {
  const patterns = new TextPatterns();
  expect(patterns.programOf('^a$')).toBe(patterns.programOf('^a$'));
  expect(() => patterns.programOf('(')).toThrow(Error);
  // What is no text is a bug, and not a mistake in a pattern.
  expect(() => parseTextPattern(JSON.parse('{}'))).toThrow(TypeError);
});
