import type { ArgumentSchema, JsonType } from '../rules/argument-schema.ts';
import { parseTextPattern } from '../rules/text-pattern.ts';
import type { YamlReader } from './yaml-reader.ts';

const TYPES = ['null', 'boolean', 'object', 'array', 'string', 'number', 'integer'] as const;
const MAX_DEPTH = 8;
/** Schemas within one. */
const MAX_SCHEMAS = 100;
const MAX_NAMES = 200;
const MAX_LENGTH = 10_000_000;

const KEYS = [
  'type',
  'enum',
  'const',
  'required',
  'properties',
  'additionalProperties',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'pattern',
  'items',
  'minItems',
  'maxItems',
  'description',
] as const;

/** The types of which a keyword says anything; of a value of another type it holds (JSON Schema validation §6). */
const SAID_OF: Partial<Record<(typeof KEYS)[number], readonly JsonType[]>> = {
  required: ['object'],
  properties: ['object'],
  additionalProperties: ['object'],
  minimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
  exclusiveMinimum: ['number', 'integer'],
  exclusiveMaximum: ['number', 'integer'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  items: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
};

/**
 * Reads the `arguments` of a rule: for each tool a schema of all its arguments, in a subset of JSON Schema. An unknown keyword is an
 * error. In a grant a keyword needs the `type` that it says something of, because of any other type it holds: `maximum: 100` alone admits
 * the text "5000". In a deny that is what one wants.
 */
export function readArgumentSchemas(
  schemas: YamlReader,
  isDeny: boolean,
): readonly (readonly [string, ArgumentSchema])[] {
  const entries = schemas.entries();
  if (entries.length === 0 && (schemas.isEmpty || schemas.kind === 'map')) {
    schemas.problem('name a tool and write a schema of its arguments, or leave `arguments` out');
  }
  return entries.flatMap(([tool, schema]) => {
    const reading: Reading = { isDeny, schemas: 0 };
    if (schema.kind !== 'map') return schema.problem('write a schema: `{ required: [limit] }`') ?? [];
    // The arguments of a call are an object, whatever a schema says of them.
    return [[tool, readSchema(schema, reading, 1, ['object'])] as const];
  });
}

type Reading = { readonly isDeny: boolean; schemas: number };

function readSchema(
  schema: YamlReader,
  reading: Reading,
  depth: number,
  known: readonly JsonType[] = [],
): ArgumentSchema {
  reading.schemas += 1;
  if (depth > MAX_DEPTH || reading.schemas > MAX_SCHEMAS) {
    if (depth > MAX_DEPTH) schema.problem(`schemas nest ${MAX_DEPTH} deep at most`);
    else if (reading.schemas === MAX_SCHEMAS + 1)
      schema.problem(`write ${MAX_SCHEMAS} schemas for a tool at most`);
    return {};
  }
  const members = schema.members(...KEYS);
  const type = members.type === undefined ? undefined : readTypes(members.type);
  const types = type ?? known;
  for (const keyword of KEYS) {
    const needed = SAID_OF[keyword];
    if (members[keyword] === undefined || needed === undefined || reading.isDeny) continue;
    if (types.length > 0 && types.every((one) => needed.includes(one))) continue;
    members[keyword].problem(
      `write \`type: ${needed[0]}\` beside it: of another type \`${keyword}\` says nothing`,
    );
  }
  const constant = members.const?.json();
  const values = members.enum && bounded(members.enum, 'values').flatMap((item) => item.json() ?? []);
  const nested = (value: YamlReader) => {
    if (value.isEmpty) value.problem('write a schema here: `{ type: integer }`');
    return readSchema(value, reading, depth + 1);
  };
  for (const list of [members.required, members.properties]) {
    if (list?.isEmpty && list.kind === 'scalar') list.problem('write what is asked for, or leave it out');
  }
  if (members.enum !== undefined && members.const !== undefined) schema.problem('write `enum` or `const`');
  if (members.enum?.isEmpty) members.enum.problem('name a value: `enum: [a, b]`');
  const { additionalProperties: additional } = members;
  return {
    ...(type === undefined ? {} : { type }),
    ...(values === undefined ? {} : { enum: values }),
    ...(constant === undefined ? {} : { enum: [constant] }),
    ...(members.required === undefined
      ? {}
      : { required: bounded(members.required, 'names').flatMap((one) => one.string() ?? []) }),
    ...(members.properties === undefined
      ? {}
      : { properties: members.properties.entries().map(([name, value]) => [name, nested(value)] as const) }),
    ...(additional === undefined ? {} : readAdditional(additional, nested)),
    ...numbers(members),
    ...lengths(members),
    ...(members.pattern === undefined ? {} : { pattern: readPattern(members.pattern, reading.isDeny) }),
    ...(members.items === undefined ? {} : { items: nested(members.items) }),
  };
}

function readTypes(type: YamlReader): readonly JsonType[] {
  const read = type.kind === 'list' ? type.items() : [type];
  const types = read.flatMap((one) => one.oneOf(...TYPES) ?? []);
  return types.length === 0 && type.isEmpty ? (type.problem('name a type') ?? []) : types;
}

/** `true` is the default, and bounds nothing. */
function readAdditional(
  additional: YamlReader,
  nested: (value: YamlReader) => ArgumentSchema,
): Pick<ArgumentSchema, 'additionalProperties'> {
  if (additional.kind === 'map') return { additionalProperties: nested(additional) };
  return additional.boolean() === false ? { additionalProperties: false } : {};
}

const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const;
const LENGTHS = ['minLength', 'maxLength', 'minItems', 'maxItems'] as const;

function numbers(
  members: Partial<Record<string, YamlReader>>,
): Partial<Record<(typeof NUMBERS)[number], string>> {
  return Object.fromEntries(
    NUMBERS.flatMap((name) => {
      const value = members[name]?.number();
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function lengths(
  members: Partial<Record<string, YamlReader>>,
): Partial<Record<(typeof LENGTHS)[number], number>> {
  return Object.fromEntries(
    LENGTHS.flatMap((name) => {
      const value = members[name]?.integer(0, MAX_LENGTH);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function bounded(list: YamlReader, what: string): readonly YamlReader[] {
  const items = list.items();
  if (items.length > MAX_NAMES) list.problem(`write ${MAX_NAMES} ${what} at most`);
  return items;
}

/** A grant by a pattern that is found anywhere in a text would grant whatever stands around it. */
function readPattern(pattern: YamlReader, isDeny: boolean): string {
  const text = pattern.string() ?? '';
  const parsed = parseTextPattern(text);
  if (!parsed.ok) pattern.problem(parsed.error);
  else if (!isDeny && !parsed.value.isWhole) {
    pattern.problem('begin with ^ and end with $, so that nothing stands around what matches');
  }
  return text;
}
