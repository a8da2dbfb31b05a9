import { EVENT_ID, type Event } from 'js-yaml';

/** A closing bracket that begins a line. */
const CLOSING = /(?<=[\n\r]|^)[ \t]*[\]}]/g;
/** Spaces, and signs of lists and keys, which count as such. */
const INDENTATION = /(?<=[\n\r]|^)(?:[ \t]|[-?:][ \t])+/g;
/** What stands before a text of lines, of which a bracket may be the first. */
const HEADER = /[|>][-+0-9]*[ \t]*(?:#.*)?\r?$/;

/** Where more would have to be put in, brackets are left where they are. */
const MAX_SPACES = 1_000_000;

/** A text with spaces put in. */
export type IndentedText = {
  readonly text: string;
  /** Where in the text without them so many UTF-16 units from the beginning of this one are. */
  readonly toOriginal: (offset: number) => number;
};

/**
 * The text with the lines that begin with a closing bracket further in than any other. YAML 1.2 wants such a bracket further in than the key of its
 * list or map; most write it below the key all the same. The `kept` ones, by where their lines begin in the text as it is, stay
 * where they are. Undefined where nothing can be put in.
 */
export function indentBrackets(text: string, kept: ReadonlySet<number>): IndentedText | undefined {
  const starts = Array.from(text.matchAll(CLOSING), ({ index }) => index).filter(
    (start) => !kept.has(start) && !HEADER.test(lineAbove(text, start)),
  );
  let indentation = 0;
  for (const [spaces] of text.matchAll(INDENTATION)) indentation = Math.max(indentation, spaces.length);
  const width = indentation + 1;
  if (starts.length === 0 || starts.length * width > MAX_SPACES) return undefined;
  const pieces = starts.map((start, index) => text.slice(index === 0 ? 0 : starts[index - 1], start));
  pieces.push(text.slice(starts.at(-1)));
  return {
    text: pieces.join(' '.repeat(width)),
    toOriginal: (offset) => withoutSpaces(starts, width, offset),
  };
}

/** The beginnings of the lines with a closing bracket that are part of a text, and no end of a list or map. */
export function bracketsInTexts(text: string, events: readonly Event[]): readonly number[] {
  const within: number[] = [];
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR) continue;
    for (const { index } of text.slice(event.valueStart, event.valueEnd).matchAll(CLOSING)) {
      within.push(event.valueStart + index);
    }
  }
  return within;
}

/** An event of the indented text, as one of the text itself. */
export function movedBack(event: Event, toOriginal: IndentedText['toOriginal']): Event {
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return event;
  const anchor = { anchorStart: toOriginal(event.anchorStart), anchorEnd: toOriginal(event.anchorEnd) };
  if (event.type === EVENT_ID.ALIAS) return { ...event, ...anchor };
  const properties = { ...anchor, tagStart: toOriginal(event.tagStart), tagEnd: toOriginal(event.tagEnd) };
  if (event.type !== EVENT_ID.SCALAR) return { ...event, ...properties, start: toOriginal(event.start) };
  const [valueStart, valueEnd] = [toOriginal(event.valueStart), toOriginal(event.valueEnd)];
  return { ...event, ...properties, valueStart, valueEnd };
}

/** The last line above that is not blank. */
function lineAbove(text: string, lineStart: number): string {
  let end = lineStart - 1;
  while (end > 0 && /\s/.test(text.charAt(end))) end -= 1;
  return text.slice(text.lastIndexOf('\n', end) + 1, end + 1);
}

function withoutSpaces(starts: readonly number[], width: number, offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(starts[middle]) + middle * width < offset) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? offset : Math.max(offset - low * width, Number(starts[low - 1]));
}
