import { mutate, toBytes } from './mutate.ts';
import type { Random } from './random.ts';

/** Names that some reader takes for one another, names that some readers treat apart, and others. */
const NAMES = [
  ...['a', 'b', 'A', 'id', 'ID', 'Id', '\u0131d', '\u0130d', 'i\u0307d', 'k', '\u212a', 's', '\u017f', 'S'],
  ...['name', 'Name', 'NAME', 'params', 'param\u017f', 'PARAMS', 'uri', 'ur\u0130', 'method', 'Method'],
  ...['arguments', 'Arguments', 'argument\u017f', '_meta', '_Meta', '__proto__', 'constructor', 'toString'],
  ...['\u00df', '\u1e9e', 'ss', 'SS', '\u00e9', '\u00c9', 'e\u0301', '\u03c3', '\u03c2', '\u03a3', '\u03c9'],
  ...['\u2126', '\u00e5', '\u212b', '\ufb00', 'ff', '\u01c6', '\u01c5', '\u01c4', '\u{10400}', '\u{10428}'],
  ...['', '\0', '\n', '"', '\\', '\u007f', '\ufeff', '\u2028', '0', '01', '-1', 'length', '\u00a0a', 'a '],
];
const NUMBERS = [
  ...['0', '-0', '1', '-1', '1.0', '0.10', '1e5', '1E+5', '1e-7', '1e400', '-1e400', '12345678901234567890'],
  ...['9007199254740993', '0.1000000000000000055511151231257827', '01', '1.', '.5', '+1', '1e', '0x10'],
  ...['NaN'],
];
const TEXTS = [
  ...['', 'x', 'route', '\u00e9', '\u{1f600}', 'a\nb', '\0', '\u2028', '\\', '"', '</script>', '\ufeff'],
];
const SPACE = ['', '', '', '', ' ', '\n', '\t', '\r\n', '  '];
const BAD_SPACE = ['\f', '\v', '\u00a0', '\ufeff', '\0', '\u2028', '/**/', '//\n'];

/** Pieces for damage below the level of values, as bytes. */
export const JSON_PIECES: readonly string[] = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\\u0061', '\\ud83d', '\\ude00', '\\u0000', '\\x41'],
  ...['0', '1', '-', '.', 'e', 'E', '+', ' ', '\n', '\t', '\0', '\v', 'true', 'false', 'null', '{}', '[]'],
  ...['"a":1,', ',"a":1', '{"a":', '["', '"]', '\xef\xbb\xbf', '\xff', '\xc0\xaf', '\xed\xa0\x80'],
  ...['\xf4\x90'],
  ...['\xc5\xbf', '\xe2\x84\xaa', '\xc4\xb0', '\xc2\xa0', '\xe2\x80\xa8', '"__proto__":{},', "'", '/', '#'],
];

/** How odd a text may be: the share of places, in percent, where something unusual is written. */
export type Oddity = { readonly spelling: number; readonly fault: number };

/** The bytes of a body: a message, or JSON of any shape, a share of it damaged. */
export function bodyBytes(random: Random): string {
  const oddity = { spelling: random.pick([0, 20, 60]), fault: random.pick([0, 0, 5, 30]) };
  const choice = random.below(20);
  const text =
    choice === 0 ? deepText(random) : choice < 10 ? messageText(random, oddity) : jsonText(random, oddity);
  const bytes = toBytes(random.chance(2) ? `\ufeff${text}` : text);
  return random.chance(40) ? mutate(random, bytes, JSON_PIECES) : bytes;
}

function messageText(random: Random, oddity: Oddity): string {
  const text = (value: string) => stringText(random, value, oddity);
  const params = objectText(random, oddity, [
    ['name', text(random.pick(['route', 'erase', '']))],
    ['arguments', jsonText(random, oddity, 3)],
    ...random.list(1, () => ['_meta', '{"progressToken":1}'] as const),
  ]);
  return objectText(random, oddity, [
    ['jsonrpc', text('2.0')],
    ['id', random.pick(['1', '"a"', 'null', '1.0', '12345678901234567890'])],
    ['method', text(random.pick(['tools/call', 'tools/list', 'resources/read']))],
    ['params', params],
  ]);
}

