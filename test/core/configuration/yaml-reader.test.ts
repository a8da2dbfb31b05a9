import { describe, expect, test } from 'vitest';
import { type ConfigurationProblem, YamlReader } from '../../../functions/core/configuration/yaml-reader.ts';
import { growthOf } from '../../support/growth.ts';

function open(text: string) {
  const problems: ConfigurationProblem[] = [];
  return { file: YamlReader.open('a.yml', text, problems), problems };
}

/** The problems of a file, as `line: message`, after reading one member `a` of it. */
function problemsOf(text: string, read: (value: YamlReader) => unknown): readonly string[] {
  const { file, problems } = open(text);
  const { a } = file.members('a');
  if (a !== undefined) read(a);
  return problems.map(({ line, message }) => `${line}: ${message}`);
}

test('a file without anything in it stands at its first line', () => {
  expect(open('').file.line).toBe(1);
  expect(open('# nothing\n').file.at).toBe('a.yml:1');
});

test.for<readonly [string, string]>([
  ['007: x\n', '007'],
  ['~: x\n', '~'],
  ['? a\n: x\n', 'a'],
])('the key of %j is %j', ([text, name]) => {
  expect(
    open(text)
      .file.entries()
      .map(([key]) => key),
  ).toEqual([name]);
});

describe('values have types, and a wrong one is a problem with its line and place', () => {
  test.for([
    ['a: x', 'string', 'x'],
    ['a: "1"', 'string', '1'],
    ['a: 1', 'string', undefined],
    ['a: true', 'string', undefined],
    ['a: ""', 'string', undefined],
    ['a:', 'string', undefined],
    ['a: [x]', 'string', undefined],
    ['a: true', 'boolean', true],
    ['a: false', 'boolean', false],
    ['a: "true"', 'boolean', undefined],
    ['a: yes', 'boolean', undefined],
    ['a: 1', 'boolean', undefined],
    ['a: [true]', 'boolean', undefined],
    ['a: 1.5', 'number', '1.5'],
    ['a: [1]', 'number', undefined],
    ['a:', 'boolean', undefined],
    ['a: [x, y]', 'strings', ['x', 'y']],
    ['a: []', 'strings', []],
    ['a:', 'strings', []],
  ] as const)('%j as %s is %j', ([text, type, value]) => {
    const { file, problems } = open(text);
    expect(file.members('a').a?.[type]()).toEqual(value);
    expect(problems.length).toBe(value === undefined ? 1 : 0);
  });

  test('whole numbers stay in their range', () => {
    const read = (value: YamlReader) => value.integer(2, 4);
    for (const good of ['2', '3', '4', '0x3']) expect(problemsOf(`a: ${good}`, read)).toEqual([]);
    for (const bad of ['1', '5', '2.5', '"3"', '-3', '.nan', '.inf', '1e99', 'null', 'x', '[3]']) {
      expect(problemsOf(`a: ${bad}`, read)).toEqual(['1: `a`: write a whole number from 2 to 4']);
    }
  });

  test.for([
    ['100ms', 100],
    ['5s', 5_000],
    ['1m', 60_000],
    ['60s', 60_000],
    ['99ms', undefined],
    ['61s', undefined],
    ['5', undefined],
    ['5 s', undefined],
    ['5S', undefined],
    ['0.5s', undefined],
    ['-5s', undefined],
    ['5s ', 5_000],
    ['"5s "', undefined],
    ['5h', undefined],
    ['5sm', undefined],
    ['1e3ms', undefined],
    ['99999999ms', undefined],
    ['', undefined],
    ['[5s]', undefined],
  ] as const)('the duration %j is %j ms', ([text, durationMs]) => {
    const { file } = open(`a: ${text}`);
    expect(file.members('a').a?.durationMs(100, 60_000)).toBe(durationMs);
  });

  test('every wrong value of a file is found at once', () => {
    const { file, problems } = open('a:\n  - 1\n  - x\n  - {}\nb: [\n  y,\n  []]\nc:\n  - 1\n');
    const { a, b } = file.members('a', 'b');
    expect([a?.strings(), b?.strings()]).toEqual([['x'], ['y']]);
    expect(problems).toEqual([
      { file: 'a.yml', line: 8, message: 'unknown key `c`; known here: a, b' },
      { file: 'a.yml', line: 2, message: '`a[0]`: write a text here' },
      { file: 'a.yml', line: 4, message: '`a[2]`: write a text here' },
      { file: 'a.yml', line: 7, message: '`b[1]`: write a text here' },
    ]);
  });

  test('a list is no map, and a map no list', () => {
    expect(problemsOf('a: [x]', (value) => value.entries())).toEqual([
      '1: `a`: write a map here (`name: value` lines)',
    ]);
    expect(problemsOf('a: {x: 1}', (value) => value.items())).toEqual([
      '1: `a`: write a list here (`- item` lines or `[a, b]`)',
    ]);
    expect(problemsOf('- a', () => {})).toEqual(['1: write a map here (`name: value` lines)']);
    expect(problemsOf('a: b\n---\na: c', () => {})).toHaveLength(1);
  });
});

