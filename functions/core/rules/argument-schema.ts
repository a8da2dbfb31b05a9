import { isJsonArray, isJsonObject, type Json, JsonNumber } from '../json.ts';
import { compareNumbers, isIntegral, isTooLong, sayOfNumber } from './exact-number.ts';
import type { SchemaNames } from './member-names.ts';
import type { TextPatterns } from './text-pattern.ts';
import { runProgram, type StepBudget } from './text-program.ts';

/** The types of JSON Schema. */
export type JsonType = 'null' | 'boolean' | 'object' | 'array' | 'string' | 'number' | 'integer';

/** What a value must be like, as it is stored: a subset of JSON Schema. Numbers are kept as they were written. */
export type ArgumentSchema = {
  readonly type?: readonly JsonType[];
  /** JSON texts of scalars. */
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: readonly (readonly [string, ArgumentSchema])[];
  readonly additionalProperties?: false | ArgumentSchema;
  readonly minimum?: string;
  readonly maximum?: string;
  readonly exclusiveMinimum?: string;
  readonly exclusiveMaximum?: string;
  /** In Unicode characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: ArgumentSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
};

/**
 * What a value fails: `argument` is its path (`filter.region`, `ids[]`), empty for the arguments as a whole; `constraint` completes "it …".
 * Neither ever holds the value. `isKnown` false: it could not be told whether it holds, because the value is too long to be looked at, or
 * because two readers take it for different things.
 */
export type ArgumentFailure = {
  readonly argument: string;
  readonly constraint: string;
  readonly isKnown: boolean;
};

const MAX_SHOWN_VALUES = 20;

const TOO_LONG = 'is too long to be looked at';

/** What is made ready once for all the schemas of a policy. */
export type SchemaParts = { readonly patterns: TextPatterns; readonly names: SchemaNames };

/**
 * The first thing that is wrong with the arguments of a call; undefined where they are as the schema says. One that is known comes before
 * those that are not, because it proves that they are otherwise. What is looked at is charged to the budget: values, members, what they are
 * compared with, characters of texts, and steps of patterns.
 */
export function checkArguments(
  schema: ArgumentSchema,
  value: Json,
  parts: SchemaParts,
  budget: StepBudget,
): Found {
  return check(schema, value, '', { budget, parts });
}

type Work = { readonly budget: StepBudget; readonly parts: SchemaParts };

type Found = ArgumentFailure | undefined;

type Check = (schema: ArgumentSchema, value: Json, path: string, work: Work) => Found;

const CHECKS: readonly Check[] = [checkType, checkEnum, checkNumber, checkString, checkArray, checkObject];

function check(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  if (!isPaid(work, 1)) return unknown(path, TOO_LONG);
  let unsure: Found;
  for (const part of CHECKS) {
    const found = part(schema, value, path, work);
    if (found?.isKnown) return found;
    unsure ??= found;
  }
  return unsure;
}

function checkType({ type }: ArgumentSchema, value: Json, path: string): Found {
  if (type === undefined) return undefined;
  let isSure = true;
  for (const one of type) {
    const verdict = isOfType(value, one);
    if (verdict === true) return undefined;
    if (verdict === undefined) isSure = false;
  }
  const constraint = `must be of type ${type.join(' or ')}`;
  return isSure ? failure(path, constraint) : unknown(path, constraint);
}

function isOfType(value: Json, type: JsonType): boolean | undefined {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return isJsonArray(value);
    case 'object':
      return isJsonObject(value);
    case 'number':
      return value instanceof JsonNumber;
    case 'integer':
      return value instanceof JsonNumber && sayOfNumber(value.lexeme, isIntegral);
    case 'boolean':
    case 'string':
      return typeof value === type;
  }
}

function checkEnum(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  const values = schema.enum;
  if (values === undefined) return undefined;
  if (!isPaid(work, values.length)) return unknown(path, TOO_LONG);
  const verdict = value instanceof JsonNumber ? isListedNumber(values, value) : isListed(values, value, work);
  if (verdict === true) return undefined;
  const shown = values.slice(0, MAX_SHOWN_VALUES).join(', ');
  const constraint = `must be ${values.length === 1 ? '' : 'one of '}${shown}${values.length > MAX_SHOWN_VALUES ? ', …' : ''}`;
  return verdict === false ? failure(path, constraint) : unknown(path, constraint);
}

function isListedNumber(values: readonly string[], value: JsonNumber): boolean | undefined {
  const numbers = values.filter((text) => /^[-0-9]/.test(text));
  if (numbers.length === 0) return false;
  if (isTooLong(value.lexeme)) return undefined;
  const double = value.toNumber();
  let isSure = true;
  for (const text of numbers) {
    // Numbers of which doubles differ are equal to no reader; it spares a list of many most comparisons.
    const verdict = Number(text) === double && compares(value, text, (order) => order === 0);
    if (verdict === true) return true;
    if (verdict === undefined) isSure = false;
  }
  return isSure ? false : undefined;
}

