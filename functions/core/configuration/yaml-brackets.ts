import { EVENT_ID, type Event } from 'js-yaml';

/** A closing bracket that begins a line. */
const CLOSING = /(?<=[\n\r]|^)[ \t]*[\]}]/g;
const INDENTATION = /(?<=[\n\r]|^) +/g;

/** Of a file that has a line further in, brackets are left where they are. */
const MAX_INDENTATION = 200;

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
  const starts = Array.from(text.matchAll(CLOSING), ({ index }) => index).filter((start) => !kept.has(start));
  let indentation = 0;
  for (const [spaces] of text.matchAll(INDENTATION)) indentation = Math.max(indentation, spaces.length);
  if (starts.length === 0 || indentation > MAX_INDENTATION) return undefined;
  const width = indentation + 1;
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
