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
  /** Is it so of the number as it is written, and of what a double makes of it? Where they differ nobody can tell. */
  const is = (asked: (one: unknown) => boolean) => {
    const exact = asked(value);
    return exact === asked(asDouble(value)) ? exact : place === 'in a deny';
  };
  if (type !== undefined && !is((one) => [type].flat().some((name) => isOfType(one, String(name)))))
    return false;
  if ('const' in schema && !is((one) => isSame(schema['const'], one))) return false;
  const values: unknown = schema['enum'];
  if (Array.isArray(values) && !is((one) => values.some((other) => isSame(other, one)))) return false;

  if (value instanceof Numeral) {
    if (minimum !== undefined && !is((one) => compare(one, minimum) >= 0)) return false;
    if (maximum !== undefined && !is((one) => compare(one, maximum) <= 0)) return false;
    const { exclusiveMinimum: over, exclusiveMaximum: under } = schema;
    if (over !== undefined && !is((one) => compare(one, over) > 0)) return false;
    if (under !== undefined && !is((one) => compare(one, under) < 0)) return false;
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
  const names = [...Object.keys(named), ...(texts(required) ?? [])];
  const isTakenForOne = (member: string) =>
    member === '__proto__' || names.some((name) => name !== member && isSameButForCase(name, member));
  if (
    names.length > 0 &&
    Object.keys(members).some((member) => !names.includes(member) && isTakenForOne(member))
  )
    return place === 'in a deny';
  if (texts(required)?.some((name) => !Object.hasOwn(members, name))) return false;
  return Object.entries(members).every(([name, one]) => {
    const constraint = Object.hasOwn(named, name) ? mapping(named[name]) : undefined;
    return constraint === undefined ? additionalProperties !== false : meets(constraint, one, place);
  });
}

/** The digits that are left of a number in a double; of what is too large for one, more than any number that is written here. */
function asDouble(value: unknown): unknown {
  if (!(value instanceof Numeral)) return value;
  const rounded = String(Number(value.lexeme));
  return new Numeral(rounded.replace('Infinity', '1e999'));
}

function isSameButForCase(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { sensitivity: 'accent' }) === 0;
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
