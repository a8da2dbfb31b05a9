import {
  type AliasEvent,
  EVENT_ID,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml';

/** What tells of a value, or of the beginning of one. */
export type NodeEvent = ScalarEvent | AliasEvent | SequenceEvent | MappingEvent;

/** What stands on the line of a key before it: the signs of what it is in. */
const BEFORE_KEY = /^\ufeff?[ \t]*(?:(?:[-?:]|[&!]\S*)[ \t]+)*$/;

/**
 * Does nothing stand before this on its line but the signs of what it is in? The library reads `- 'a' b: 1` below a key as the end of its list and
 * one more key beside that, which nobody means.
 */
export function beginsLine(text: string, event: NodeEvent): boolean {
  const start = startOf(event);
  return start < 0 || BEFORE_KEY.test(lineBefore(text, start));
}

/** Where what an event tells of begins, with its anchor, tag and quote, in UTF-16 units; negative for a scalar of which nothing is written. */
export function startOf(event: NodeEvent): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  const begins = [event.tagStart, event.anchorStart - 1].filter((start) => start >= 0);
  if (event.type !== EVENT_ID.SCALAR) return Math.min(event.start, ...begins);
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return Math.min(isQuoted ? event.valueStart - 1 : event.valueStart, ...begins);
}

function lineBefore(text: string, end: number): string {
  let start = end;
  while (start > 0 && !/[\n\r]/.test(text.charAt(start - 1))) start -= 1;
  return text.slice(start, end);
}