describe('brackets that close below their key', () => {
  test.for([
    ['a: [\n  x\n]\nb: 1\n', 2, ['x']],
    ['a: [\n  x, # one\n  # two\n\n]\nb: 1\n', 2, ['x']],
    ['a: [\r\n  x, # one\r\n\r\n]\r\nb: 1\r\n', 2, ['x']],
    ['a: &k [\n  x\n]\nb: !!map { c: *k,\n}\n', 2, ['x']],
    ['a: [x#y, z, x\n]\nb: 1\n', 2, ['x#y', 'z', 'x']],
    ['a: [\n  "a\\u0062", # x\n  "y", # z\n]\nb: 1\n', 2, ['ab', 'y']],
    ["a: [it's, # x\n  don't, # y\n]\nb: 1\n", 2, ["it's", "don't"]],
    ["a: ['x', 'y\n  # z\n  ] x', b\n]\nb: 1\n", 2, ['x', 'y # z ] x', 'b']],
    ["a: [\n  \"x # y\", 'it''s', z#z # it's\n]\nb: 1\n", 2, ['x # y', "it's", 'z#z']],
    ['a: [x,\n  "y\n  ] z",\n]\nb: |\n  {\n  } # text\n', 2, ['x', 'y ] z']],
    ['b: {\n  c: [\n    1\n  ]\n}\na:\n  - x\n', 2, ['x']],
  ] as const)('%j', ([text, members, strings]) => {
    const { file, problems } = open(text);
    const { a, b } = file.members('a', 'b');
    expect([file.entries().length, a?.strings(), problems]).toEqual([members, strings, []]);
    expect(b?.line).toBe(text.split('\n').findIndex((line) => line.startsWith('b:')) + 1);
  });

  test('each key without a name has its line', () => {
    expect(open('a: b\n:\n\n:\n').problems.map(({ line }) => line)).toEqual([2, 4]);
  });

  test.for([
    ['a:\n- b: [c\n]\n', 'a'],
    ['a:\n- b: {c: d,\n}\n', 'a'],
    ['a:\n- - - [b,\n]\n', 'a'],
    ['a: [x,\n]\nb: |\n  ]\n  more\nc: 1\n', 'a,b,c'],
    ['a: [x,\n]\nb: >- # y\n\n  }\n  more\n', 'a,b'],
    ['a: [x,\n]\nb: |2\n  ]\n  more\n', 'a,b'],
  ] as const)('below anything: %j', ([text, names]) => {
    const { file, problems } = open(text);
    expect([
      file
        .entries()
        .map(([name]) => name)
        .join(),
      problems,
    ]).toEqual([names, []]);
  });

  test('change nothing of a text that has some', () => {
    const { file } = open('a: [\n]\nb: |\n  {\n    x # y\n  }\n');
    expect(file.members('b', 'a').b?.string()).toBe('{\n  x # y\n}\n');
  });
});

describe('tags of the core schema', () => {
  test.for([
    ['a: !!str 1', 'string', '1'],
    ['a: ! 1', 'string', '1'],
    ['a: !<tag:yaml.org,2002:str> 1', 'string', '1'],
    ['a: !!str', 'string', undefined],
    ['a: !!bool "true"', 'boolean', true],
    ['a: !!bool FALSE', 'boolean', false],
    ['a: !!float 1', 'number', '1'],
    ['a: !!float "1.5"', 'number', '1.5'],
    ['a: !!int "7"', 'number', '7'],
    ['a: !!null ~', 'strings', []],
    ['a: !!seq [x]', 'strings', ['x']],
    ['a: ! [x]', 'strings', ['x']],
  ] as const)('%j as %s is %j', ([text, type, value]) => {
    const { file, problems } = open(text);
    expect(file.members('a').a?.[type]()).toEqual(value);
    expect(problems.length).toBe(value === undefined ? 1 : 0);
  });

  test.for([
    '!!bool 1',
    '!!null x',
    '!!int 1.5',
    '!!float x',
    '!!binary aGk=',
    '!!set { a }',
    '!!str [a]',
    '!!map x',
    '!!seq {}',
  ])('do not fit %s', (value) => {
    const tag = value.split(' ')[0];
    expect(open(`a: ${value}`).problems).toEqual([
      { file: 'a.yml', line: 1, message: `the tag \`${tag}\` does not fit here; leave it out` },
    ]);
  });

  test('may come with a line that says what is read anyway', () => {
    const { file, problems } = open('%YAML 1.2\n---\na: !!map { x: 1 }\n');
    expect([file.members('a').a?.kind, problems]).toEqual(['map', []]);
  });
});

