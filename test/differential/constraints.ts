import type { Random } from '../fuzz/random.ts';
import { Numeral } from './plain.ts';

const NUMBERS = [
  '0',
  '1',
  '-1',
  '100',
  '100.0',
  '1e2',
  '101',
  '0.1',
  '0.3',
  '0.30000000000000004',
  '1e400',
  '-0',
  '2.5',
];
const LARGE = ['9007199254740992', '9007199254740993', '9007199254740993.0'];
/** Of which a double holds less than is written. */
const LONG = ['100.00000000000000000001', '99.99999999999999999999', '2.50000000000000000001', '1e-400'];
const TEXTS = ['', 'a', 'ab', 'abc', 'A', 'é', '😀', 'eu-1', 'us-1', '1', 'a\nb'];
const PATTERNS = [
  '^[a-z]{1,2}$',
  '^.*$',
  '^(a|eu-\\d)$',
  '^\\w+$',
  '^[^a]*$',
  '^é?$',
  '^(a|ab)(c|bcd)?$',
  '^\\s*$',
  '^.$',
];
const NAMES = ['limit', 'region', 'deep'];

/** A constraint on one value; most are met by some of {@link aValue} and not by others. */
function aSchema(random: Random, depth: number): Record<string, unknown> {
  const number = () => new Numeral(random.pick([...NUMBERS, ...LARGE]));
  switch (random.below(depth > 0 ? 10 : 8)) {
    case 0:
      return { type: random.pick(['string', 'integer', 'number', 'boolean', 'object', 'array', 'null']) };
    case 1:
      return { type: random.pick(['integer', 'number']), maximum: number() };
    case 2:
      return { type: 'number', exclusiveMinimum: number() };
    case 3:
      return { enum: [random.pick(TEXTS), number(), random.pick([true, null, 'eu-1'])] };
    case 4:
      return { const: random.chance(50) ? number() : random.pick(TEXTS) };
    case 5:
      return { type: 'string', minLength: new Numeral('1'), maxLength: new Numeral(random.pick(['1', '2'])) };
    case 6:
      return { type: 'string', pattern: random.pick(PATTERNS) };
    case 7:
      return { type: 'number', exclusiveMaximum: number() };
    case 8:
      return {
        type: 'array',
        minItems: new Numeral('1'),
        items: aSchema(random, depth - 1),
        maxItems: new Numeral('2'),
      };
    default:
      return { type: 'object', ...anArgumentSchema(random, depth - 1) };
  }
}

/** A constraint on the arguments of a call. */
export function anArgumentSchema(random: Random, depth = 1): Record<string, unknown> {
  const names = NAMES.filter(() => random.chance(50));
  const properties = Object.fromEntries(names.map((name) => [name, aSchema(random, depth)]));
  const required = NAMES.filter(() => random.chance(30));
  return {
    properties,
    required: required.length > 0 ? required : undefined,
    additionalProperties: random.chance(25) ? false : undefined,
  };
}

function aValue(random: Random, depth: number): unknown {
  switch (random.below(depth > 0 ? 7 : 5)) {
    case 0:
    case 1:
      return new Numeral(random.pick([...NUMBERS, ...LARGE, ...LONG]));
    case 2:
    case 3:
      return random.pick(TEXTS);
    case 4:
      return random.pick([true, false, null]);
    case 5:
      return random.list(3, () => aValue(random, depth - 1));
    default:
      return someArguments(random, depth - 1);
  }
}

/** Arguments that are near to what {@link anArgumentSchema} asks for. */
export function someArguments(random: Random, depth = 1): Record<string, unknown> {
  const names = [...NAMES, 'other'].filter(() => random.chance(45));
  if (random.chance(5) && !names.includes('limit')) names.push('LIMIT');
  return Object.fromEntries(names.map((name) => [name, aValue(random, depth)]));
}
