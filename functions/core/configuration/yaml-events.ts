import { EVENT_ID, type Event, parseEvents, type YAMLException } from 'js-yaml';
import { err, ok, type Result } from '../result.ts';
import { drawBracketsUp } from './yaml-brackets.ts';

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

/**
 * What a YAML text is made of, in its order; empty for one with nothing in it. Or the first error in its syntax, or values that nest too deep. A
 * closing bracket may begin a line below its key.
 */
export function parseYaml(text: string): Result<readonly Event[], YamlError> {
  const parsed = parse(text);
  if (parsed.ok || parsed.error.reason !== NOT_INDENTED) return withMessage(parsed);
  const drawn = parse(drawBracketsUp(text));
  return drawn.ok ? ok(drawn.value.map(asWritten)) : withMessage(parsed);
}

/** A text that looked like one of a single line has the line ends of the file in it. */
function asWritten(event: Event): Event {
  return event.type === EVENT_ID.SCALAR ? { ...event, fast: false } : event;
}

function parse(text: string): Result<readonly Event[], YAMLException> {
  try {
    // The library counts the innermost value as well.
    return ok(parseEvents(text, { maxDepth: MAX_DEPTH + 1 }));
  } catch (error) {
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the library throws nothing else; what has no reason is thrown again where it is read
    return err(error as YAMLException);
  }
}

function withMessage(parsed: Result<readonly Event[], YAMLException>): Result<readonly Event[], YamlError> {
  if (parsed.ok) return parsed;
  const { reason, mark: { line = 0, column = 0 } = {} } = parsed.error;
  const message = reason.startsWith('nesting exceeded')
    ? `values nest ${MAX_DEPTH} deep at most`
    : `not valid YAML at column ${column + 1}: ${reason}${REMEDIES.get(reason) ?? ''}`;
  return err({ line: line + 1, message });
}
