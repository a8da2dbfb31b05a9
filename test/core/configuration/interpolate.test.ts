// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references are what is tested
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { interpolate } from '../../../functions/core/configuration/interpolate.ts';
import { growthOf } from '../../support/growth.ts';
import { interpolated } from '../../support/interpolated.ts';

const env = {
  URL: 'https://api.example.com/v2?a=1&b=2',
  PORT: '8080',
  EMPTY: '',
  COLON: 'a: b # c',
  QUOTES: `it's "x" \\ y`,
  LINES: 'one\ntwo',
  BRACES: '{a}, [b]',
  RETURN: '\r',
  SIGNS: '\u007f\u2028\ufeff\uffff',
};

describe('a variable takes its value from the environment', () => {
  test.for([
    ['url: ${URL}', { url: env.URL }],
    ['url: ${URL}/path', { url: `${env.URL}/path` }],
    ['url: "${URL}/path"', { url: `${env.URL}/path` }],
    ["url: '${URL}'", { url: env.URL }],
    ['a: { url: ${URL}, b: [${PORT}, x] }', { a: { url: env.URL, b: [8080, 'x'] } }],
    ['port: ${PORT}', { port: 8080 }],
    ['port: "${PORT}"', { port: '8080' }],
    ['${PORT}: key', { '8080': 'key' }],
    ['a: ${PORT}${PORT}', { a: 80808080 }],
    ['a: ${UNSET:-http://127.0.0.1:8790/mcp}', { a: 'http://127.0.0.1:8790/mcp' }],
    ['a: { b: ${UNSET:-8} }', { a: { b: 8 } }],
    ['a: ${UNSET:-}', { a: '' }],
    ['a: ${EMPTY}', { a: '' }],
    ['a: ${EMPTY:-x}', { a: 'x' }],
    ['a: ${PORT:-1}', { a: 8080 }],
    ['a: |\n  # ${PORT}\n  b ${URL}\n', { a: `# 8080\nb ${env.URL}\n` }],
    ['- ${PORT}\n- &x ${URL}\n- *x', [8080, env.URL, env.URL]],
  ] as const)('%s', ([text, expected]) => {
    const result = interpolated(text, env);
    expect(result.missing).toEqual([]);
    expect(parse(result.text)).toEqual(expected);
  });
});

describe('a value stays a value, whatever its characters', () => {
  test.for([
    ['a: ${COLON}', { a: env.COLON }],
    ['a: x ${COLON} y', { a: `x ${env.COLON} y` }],
    ['a: "${QUOTES}"', { a: env.QUOTES }],
    ["a: 'it''s ${QUOTES}'", { a: `it's ${env.QUOTES}` }],
    ['a: ${LINES}', { a: env.LINES }],
    ["a: '${LINES}'", { a: env.LINES }],
    ['a: |\n  ${LINES}\n  end\nb: 1', { a: 'one\ntwo\nend\n', b: 1 }],
    ['a: [${BRACES}]', { a: [env.BRACES] }],
    ['a: ${RETURN}\nb: 1', { a: '\r', b: 1 }],
    ['a: ${SIGNS}\nb: "x${SIGNS}"', { a: env.SIGNS, b: `x${env.SIGNS}` }],
    ['a: x${RETURN}\nb: 1', { a: 'x\r', b: 1 }],
  ] as const)('%s', ([text, expected]) => {
    expect(parse(interpolated(text, env).text)).toEqual(expected);
  });

  test('no environment can add a key or change the type of a quoted scalar', () => {
    const place = fc.constantFrom(
      'a: ${V}\nb: 1',
      'a: "${V}"\nb: 1',
      "a: '${V}'\nb: 1",
      '{ a: "${V}", b: 1 }',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), place, (value, text) => {
        const document: unknown = parse(interpolated(text, { V: value }).text);
        expect(document).toEqual({ a: expect.anything(), b: 1 });
        if (text.includes('"') || text.includes("'")) expect(document).toEqual({ a: value, b: 1 });
      }),
    );
  });

  test('a value is not read for variables again', () => {
    expect(interpolated('a: ${V}', { V: '${PORT}', PORT: '1' }).text).toContain('${PORT}');
  });
});

describe('what is not a variable is left alone', () => {
  test.for([
    '# ${UNSET} in a comment\na: 1',
    'a: 1 # ${UNSET}',
    'a: $UNSET',
    'a: "${}"',
    'a: "${1X}"',
    'a: plain text, 100% # done',
  ])('%s', (text) => {
    expect(interpolated(text, env)).toEqual({ text, missing: [] });
  });

  test('a name of an object’s prototype is not a variable', () => {
    expect(interpolated('a: "${constructor}"', {}).missing).toEqual([{ name: 'constructor', line: 1 }]);
  });
});

