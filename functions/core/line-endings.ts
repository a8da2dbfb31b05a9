const CR = 13;
/** A line feed. */
export const LF = 10;

/** Where the first line that begins in a chunk does, after this byte; −1 where none has begun before its first line ending. */
export function lineStartIn(chunk: Buffer, lastByte: number, isBetweenEvents: boolean): number {
  if (lastByte === CR && chunk[0] === LF) return 1;
  return isBetweenEvents || lastByte === CR || lastByte === LF ? 0 : -1;
}

/**
 * The line endings of a chunk, looked for from one event to the next, in any of the three kinds (HTML §9.2.6). Each byte is looked at once,
 * however many events and lines there are, and whichever kind is missing.
 */
export class LineEndings {
  readonly #chunk: Buffer;
  /** The first of its kind from where it was looked for last; infinite where there is none. */
  #nextLf = -1;
  #nextCr = -1;

  constructor(chunk: Buffer) {
    this.#chunk = chunk;
  }

  /**
   * Behind the first blank line from `start` on; −1 where there is none. `lineStart` is where a line begins, or −1 where it has begun before.
   * `start` never goes back.
   */
  endOfEvent(start: number, lineStart: number): number {
    const chunk = this.#chunk;
    let lineAt = lineStart;
    let from = Math.max(start, lineStart);
    for (;;) {
      if (this.#nextLf < from) this.#nextLf = indexOf(chunk, LF, from);
      if (this.#nextCr < from) this.#nextCr = indexOf(chunk, CR, from);
      const at = Math.min(this.#nextLf, this.#nextCr);
      if (at === Number.POSITIVE_INFINITY) return -1;
      const end = chunk[at] === CR && chunk[at + 1] === LF ? at + 2 : at + 1;
      if (at === lineAt) return end;
      lineAt = end;
      from = end;
    }
  }
}

/** Behind the last blank line, where one event after the other begins at `start`; `start` where there is none. */
export function endOfLastEvent(chunk: Buffer, start: number): number {
  let end = chunk.length;
  let [lastLf, lastCr] = [end, end];
  while (end > start) {
    const isEnding = chunk[end - 1] === LF || chunk[end - 1] === CR;
    const length = chunk[end - 1] === LF && chunk[end - 2] === CR && end - 2 >= start ? 2 : 1;
    const before = end - length;
    if (isEnding && (before === start || chunk[before - 1] === LF || chunk[before - 1] === CR)) return end;
    if (lastLf >= end) lastLf = chunk.lastIndexOf(LF, end - 1);
    if (lastCr >= end) lastCr = chunk.lastIndexOf(CR, end - 1);
    end = isEnding ? before : Math.max(lastLf, lastCr) + 1;
  }
  return start;
}

function indexOf(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at === -1 ? Number.POSITIVE_INFINITY : at;
}
