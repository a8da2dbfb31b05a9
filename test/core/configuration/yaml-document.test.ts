import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { openYaml } from '../../../functions/core/configuration/yaml-document.ts';
import { keyName, toValue, type YamlNode } from '../../../functions/core/configuration/yaml-node.ts';

/** What a file says, as both parsers tell it: a scalar is its type, its value and its digits, a map a list of pairs. */
type Said = string | readonly Said[] | readonly (readonly [string, Said])[];

/** What another parser reads; undefined for what it refuses, and for what we refuse by rules of our own. */
function saidByOther(text: string): Said | undefined {
  const document = parseDocument(text, { version: '1.2', uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  const anchors = new Map<string, Said>();
  const read = (node: Node | null): Said => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) throw new RangeError('there is no such anchor');
      return target;
    }
    const said = readNew(node);
    if (node?.anchor !== undefined) anchors.set(node.anchor, said);
    return said;
  };
  const readNew = (node: Node | null): Said => {
    if (isSeq<Node>(node)) return node.items.map(read);
    if (!isMap<Node, Node | null>(node)) {
      return isScalar(node) ? saidOf(node.value, node.source ?? '') : 'null';
    }
    const names = node.items.map(({ key }) => (isScalar(key) ? (key.source ?? '') : ''));
    if (new Set(names).size < names.length) throw new RangeError('a key is repeated');
    return node.items.map(({ key, value }, index) => {
      read(key);
      return [names[index] ?? '', read(value)] as const;
    });
  };
  try {
    return read(document.contents);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What we read; undefined for what we refuse. */
function said(text: string): Said | undefined {
  let isSound = true;
  const { contents } = openYaml(text, () => {
    isSound = false;
  });
  const read = (node: YamlNode): Said => {
    const value = toValue(node);
    if (value.kind === 'list') return value.items.map(read);
    if (value.kind === 'map')
      return value.entries.map((entry) => [keyName(entry.key), read(entry.value)] as const);
    return saidOf(value.value, value.source);
  };
  if (!isSound) return undefined;
  return contents === undefined ? 'null' : read(contents);
}

function saidOf(value: unknown, source: string): Said {
  if (value === null) return 'null';
  return typeof value === 'string' ? `text ${value}` : `${typeof value} ${String(value)} ${source}`;
}

/** Pieces that make up files, most of them valid, in ways that nobody thinks of. */
const BEGINNING = fc.constantFrom('z: 1\n', 'z:\n  ', 'z:\n- ', 'z: {', 'z: [', 'z: [a, ', '');
const SCALARS = [
  'a',
  'x y',
  '1',
  '-1',
  '+1',
  '0x1F',
  '0o17',
  '1.5',
  '.5',
  '1.',
  '1e3',
  '1e999',
  '.inf',
  '-.INF',
  '.nan',
];
const WORDS = [
  'null',
  '~',
  'true',
  'True',
  'yes',
  '"q"',
  "'s'",
  '"a\\nb"',
  "'it''s'",
  '"',
  '<<: ',
  "'k': ",
  'a: ',
  'b: ',
  'c: ',
];
const SIGNS = [
  '- ',
  ', ',
  '[',
  ']',
  '{',
  '}',
  '{a: ',
  '[a, ',
  '&a ',
  '&b ',
  '*a',
  '*b',
  '!!str ',
  '!!int ',
  ' # c',
  ' ',
  '  ',
];
const LINES = [
  '\n',
  '\n  ',
  '\n    ',
  '\n- ',
  '\n  - ',
  '\na: ',
  '\nb: ',
  '\n  c: ',
  '\n]',
  '\n}',
  '|\n  ',
  '>\n  ',
  '|-\n    ',
];
const PIECE = fc.oneof(...[SCALARS, WORDS, SIGNS, LINES].map((pieces) => fc.constantFrom(...pieces)));
const FILE = fc
  .tuple(BEGINNING, fc.array(PIECE, { maxLength: 12 }), fc.constantFrom('', '}', ']', '\n]', '\n'))
  .map(([beginning, pieces, end]) => beginning + pieces.join('') + end);

test('whatever is read is what another parser reads in it, or refuses as a matter of taste', () => {
  let both = 0;
  fc.assert(
    fc.property(FILE, (text) => {
      const [ours, others] = [said(text), saidByOther(text)];
      if (ours === undefined || others === undefined) return;
      both += 1;
      expect(ours).toEqual(others);
    }),
    { numRuns: 5_000 },
  );
  expect(both).toBeGreaterThan(500);
});