describe('names', () => {
  test('are as they are written', () => {
    const { file } = open('007: x\n~: x\ntrue: x\n1.0: x\n"q q": x\n1e3: x\n');
    expect(file.entries().map(([name]) => name)).toEqual(['007', '~', 'true', '1.0', 'q q', '1e3']);
  });

  test.for([
    ['a: 1\nb: 2\na: 3\n', ['3: the key `a` is repeated']],
    ['a: 1\n"a": 3\n', ['2: the key `a` is repeated']],
    ['1: x\n"1": y\n', ['2: the key `1` is repeated']],
    ['a: {b: 1, b: 2, b: 3}\n', ['1: the key `b` is repeated', '1: the key `b` is repeated']],
    ['x:\n  - deep:\n      y: 1\n      y: 2\n', ['4: the key `y` is repeated']],
  ] as const)('are not repeated: %j', ([text, expected]) => {
    const { file, problems } = open(text);
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual(expected);
    expect(file.entries()).toEqual([]);
  });

  test('without a value are members that hold nothing, never absent ones', () => {
    const { file, problems } = open('a:\nb: ~\nc: []\n');
    const { a, b, c, d } = file.members('a', 'b', 'c', 'd');
    expect([a?.isEmpty, b?.isEmpty, c?.isEmpty, d]).toEqual([true, true, true, undefined]);
    expect([a?.string(), b?.boolean(), c?.string()]).toEqual([undefined, undefined, undefined]);
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3]);
  });
});

