/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object; an absent member reads as `undefined`. */
export type JsonObject = { readonly [name: string]: Json | undefined };

/** Parses JSON text. @throws SyntaxError where it is not JSON */
export function parseJson(text: string): Json {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: JSON.parse makes nothing but JSON values
  return JSON.parse(text) as Json;
}

/** Is it a JSON object, not an array and not null? */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Is it a JSON array? */
export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value where it is an object, else an object without members. */
export function toObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value where it is an array, else an empty array. */
export function toArray(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** The value where it is a string, else `undefined`. */
export function toText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Parses JSON text that should be an object; `undefined` where it is anything else. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
