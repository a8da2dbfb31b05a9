import { type Json, type JsonObject, toArray, toObject } from '../json.ts';

/** A DynamoDB item as plain JSON: typed values become the values; binary ones stay in base64. */
export function toPlainItem(item: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toPlain(toObject(value))]));
}

function toPlain(value: JsonObject): Json {
  const [[type, content] = ['NULL', true]] = Object.entries(value);
  switch (type) {
    case 'N':
      return Number(content);
    case 'NS':
      return toArray(content).map(Number);
    case 'M':
      return toPlainItem(toObject(content));
    case 'L':
      return toArray(content).map((item) => toPlain(toObject(item)));
    case 'NULL':
      return null;
    default:
      return content ?? null;
  }
}
