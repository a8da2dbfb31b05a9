import { isJsonArray, isJsonObject, type Json, JsonNumber } from '../json.ts';
import { compareNumbers, isIntegral } from './exact-number.ts';
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
 * Neither ever holds the value. `isKnown` false: it could not be told whether it holds, because the value is too long to be looked at.
 */
export type ArgumentFailure = {
  readonly argument: string;
  readonly constraint: string;
  readonly isKnown: boolean;
};

/** Characters and steps of patterns for one decision, and values that are looked at. */
const MAX_WORK = 1_000_000;

const MAX_SHOWN_VALUES = 20;

/** The first thing that is wrong with the arguments of a call; undefined where they are as the schema says. */
export function checkArguments(
  schema: ArgumentSchema,
  value: Json,
  patterns: TextPatterns,
): ArgumentFailure | undefined {
  return check(schema, value, '', { stepsLeft: MAX_WORK, patterns });
}

type Work = StepBudget & { readonly patterns: TextPatterns };

type Check = (schema: ArgumentSchema, value: Json, path: string, work: Work) => ArgumentFailure | undefined;

const CHECKS: readonly Check[] = [checkType, checkEnum, checkNumber, checkString, checkArray, checkObject];

function check(schema: ArgumentSchema, value: Json, path: string, work: Work): ArgumentFailure | undefined {
  work.stepsLeft -= 1;
  if (work.stepsLeft < 0) return unknown(path, 'is too long to be looked at');
  for (const part of CHECKS) {
    const failure = part(schema, value, path, work);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function checkType({ type }: ArgumentSchema, value: Json, path: string): ArgumentFailure | undefined {
  if (type === undefined) return undefined;
  const verdicts = type.map((one) => isOfType(value, one));
  if (verdicts.includes(true)) return undefined;
  const constraint = `must be of type ${type.join(' or ')}`;
  return verdicts.includes(undefined) ? unknown(path, constraint) : failure(path, constraint);
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
      return value instanceof JsonNumber && isIntegral(value.lexeme);
    case 'boolean':
    case 'string':
      return typeof value === type;
  }
}

function checkEnum(schema: ArgumentSchema, value: Json, path: string): ArgumentFailure | undefined {
  const values = schema.enum;
  if (values === undefined) return undefined;
  const verdicts = values.map((one) => isEqual(one, value));
  if (verdicts.includes(true)) return undefined;
  const shown = values.slice(0, MAX_SHOWN_VALUES).join(', ');
  const constraint = `must be ${values.length === 1 ? '' : 'one of '}${shown}${values.length > MAX_SHOWN_VALUES ? ', …' : ''}`;
  return verdicts.includes(undefined) ? unknown(path, constraint) : failure(path, constraint);
}

function isEqual(text: string, value: Json): boolean | undefined {
  if (value instanceof JsonNumber) {
    if (!/^[-0-9]/.test(text)) return false;
    const order = compareNumbers(value.lexeme, text);
    return order === undefined ? undefined : order === 0;
  }
  return !isJsonArray(value) && !isJsonObject(value) && JSON.stringify(value) === text;
}

const BOUNDS = [
  ['minimum', 'must be at least', (order: number) => order >= 0],
  ['maximum', 'must be at most', (order: number) => order <= 0],
  ['exclusiveMinimum', 'must be more than', (order: number) => order > 0],
  ['exclusiveMaximum', 'must be less than', (order: number) => order < 0],
] as const;

function checkNumber(schema: ArgumentSchema, value: Json, path: string): ArgumentFailure | undefined {
  if (!(value instanceof JsonNumber)) return undefined;
  for (const [keyword, words, holds] of BOUNDS) {
    const bound = schema[keyword];
    if (bound === undefined) continue;
    const order = compareNumbers(value.lexeme, bound);
    if (order === undefined) return unknown(path, `${words} ${bound}`);
    if (!holds(order)) return failure(path, `${words} ${bound}`);
  }
  return undefined;
}

function checkString(
  schema: ArgumentSchema,
  value: Json,
  path: string,
  work: Work,
): ArgumentFailure | undefined {
  const { minLength, maxLength, pattern } = schema;
  if (typeof value !== 'string') return undefined;
  if (minLength !== undefined || maxLength !== undefined) {
    const length = lengthOf(value);
    if (length < (minLength ?? 0)) return failure(path, `must have at least ${minLength} characters`);
    if (length > (maxLength ?? length)) return failure(path, `must have at most ${maxLength} characters`);
  }
  if (pattern === undefined) return undefined;
  const constraint = `must match ${pattern}`;
  if (value.length > work.stepsLeft) return unknown(path, constraint);
  const isMatch = runProgram(work.patterns.programOf(pattern), value, work);
  if (isMatch === true) return undefined;
  return isMatch === false ? failure(path, constraint) : unknown(path, constraint);
}

/** Characters of Unicode (JSON Schema validation §6.3.1), not the units of a text. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function checkArray(
  schema: ArgumentSchema,
  value: Json,
  path: string,
  work: Work,
): ArgumentFailure | undefined {
  const { items, minItems = 0, maxItems } = schema;
  if (!isJsonArray(value)) return undefined;
  if (value.length < minItems) return failure(path, `must have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems)
    return failure(path, `must have at most ${maxItems} items`);
  if (items === undefined) return undefined;
  for (const item of value) {
    const found = check(items, item, `${path}[]`, work);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkObject(
  schema: ArgumentSchema,
  value: Json,
  path: string,
  work: Work,
): ArgumentFailure | undefined {
  const { required = [], properties = [], additionalProperties } = schema;
  if (!isJsonObject(value)) return undefined;
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  const missing = required.find((name) => !value.has(name));
  if (missing !== undefined) return failure(inside(missing), 'is required');
  for (const [name, schemaOfIt] of properties) {
    const member = value.get(name);
    const found = member === undefined ? undefined : check(schemaOfIt, member, inside(name), work);
    if (found !== undefined) return found;
  }
  if (additionalProperties === undefined) return undefined;
  const known = new Set(properties.map(([name]) => name));
  for (const [name, member] of value) {
    if (known.has(name)) continue;
    // What such a member is called is the caller's word, which no text of ours repeats.
    if (additionalProperties === false)
      return failure(path, `may have no member but ${[...known].join(', ')}`);
    const found = check(additionalProperties, member, inside('*'), work);
    if (found !== undefined) return found;
  }
  return undefined;
}

function failure(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: true };
}

function unknown(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: false };
}
