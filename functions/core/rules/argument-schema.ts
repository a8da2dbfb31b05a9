import { foldName, isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject } from '../json.ts';
import { compareNumbers, isIntegral, sayOfNumber } from './exact-number.ts';
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

/** Characters and steps of patterns for one decision, and values that are looked at. */
const MAX_WORK = 1_000_000;

const MAX_SHOWN_VALUES = 20;

const TOO_LONG = 'is too long to be looked at';

/**
 * The first thing that is wrong with the arguments of a call; undefined where they are as the schema says. One that is known comes before
 * those that are not, because it proves that they are otherwise.
 */
export function checkArguments(schema: ArgumentSchema, value: Json, patterns: TextPatterns): Found {
  return check(schema, value, '', { stepsLeft: MAX_WORK, patterns });
}

type Work = StepBudget & { readonly patterns: TextPatterns };

type Found = ArgumentFailure | undefined;

type Check = (schema: ArgumentSchema, value: Json, path: string, work: Work) => Found;

const CHECKS: readonly Check[] = [
  checkType,
  checkEnum,
  (schema, value, path) => decisive(numberFailures(schema, value, path)),
  checkString,
  (...asked) => decisive(arrayFailures(...asked)),
  (...asked) => decisive(objectFailures(...asked)),
];

function check(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  work.stepsLeft -= 1;
  if (work.stepsLeft < 0) return unknown(path, TOO_LONG);
  return decisive(failuresOf(schema, value, path, work));
}

function* failuresOf(...asked: Parameters<Check>): Generator<Found> {
  for (const part of CHECKS) yield part(...asked);
}

/** The first that is known, else the first of all; nothing is looked at behind a known one. */
function decisive(failures: Iterable<Found>): Found {
  let unsure: Found;
  for (const one of failures) {
    if (one?.isKnown) return one;
    unsure ??= one;
  }
  return unsure;
}

function checkType({ type }: ArgumentSchema, value: Json, path: string): Found {
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
      return value instanceof JsonNumber && sayOfNumber(value.lexeme, isIntegral);
    case 'boolean':
    case 'string':
      return typeof value === type;
  }
}

function checkEnum(schema: ArgumentSchema, value: Json, path: string, work: Work): Found {
  const values = schema.enum;
  if (values === undefined) return undefined;
  work.stepsLeft -= values.length;
  if (work.stepsLeft < 0) return unknown(path, TOO_LONG);
  const verdicts = values.map((one) => isEqual(one, value));
  if (verdicts.includes(true)) return undefined;
  const shown = values.slice(0, MAX_SHOWN_VALUES).join(', ');
  const constraint = `must be ${values.length === 1 ? '' : 'one of '}${shown}${values.length > MAX_SHOWN_VALUES ? ', …' : ''}`;
  return verdicts.includes(undefined) ? unknown(path, constraint) : failure(path, constraint);
}

function isEqual(text: string, value: Json): boolean | undefined {
  if (value instanceof JsonNumber) {
    // Numbers of which doubles differ are equal to no reader; it spares a list of many most comparisons.
    if (!/^[-0-9]/.test(text) || Number(text) !== value.toNumber()) return false;
    return compares(value, text, (order) => order === 0);
  }
  return !isJsonArray(value) && !isJsonObject(value) && JSON.stringify(value) === text;
}

const BOUNDS = [
  ['minimum', 'must be at least', (order: number) => order >= 0],
  ['maximum', 'must be at most', (order: number) => order <= 0],
  ['exclusiveMinimum', 'must be more than', (order: number) => order > 0],
  ['exclusiveMaximum', 'must be less than', (order: number) => order < 0],
] as const;

function* numberFailures(schema: ArgumentSchema, value: Json, path: string): Generator<Found> {
  if (!(value instanceof JsonNumber)) return;
  for (const [keyword, words, holds] of BOUNDS) {
    const bound = schema[keyword];
    if (bound === undefined) continue;
    const verdict = compares(value, bound, holds);
    if (verdict === undefined) yield unknown(path, `${words} ${bound}`);
    else if (!verdict) yield failure(path, `${words} ${bound}`);
  }
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

function* arrayFailures(
  { items, minItems = 0, maxItems }: ArgumentSchema,
  value: Json,
  path: string,
  work: Work,
): Generator<Found> {
  if (!isJsonArray(value)) return;
  if (value.length < minItems) yield failure(path, `must have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems)
    yield failure(path, `must have at most ${maxItems} items`);
  if (items === undefined) return;
  for (const item of value) yield check(items, item, `${path}[]`, work);
}

function* objectFailures(schema: ArgumentSchema, value: Json, path: string, work: Work): Generator<Found> {
  const { required = [], properties = [], additionalProperties } = schema;
  if (!isJsonObject(value)) return;
  work.stepsLeft -= properties.length + required.length + value.size;
  if (work.stepsLeft < 0) return yield unknown(path, TOO_LONG);
  const names = new Set(properties.map(([name]) => name));
  // What is missing may be there for another reader, so nothing more is said of such an object.
  if (hasLookalike(value, [...names, ...required])) {
    return yield unknown(path, 'has a member that could be taken for another one');
  }
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  for (const name of required) if (!value.has(name)) yield failure(inside(name), 'is required');
  for (const [name, schemaOfIt] of properties) {
    const member = value.get(name);
    if (member !== undefined) yield check(schemaOfIt, member, inside(name), work);
  }
  if (additionalProperties === undefined) return;
  for (const [name, member] of value) {
    if (names.has(name)) continue;
    // What such a member is called is the caller's word, which no text of ours repeats.
    yield additionalProperties === false
      ? failure(path, `may have no member but ${[...names].join(', ')}`)
      : check(additionalProperties, member, inside('*'), work);
  }
}

/** Is there a member that some reader takes for a named one: by another case, or as what stands in for members that are missing? */
function hasLookalike(value: JsonObject, names: readonly string[]): boolean {
  if (names.length === 0) return false;
  const exact = new Set(names);
  const folded = new Set(names.map(foldName));
  for (const name of value.keys()) {
    if (name === '__proto__' || (!exact.has(name) && folded.has(foldName(name)))) return true;
  }
  return false;
}

function failure(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: true };
}

function unknown(argument: string, constraint: string): ArgumentFailure {
  return { argument, constraint, isKnown: false };
}
