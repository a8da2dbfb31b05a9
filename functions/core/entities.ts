/** `&CounterClockwiseContourIntegral;` is none that stands for ASCII; the longest of those, and of the numbers, is shorter. */
export const MAX_ENTITY_BYTES = 14;

/** The named entities of ASCII (HTML §13.5). */
const ENTITIES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    '\t': 'Tab',
    '\n': 'NewLine',
    '!': 'excl',
    '"': 'quot QUOT',
    '#': 'num',
    $: 'dollar',
    '%': 'percnt',
    '&': 'amp AMP',
    "'": 'apos',
    '(': 'lpar',
    ')': 'rpar',
    '*': 'ast midast',
    '+': 'plus',
    ',': 'comma',
    '.': 'period',
    '/': 'sol',
    ':': 'colon',
    ';': 'semi',
    '<': 'lt LT',
    '=': 'equals',
    '>': 'gt GT',
    '?': 'quest',
    '@': 'commat',
    '[': 'lsqb lbrack',
    '\\': 'bsol',
    ']': 'rsqb rbrack',
    '^': 'Hat',
    _: 'lowbar UnderBar',
    '`': 'grave DiacriticalGrave',
    '{': 'lcub lbrace',
    '|': 'verbar vert VerticalLine',
    '}': 'rcub rbrace',
  }).flatMap(([character, names]) =>
    names.split(' ').map((name) => [name, character.charCodeAt(0)] as const),
  ),
);

/** The character that an entity of HTML stands for, by what is between `&` and `;`; undefined for none of Unicode, and for names beyond ASCII. */
export function codeOfEntity(name: string): number | undefined {
  const [, digits, hexDigits] = /^#(?:([0-9]+)|[xX]([0-9a-fA-F]+))$/.exec(name) ?? [];
  if (digits === undefined && hexDigits === undefined) return ENTITIES.get(name);
  const code = hexDigits === undefined ? Number(digits) : Number.parseInt(hexDigits, 16);
  return code <= 0x10ffff ? code : undefined;
}