test('a missing variable is named with its line and stays as it was written', () => {
  const result = interpolated('a: ${ONE}\n# ${NOT_THIS}\nb:\n  - "${TWO}"\nc: { d: ${ONE} }\n', env);
  expect(result.missing).toEqual([
    { name: 'ONE', line: 1 },
    { name: 'TWO', line: 4 },
    { name: 'ONE', line: 5 },
  ]);
  expect(parse(result.text)).toEqual({ a: '${ONE}', b: ['${TWO}'], c: { d: '${ONE}' } });
});

test('`{stage}` in a flow mapping is text, as it is everywhere else', () => {
  const { text } = interpolated('a: { ref: sallyport/{stage}/clients/x }\nb: sallyport/{stage}/y', env);
  expect(parse(text)).toEqual({ a: { ref: 'sallyport/{stage}/clients/x' }, b: 'sallyport/{stage}/y' });
});

test('a default may name a secret of the stage', () => {
  const { text } = interpolated('a: ${UNSET:-sallyport/{stage}/x}', env);
  expect(parse(text)).toEqual({ a: 'sallyport/{stage}/x' });
});

test.for([
  ['a: ${B}: c\n', 1],
  ['a: 1\nb: [${C}', 2],
  ['a: {stage}{stage}: x: y\n', 1],
  [`a: ${'['.repeat(100)}\${B}`, 1],
] as const)('what is no YAML is resolved nowhere: %j', ([text, line]) => {
  const result = interpolate(text, { B: 'x', C: 'y' });
  expect(result.ok ? result.value : result.error.line).toBe(line);
});

test.for([
  ['a: 1\nb: &${B} 1\n', 2],
  ['a: &B 1\nb: *${B}\n', 2],
  ['a: !${B} 1\n', 1],
] as const)('a variable cannot stand in an anchor, an alias or a tag: %j', ([text, line]) => {
  const result = interpolate(text, { B: 'B' });
  expect(result.ok ? result.value : result.error).toEqual({
    line,
    message: 'write an anchor, an alias or a tag without variables',
  });
});

test.for([
  ['k: |\n  ${V}\n  # more\nj: 1\n', '  x'],
  ['k: |\n\n  ${E}${V}\nj: 1\n', ' x'],
  ['k: >-\n  ${V}\n', '\n x'],
  ['k: |\n  ${E}\n    x\n', ''],
] as const)('no value moves the beginning of a text of lines: %j', ([text, value]) => {
  const result = interpolate(text, { V: value, E: '' });
  expect(result.ok ? result.value : result.error).toMatchObject({
    message: 'a value that begins with a space cannot begin a text of lines; write the text in quotes',
  });
});

test('a text of lines may begin with a value, have spaces of one, and be empty', () => {
  const { text } = interpolated('a: |\n  ${V}\n  ${W}\nb: |\n  ${E}\n', { V: 'x', W: '  y', E: '' });
  expect(parse(text)).toEqual({ a: 'x\n  y\n', b: expect.stringMatching(/^\n?$/) });
});

test('no value writes a key behind a lone carriage return', () => {
  const result = interpolate('a:\n  b: |\n\r    ${V}\n', { V: 'x\nc: 1' });
  expect(result.ok ? result.value : result.error).toMatchObject({ line: 3 });
});

test('no line break of a value ends a text of several lines', () => {
  for (const lineBreak of ['\n', '\r', '\r\n']) {
    const value = `x${lineBreak}c: 1${lineBreak}d: 2`;
    const { text } = interpolated('a: |\n  y ${V}${V}\n  z\nb: >-\n    ${V}\n', { V: value });
    expect(parse(text)).toEqual({ a: 'y x\nc: 1\nd: 2x\nc: 1\nd: 2\nz\n', b: 'x c: 1 d: 2' });
  }
});

test.for([
  ['in a text of lines', (size: number) => `a: |\n${'  ${V}\n'.repeat(size)}`],
  ['in one line of a text', (size: number) => `a: |\n  ${'${V} '.repeat(size)}\n`],
  ['in one text', (size: number) => `a: ${'${V}'.repeat(size)}\n`],
  ['without an end', (size: number) => `a: 1\n#${'${V:-'.repeat(size)}\n`],
  ['in texts', (size: number) => '- ${V}\n'.repeat(size)],
] as const)('resolving variables %s takes time in proportion to the file', ([, textOf]) => {
  expect(growthOf((size) => interpolate(textOf(size), { V: 'x: "y"' }), 1_000)).toBeLessThan(10);
});

test('a value at the beginning of a line begins no document', () => {
  for (const value of ['--- x', '---', '... x', '...']) {
    expect(parse(interpolated('${V}: 1\nb: 2\n', { V: value }).text)).toEqual({ [value]: 1, b: 2 });
  }
});
