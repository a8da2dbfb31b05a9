import { type Event, parseEvents, type YAMLException } from 'js-yaml';
import { err, ok, type Result } from '../result.ts';
import { lineCounter } from './line-counter.ts';
import { bracketsInTexts, type IndentedText, indentBrackets, movedBack } from './yaml-brackets.ts';

/** What is deeper is nobody's configuration, and how deep a reader can follow depends on the machine. */
const MAX_DEPTH = 64;

const NOT_INDENTED = 'deficient indentation';

/** What to do where the library does not say it. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    NOT_INDENTED,
    '; write spaces, not tabs, and begin the line further in than the key of its list, map or text',
  ],
  [
    'bad indentation of a mapping entry',
    '; begin each key of a map in one column, and put text with `: ` in quotes',
  ],
]);

/** What is no YAML, and on which line, from 1. */
export type YamlError = { readonly line: number; readonly message: string };

/** What is a line break to some and to others none: behind one, a comment ends only for some. */
const DOUBTFUL_BREAK = /[\u0085\u2028\u2029]|\r(?!\n)/;

/**
 * What a YAML text is made of, in its order; empty for one with nothing in it. Or the first error in its syntax, values that nest too deep, or a
 * character that only some take for a line break. A closing bracket may begin a line below its key.
 */
export function parseYaml(text: string): Result<readonly Event[], YamlError> {
  const doubtful = text.search(DOUBTFUL_BREAK);
  if (doubtful < 0) {
    const parsed = parseWithBrackets(text);
    return parsed.ok ? parsed : err(withMessage(parsed.error));
  }
  const code = text.charCodeAt(doubtful).toString(16).padStart(4, '0');
  const message = `write the character U+${code.toUpperCase()} as \`"\\u${code}"\`: some take it for the end of a line`;
  return err({ line: lineCounter(text)(doubtful), message });
}

/** An error of the library, and where, all from 0. */
type Misread = {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
  readonly position: number;
};

type Refused = { readonly ok: false; readonly error: Misread };

function parseWithBrackets(text: string): Result<readonly Event[], Misread> {
  const asWritten = parse(text);
  if (asWritten.ok || asWritten.error.reason !== NOT_INDENTED) return asWritten;
  // Which brackets are part of a text is known only once the text can be read. Those stay where they are.
  for (const kept = new Set<number>(); ; ) {
    const brackets = indentBrackets(text, kept);
    if (brackets === undefined) return asWritten;
    const indented = parseIndented(brackets);
    if (!indented.ok) return laterOf(asWritten, indented);
    const inTexts = bracketsInTexts(text, indented.value).filter((lineStart) => !kept.has(lineStart));
    if (inTexts.length === 0) return indented;
    for (const lineStart of inTexts) kept.add(lineStart);
  }
}

/** Of two errors the later one: up to there, brackets were what was wrong. */
function laterOf(one: Refused, other: Refused): Refused {
  return other.error.line > one.error.line ? other : one;
}

function parseIndented({ text, toOriginal }: IndentedText): Result<readonly Event[], Misread> {
  const parsed = parse(text);
  if (parsed.ok) return ok(parsed.value.map((event) => movedBack(event, toOriginal)));
  const { reason, line, position, column } = parsed.error;
  return err({
    reason,
    line,
    position: toOriginal(position),
    column: toOriginal(position) - toOriginal(position - column),
  });
}

function parse(text: string): Result<readonly Event[], Misread> {
  try {
    // The library counts the innermost value as well.
    return ok(parseEvents(text, { maxDepth: MAX_DEPTH + 1 }));
  } catch (error) {
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the library throws nothing else; what has no reason is thrown again where it is read
    const { reason, mark: { line = 0, column = 0, position = 0 } = {} } = error as YAMLException;
    return err({ reason, line, column, position });
  }
}

function withMessage({ reason, line, column }: Misread): YamlError {
  const message = reason.startsWith('nesting exceeded')
    ? `values nest ${MAX_DEPTH} deep at most`
    : `not valid YAML at column ${column + 1}: ${reason}${REMEDIES.get(reason) ?? ''}`;
  return { line: line + 1, message };
}