function isListed(
  values: readonly string[],
  value: Exclude<Json, JsonNumber>,
  work: Work,
): boolean | undefined {
  if (isJsonArray(value) || isJsonObject(value)) return false;
  if (typeof value === 'string') {
    // A text is shorter than its JSON, so a long one is never written again to be told from short ones.
    if (values.every((text) => text.length <= value.length)) return false;
    if (!isPaid(work, value.length)) return undefined;
  }
  return values.includes(JSON.stringify(value));
}

const BOUNDS = [
  ['minimum', 'must be at least', (order: number) => order >= 0],
  ['maximum', 'must be at most', (order: number) => order <= 0],
  ['exclusiveMinimum', 'must be more than', (order: number) => order > 0],
  ['exclusiveMaximum', 'must be less than', (order: number) => order < 0],
] as const;

function checkNumber(schema: ArgumentSchema, value: Json, path: string): Found {
  if (!(value instanceof JsonNumber)) return undefined;
  let unsure: Found;
  for (const [keyword, words, holds] of BOUNDS) {
    const bound = schema[keyword];
    if (bound === undefined) continue;
    const verdict = compares(value, bound, holds);
    if (verdict === false) return failure(path, `${words} ${bound}`);
    if (verdict === undefined) unsure ??= unknown(path, `${words} ${bound}`);
  }
  return unsure;
}

function compares(
  { lexeme }: JsonNumber,
  text: string,
  holds: (order: number) => boolean,
): boolean | undefined {
  return sayOfNumber(lexeme, (number) => {
    const order = compareNumbers(number, text);
    return order === undefined ? undefined : holds(order);
  });
}

function checkString(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  const { minLength, maxLength, pattern } = schema;
  if (typeof value !== 'string') return undefined;
  if (minLength !== undefined || maxLength !== undefined) {
    if (!isPaid(work, value.length)) return unknown(path, TOO_LONG);
    const length = lengthOf(value);
    if (length < (minLength ?? 0)) return failure(path, `must have at least ${minLength} characters`);
    if (length > (maxLength ?? length)) return failure(path, `must have at most ${maxLength} characters`);
  }
  if (pattern === undefined) return undefined;
  const constraint = `must match ${pattern}`;
  if (value.length > work.budget.stepsLeft) return unknown(path, constraint);
  const isMatch = runProgram(work.parts.patterns.programOf(pattern), value, work.budget);
  if (isMatch === true) return undefined;
  return isMatch === false ? failure(path, constraint) : unknown(path, constraint);
}

/** Characters of Unicode (JSON Schema validation §6.3.1), not the units of a text. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function checkArray(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  const { items, minItems = 0, maxItems } = schema;
  if (!isJsonArray(value)) return undefined;
  if (value.length < minItems) return failure(path, `must have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems)
    return failure(path, `must have at most ${maxItems} items`);
  if (items === undefined) return undefined;
  let unsure: Found;
  for (const item of value) {
    const found = check(items, item, `${path}[]`, work);
    if (found?.isKnown) return found;
    unsure ??= found;
  }
  return unsure;
}

function checkObject(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  const { required = [], properties = [], additionalProperties } = schema;
  if (!isJsonObject(value)) return undefined;
  if (!isPaid(work, properties.length + required.length + value.size)) return unknown(path, TOO_LONG);
  const names = work.parts.names.of(schema);
  // What is missing may be there for another reader, so nothing more is said of such an object.
  if (names.hasLookalike(value)) return unknown(path, 'has a member that could be taken for another one');
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  for (const name of required) if (!value.has(name)) return failure(inside(name), 'is required');
  let unsure: Found;
  for (const [name, schemaOfIt] of properties) {
    const member = value.get(name);
    const found = member === undefined ? undefined : check(schemaOfIt, member, inside(name), work);
    if (found?.isKnown) return found;
    unsure ??= found;
  }
  if (additionalProperties === undefined) return unsure;
  for (const [name, member] of value) {
    if (names.properties.has(name)) continue;
    // What such a member is called is the caller's word, which no text of ours repeats.
    if (additionalProperties === false)
      return failure(path, `may have no member but ${[...names.properties].join(', ')}`);
    const found = check(additionalProperties, member, inside('*'), work);
    if (found?.isKnown) return found;
    unsure ??= found;
  }
  return unsure;
}

function isPaid({ budget }: Work, steps: number): boolean {
  budget.stepsLeft -= steps;
  return budget.stepsLeft >= 0;
}

function failure(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: true };
}

function unknown(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: false };
}