describe('what is no YAML', () => {
  test.for([
    ['an open bracket', 'a: [1', 1],
    ['an open bracket, lines above what is missing', 'a: 1\nb: 2\nc: [1\nd: 2\n', 4],
    ['a value in a value', 'a: 1\nb: 2\nc: d: e\n', 3],
    ['a tab', 'a:\n\tb: 1', 2],
    ['bad indentation', 'a:\n    b: 1\n  c: 2', 3],
    ['an open quote', 'a: "x', 1],
    ['an open quote, at the end of the file', 'a: 1\n\n\nb: "x\n', 5],
    ['an escape that is none, over the end of a line', 'a: 1\nb: "\\x\n1"\n', 2],
    ['two documents', 'a: 1\n---\nb: 2', 2],
    ['nesting without end', `a: ${'['.repeat(20_000)}`, 1],
    ['blocks without end', `${'- '.repeat(5_000)}x`, 1],
    ['blocks without end, each with a tag', `a: 1\n${'- !t '.repeat(8_000)}x`, 2],
    ['blocks without end, each with an anchor', `${'- &a '.repeat(8_000)}x`, 1],
    ['blocks without end, each with both', `${'- !t &a '.repeat(8_000)}x`, 1],
    ['dashes without end', `a:\n${'- '.repeat(20_000)}`, 2],
    ['braces without end, on a line below', `a: [x]\nb: ${'{'.repeat(20_000)}`, 2],
    ['a bracket too many', `a: [x]]\n${'{'.repeat(20_000)}`, 1],
    ['a character that cannot be printed', 'a: 1\nb: "\u0001"', 2],
    ['a key behind a text, in a list below its key', "a:\n- 'x'b: 1", 2],
    ['a key behind a text and a space', "a:\n- 'x' b: 1", 2],
    ['a key behind a list', 'a:\n- [x] b: 1', 2],
    ['a key of several lines behind a text', "a:\n- 'x'? b\n", 2],
    ['an alias for a key behind a text', "a: &k 1\nb:\n- 'x' *k : 1", 3],
    ['a list for a key behind a text', "a:\n- 'x' [b]: 1", 2],
    ['a key that is a list', '? [a]\n: x\n', 1],
    ['a key that is an alias', 'a: &k x\nb: { *k : 1 }\n', 2],
    ['a key without a name', 'a: 1\n: x\n', 2],
    ['a key without a name, with an anchor', 'a:\n  &x : 1\n', 2],
    ['a key of no characters', 'a: 1\n"": x\n', 2],
    ['a colon in an anchor', 'a: &first_byte: 30s\n', 1],
    ['a colon within an anchor', 'a: 1\nb: &x:y\n', 2],
    ['what only some take for the end of a comment', 'a: 1\nb: 1 # x\rc: 1\n', 2],
    [
      'more brackets than can be put further in',
      `a: [\n]\n${' '.repeat(200)}# x\n${'b: [\n]\n'.repeat(6_000)}`,
      2,
    ],
    ['a character beyond all', 'a: 1\nb: "\\U00110000"\n', 2],
    ['a second document, begun behind spaces', '  --- a\n', 1],
    ['a sign behind a word, before an error', 'a: [x#y, z\n]\nb: c: d\n', 3],
    ['an error below brackets that close below their keys', 'a: [x\n]\nb: [\n]\nc: d: e\n', 5],
    ['a bracket that begins a line of a text, and none further in', 'a: [\n]\nb: x # y\n  ] z\n', 4],
    ['a bracket as a line of a text, and no other', 'a: "x\n] y"\n', 2],
    ['a bracket as a line of a text, which it may not be', 'a: [\n]\nb: x\n] z\n', 4],
    ['what only some take for the end of a line', 'a: x # y\u2028b: z\n', 1],
    ['what only some take for the end of a line, below others', 'a: 1\nb: "x\u0085y"\n', 2],
    ['text in brackets no further in than its key', 'a: [\nx\n]', 2],
    ['a tab behind a comma', 'a: [x,\ty]', 1],
    ['an open bracket before one that closes below its key', 'a: [[\n]\n', 3],
    ['another version of YAML', '%YAML 1.1\n---\na: yes\n', 1],
    ['a tag of its own', '%TAG !e! tag:example.com,2026:\n---\na: !e!x 1\n', 1],
    ['tags that are not of the core schema', 'a: 1\nb: !x y', 2],
    ['a text that is to be a number', 'a: 1\nb: !!int y', 2],
    ['a list that is to be a map', 'a: 1\nb: !!map\n  - y', 3],
    ['a map that is to be a list', 'a: 1\nb: !!seq { y: 1 }', 2],
    ['a value that is nested 65 deep', `a: ${'['.repeat(64)}1${']'.repeat(64)}`, 1],
  ] as const)('%s is a problem with its line and leaves nothing to read', ([, text, line]) => {
    const { file, problems } = open(text);
    expect(problems[0]?.line).toBe(line);
    expect(problems.every(({ message }) => !message.includes('\n'))).toBe(true);
    expect(file.entries()).toEqual([]);
  });

  test.for([
    ['dashes', '- '],
    ['brackets', '['],
    ['braces', '{'],
    ['questions', '? '],
    ['keys in brackets', '[a: '],
  ])('%s that nest too deep are one problem, however many there are', ([, unit = '']) => {
    expect(open(`${unit.repeat(8_000)}x`).problems).toEqual([
      { file: 'a.yml', line: 1, message: 'values nest 64 deep at most' },
    ]);
  });

  test('of many syntax errors the first is told, with its column', () => {
    expect(open(`a: 1\n${'b: c: d\n'.repeat(60)}`).problems).toEqual([
      {
        file: 'a.yml',
        line: 2,
        message:
          'not valid YAML at column 5: bad indentation of a mapping entry; begin each key of a map in one column, and put text with `: ` in quotes',
      },
    ]);
  });

  test('of many repeated keys the first 50 are told, and how many more there are', () => {
    const text = `a: 1\n${'a: 1\n'.repeat(60)}`;
    const { problems } = open(text);
    expect(problems).toHaveLength(51);
    expect(problems.slice(0, 50).map(({ line }) => line)).toEqual(
      Array.from({ length: 50 }, (_, index) => 2 + index),
    );
    expect(problems[50]).toEqual({
      file: 'a.yml',
      line: 52,
      message: 'there are 10 more problems from here on',
    });
    const few = open(text.split('\n').slice(0, 51).join('\n'));
    expect(few.problems).toHaveLength(50);
  });

  test('64 levels are read', () => {
    expect(open(`a: ${'['.repeat(63)}1${']'.repeat(63)}`).problems).toEqual([]);
  });

  test('an empty file is an empty map', () => {
    for (const text of ['', '\n', '# note\n', '---\n']) {
      const { file, problems } = open(text);
      expect([file.entries(), problems]).toEqual([[], []]);
    }
  });
});