/** JSON of any shape, mostly well-formed, often with members that are, or look, the same. */
export function jsonText(random: Random, oddity: Oddity, depth = 0): string {
  const kind = random.below(depth > 5 ? 4 : 7);
  if (kind === 0) return random.pick(['true', 'false', 'null']);
  if (kind === 1) return random.pick(random.chance(oddity.fault) ? NUMBERS : NUMBERS.slice(0, 14));
  if (kind <= 3) return stringText(random, random.pick(random.chance(50) ? TEXTS : NAMES), oddity);
  if (kind === 4)
    return arrayText(
      random,
      oddity,
      random.list(3, () => jsonText(random, oddity, depth + 1)),
    );
  const members = random.list(4, () => [random.pick(NAMES), jsonText(random, oddity, depth + 1)] as const);
  return objectText(random, oddity, members);
}

/** An array inside arrays and objects, about as deep as is allowed. */
export function deepText(random: Random): string {
  const levels = 60 + random.below(9);
  const opened = Array.from({ length: levels }, () => random.pick(['[', '{"a":']));
  const closed = opened.map((open) => (open === '[' ? ']' : '}')).reverse();
  return `${opened.join('')}${random.pick(['1', '""', '[]', '{}'])}${closed.join('')}`;
}

/** An object of members whose values are texts already. A share of them comes again: the same, escaped, or in another case. */
export function objectText(
  random: Random,
  oddity: Oddity,
  members: readonly (readonly [name: string, text: string])[],
): string {
  const written = members.flatMap((member) => {
    if (!random.chance(oddity.fault)) return [member];
    const [name, text] = member;
    const other = random.chance(50) ? text : jsonText(random, { spelling: 0, fault: 0 }, 5);
    const again = random.chance(30) ? name : otherCase(random, name);
    const twice = [member, [again, other] as const];
    if (random.chance(30)) return [[again, text] as const];
    return random.chance(50) ? twice : twice.reverse();
  });
  const space = () => spaceText(random, oddity);
  const parts = written.map(
    ([name, text]) => `${space()}${stringText(random, name, oddity)}${space()}:${space()}${text}${space()}`,
  );
  return `{${parts.join(',')}${random.chance(oddity.fault / 8) ? ',' : ''}}`;
}

function arrayText(random: Random, oddity: Oddity, items: readonly string[]): string {
  const parts = items.map((item) => `${spaceText(random, oddity)}${item}${spaceText(random, oddity)}`);
  return `[${parts.join(',')}]`;
}

/** A string, a share of its characters escaped though they need not be. */
export function stringText(random: Random, text: string, oddity: Oddity): string {
  const plain = JSON.stringify(text);
  if (!random.chance(oddity.spelling)) return plain;
  const escaped = Array.from({ length: text.length }, (_, at) => {
    const unit = text.charAt(at);
    if (unit === '/' && random.chance(50)) return '\\/';
    const digits = text.charCodeAt(at).toString(16).padStart(4, '0');
    return random.chance(40)
      ? `\\u${random.chance(50) ? digits : digits.toUpperCase()}`
      : JSON.stringify(unit).slice(1, -1);
  });
  return `"${escaped.join('')}"`;
}

/** White space, a share of it of a kind that JSON does not have. */
export function spaceText(random: Random, oddity: Oddity): string {
  if (random.chance(oddity.fault / 10)) return random.pick(BAD_SPACE);
  return random.chance(oddity.spelling) ? random.pick(SPACE) : '';
}

/** The text in other cases, letter by letter, with the letters that only some readers fold. */
export function otherCase(random: Random, text: string): string {
  const changed = Array.from(text, (letter) => {
    switch (random.below(4)) {
      case 0:
        return letter.toUpperCase();
      case 1:
        return letter.toLowerCase();
      case 2:
        return { s: '\u017f', k: '\u212a', i: random.pick(['\u0131', '\u0130']) }[letter] ?? letter;
      default:
        return letter;
    }
  });
  return changed.join('');
}
