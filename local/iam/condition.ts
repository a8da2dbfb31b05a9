import { isObject, type Json, toArray } from '../json.ts';

/** What a condition is asked about: keys in lower case, each with its values. */
export type ContextKeys = ReadonlyMap<string, readonly string[]>;

/** A comparison of one value with one pattern in which policy variables are still to be replaced. */
type Comparison = (value: string, pattern: string, keys: ContextKeys) => boolean;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  StringEquals: (value, pattern, keys) => value === replaceVariables(pattern, keys, (text) => text),
  StringLike: (value, pattern, keys) => isLike(value, pattern, keys),
};

/**
 * Does a statement's `Condition` hold? Undefined where it has an operator or a value that is not understood here: then nobody may rely on
 * it. Understood are `StringEquals` and `StringLike`, alone and with `ForAllValues:`, and `Null`.
 */
export function holds(condition: Json | undefined, keys: ContextKeys): boolean | undefined {
  if (condition === undefined) return true;
  if (!isObject(condition)) return undefined;
  let result: boolean | undefined = true;
  for (const [operator, tests] of Object.entries(condition)) {
    if (!isObject(tests)) return undefined;
    for (const [key, expected] of Object.entries(tests)) {
      const patterns = listOf(expected);
      const one =
        patterns === undefined ? undefined : test(operator, keys.get(key.toLowerCase()), patterns, keys);
      if (one === undefined) return undefined;
      result = result && one;
    }
  }
  return result;
}

/** Is a text like a pattern, in which `*` is any characters, `?` is one, and a policy variable is the value that it stands for? */
export function isLike(text: string, pattern: string, keys: ContextKeys): boolean {
  const source = replaceVariables(
    pattern,
    keys,
    (value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
    (literal) =>
      literal
        .replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.'),
  );
  return source !== undefined && new RegExp(`^${source}$`, 's').test(text);
}

function test(
  operator: string,
  values: readonly string[] | undefined,
  patterns: readonly string[],
  keys: ContextKeys,
): boolean | undefined {
  if (operator === 'Null') {
    const [expected] = patterns;
    if (expected !== 'true' && expected !== 'false') return undefined;
    return (values === undefined) === (expected === 'true');
  }
  const [first = '', second] = operator.split(':');
  const compare = COMPARISONS[second ?? first];
  if (compare === undefined) return undefined;
  const matches = (value: string) => patterns.some((pattern) => compare(value, pattern, keys));
  // ForAllValues is true of an absent key.
  if (second !== undefined) return first === 'ForAllValues' ? (values ?? []).every(matches) : undefined;
  if (values === undefined) return false;
  const [value, ...more] = values;
  return value === undefined || more.length > 0 ? undefined : matches(value);
}

/** The pattern with each `${key}` replaced; undefined where one of them stands for nothing. */
function replaceVariables(
  pattern: string,
  keys: ContextKeys,
  ofValue: (value: string) => string,
  ofLiteral: (literal: string) => string = (literal) => literal,
): string | undefined {
  const parts: string[] = [];
  for (const [index, part] of pattern.split(/\$\{([^}]*)\}/).entries()) {
    if (index % 2 === 0) {
      parts.push(ofLiteral(part));
      continue;
    }
    const [value, ...more] = keys.get(part.toLowerCase()) ?? [];
    if (value === undefined || more.length > 0) return undefined;
    parts.push(ofValue(value));
  }
  return parts.join('');
}

function listOf(value: Json | undefined): readonly string[] | undefined {
  const values = Array.isArray(value) ? toArray(value) : [value];
  return values.every((one) => typeof one === 'string') ? values : undefined;
}