describe('anchors', () => {
  test('stand for what was last written under their name, above', () => {
    const { file, problems } = open('x: &n [one]\na: *n\ny: &n [two]\nb: *n\n');
    const { a, b } = file.members('x', 'y', 'a', 'b');
    expect([a?.strings(), b?.strings(), problems]).toEqual([['one'], ['two'], []]);
  });

  test.for([
    ['a: *none\nb: 1\n', ['1: there is no anchor `&none` above']],
    ['a: *late\nb: &late 1\n', ['1: there is no anchor `&late` above']],
    ['a: &a [x, *a]\n', ['1: there is no anchor `&a` above']],
    ['a: [1, *x]\nb: *y\n', ['1: there is no anchor `&x` above', '2: there is no anchor `&y` above']],
  ] as const)('that are missing are problems, never nothing: %j', ([text, expected]) => {
    const { file, problems } = open(text);
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual(expected);
    expect(file.entries()).toEqual([]);
  });

  test('cannot multiply a file: a bound, one problem, and nothing in place of the rest', () => {
    const names = Array.from({ length: 40_000 }, (_, index) => `t${index}`).join(', ');
    const text = `a: &n [${names}]\nb: [*n, *n]\nc: [${'*n, '.repeat(2_000)}*n]\n`;
    const { file, problems } = open(text);
    const { a, b, c } = file.members('a', 'b', 'c');
    expect(a?.strings()).toHaveLength(40_000);
    expect(b?.items().map((item) => item.strings().length)).toEqual([40_000, 40_000]);
    expect(c?.items().reduce((sum, item) => sum + item.strings().length, 0)).toBe(0);
    expect(problems).toEqual([
      { file: 'a.yml', line: 3, message: '`c[0]`: aliases stand for more than 100000 values in this file' },
    ]);
  });

  test('that double nine times a line cost nothing', () => {
    const lines = Array.from(
      { length: 40 },
      (_, index) => `x${index}: &x${index} [${`*x${index - 1}, `.repeat(9)}1]`,
    );
    const { file, problems } = open(`x-1: &x-1 [1]\n${lines.join('\n')}\n`);
    expect(file.entries()).toHaveLength(41);
    expect(problems).toEqual([]);
  });
});

test.for([
  [
    'signs of comments before a lone carriage return',
    (size: number) => `k: [\n]\n${'>#'.repeat(size)}\rx\n]`,
  ],
  ['keys without names', (size: number) => `k: v${'\n'.repeat(size)}${':\n'.repeat(size)}`],
  ['brackets that close below their keys', (size: number) => 'k: [\n] # x\n'.repeat(size)],
  ['brackets that begin lines of texts', (size: number) => `k: [\n]\n${'k: "x\n ] y"\n'.repeat(size)}`],
  ['signs and comments before such a bracket', (size: number) => `k: [${'a# "x\'y # z\n '.repeat(size)}\n]`],
] as const)('reading %s takes time in proportion to the file', ([, textOf]) => {
  expect(growthOf((size) => open(textOf(size)), 1_000)).toBeLessThan(10);
});

test('a file of a hundred thousand keys is read', () => {
  const { file, problems } = open(Array.from({ length: 100_000 }, (_, index) => `k${index}: v`).join('\n'));
  expect(file.entries()).toHaveLength(100_000);
  expect(problems).toEqual([]);
});

test('the texts of a file are found wherever they stand, and there are none in an empty one', () => {
  expect(open('a: x\nb: [1, y, {c: z}]\n').file.texts()).toEqual(['x', 'y', 'z']);
  expect(open('').file.texts()).toEqual([]);
});

test('a name alone holds nothing, and stands where it is written', () => {
  const { file, problems } = open('a:\n  { b,\n    c: x }\n');
  const { a } = file.members('a');
  const { b, c } = a?.members('b', 'c') ?? {};
  expect([b?.isEmpty, b?.line, c?.string()]).toEqual([true, 2, 'x']);
  expect(b?.string()).toBeUndefined();
  expect(problems).toEqual([{ file: 'a.yml', line: 2, message: '`a.b`: write a text here' }]);
});
