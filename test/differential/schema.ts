import { compareExact, isWhole, readExact } from './exact.ts';
import { mapping, Numeral, type Plain, texts } from './plain.ts';

/** Where a schema stands. */
export type Place = 'in a grant' | 'in a deny';

/**
 * Does a value of a call meet a constraint? Every keyword that is there has to hold. Those that are about another type than the value
 * say nothing of it: in a grant a `type` has to stand beside them, in a deny they hold.
 */
export function meets(schema: Plain, value: unknown, place: Place): boolean {
  const { type, required, properties, additionalProperties } = schema;
  const { items, minItems, maxItems, minLength, maxLength, minimum, maximum } = schema;
  if (type !== undefined && ![type].flat().some((one) => isOfType(value, String(one)))) return false;
  if ('const' in schema && !isSame(schema['const'], value)) return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].some((one) => isSame(one, value))) return false;

  if (value instanceof Numeral) {
    if (minimum !== undefined && compare(value, minimum) < 0) return false;
    if (maximum !== undefined && compare(value, maximum) > 0) return false;
    const { exclusiveMinimum: over, exclusiveMaximum: under } = schema;
    if (over !== undefined && compare(value, over) <= 0) return false;
    if (under !== undefined && compare(value, under) >= 0) return false;
  }
  if (typeof value === 'string') {
    const length = new Numeral(String([...value].length));
    if (minLength !== undefined && compare(length, minLength) < 0) return false;
    if (maxLength !== undefined && compare(length, maxLength) > 0) return false;
    if (typeof schema['pattern'] === 'string' && !new RegExp(schema['pattern'], 'u').test(value))
      return false;
  }
  if (Array.isArray(value)) {
    const length = new Numeral(String(value.length));
    if (minItems !== undefined && compare(length, minItems) < 0) return false;
    if (maxItems !== undefined && compare(length, maxItems) > 0) return false;
    const each = mapping(items);
    if (each !== undefined && !value.every((item) => meets(each, item, place))) return false;
  }
  const members = mapping(value);
  if (members === undefined) return true;
  const named = mapping(properties) ?? {};
  if (texts(required)?.some((name) => !Object.hasOwn(members, name))) return false;
  return Object.entries(members).every(([name, one]) => {
    const constraint = Object.hasOwn(named, name) ? mapping(named[name]) : undefined;
    return constraint === undefined ? additionalProperties !== false : meets(constraint, one, place);
  });
}

function isOfType(value: unknown, type: string): boolean {
  if (value === null) return type === 'null';
  if (value instanceof Numeral) {
    return type === 'number' || (type === 'integer' && isWhole(readExact(value.lexeme)));
  }
  if (Array.isArray(value)) return type === 'array';
  return typeof value === type;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Numeral && b instanceof Numeral) return compare(a, b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
  }
  const [left, right] = [mapping(a), mapping(b)];
  if (left === undefined || right === undefined) return a === b;
  const names = Object.keys(left);
  const isAsMany = names.length === Object.keys(right).length;
  return isAsMany && names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]));
}

function compare(a: unknown, b: unknown): number {
  if (!(a instanceof Numeral && b instanceof Numeral)) throw new TypeError('only numbers are compared');
  return compareExact(readExact(a.lexeme), readExact(b.lexeme));
}
