import { endOfLastEvent, LF, LineEndings, lineStartIn } from './line-endings.ts';
import { readEvent, withData } from './sse.ts';

/**
 * What a sieve looks for. An event in whose bytes there is nothing that may be hidden is not read. `rewrite` gives the data as it is where
 * nothing is hidden, what is left of it, an empty text for what is dropped, and undefined for what must not pass.
 */
export type SieveRule = {
  readonly mayHide: (bytes: Buffer) => boolean;
  readonly rewrite: (data: string) => string | undefined;
};

/**
 * Drops server-sent events that are hidden, or what in them is, and leaves every byte of the others as it is. A whole event leaves as soon
 * as its blank line is seen; one of more than `maxEventBytes` is not looked at, and passes as it comes. Of a dropped one its id stays, which a client takes
 * for the place where it is. What is unfinished at the end is looked at as if it were finished. Where an event must not pass, it throws, and
 * the stream is to be ended.
 */
export class EventSieve {
  readonly #rule: SieveRule;
  readonly #maxEventBytes: number;
  /** The unfinished event, where it is small enough to be looked at. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The unfinished event is on its way already. */
  #isPassing = false;
  #isFirst = true;
  /** The event before the unfinished one was dropped or rewritten. */
  #isRewritten = false;
  #lastByte = LF;

  constructor(rule: SieveRule, maxEventBytes: number) {
    this.#rule = rule;
    this.#maxEventBytes = maxEventBytes;
  }

  /** What may leave now. @throws TypeError on an event that may not pass */
  push({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    const isWatched = this.#rule.mayHide(chunk);
    const out: Uint8Array[] = [];
    const isBetween = this.#heldBytes === 0 && !this.#isPassing;
    // The rest of an ending goes the way of the event before it.
    const lineStart = lineStartIn(chunk, this.#lastByte, isBetween);
    let start = isBetween ? lineStart : 0;
    let leavesFrom = this.#isRewritten ? start : 0;
    const endings = new LineEndings(chunk);
    let end = endings.endOfEvent(start, lineStart);
    while (end !== -1) {
      const written =
        isWatched || this.#heldBytes > 0 ? this.#rewritten(chunk.subarray(start, end)) : undefined;
      if (written === undefined) out.push(...this.#held);
      else {
        out.push(chunk.subarray(leavesFrom, start), written);
        leavesFrom = end;
      }
      this.#begin();
      this.#isRewritten = written !== undefined;
      start = isWatched ? end : endOfLastEvent(chunk, end);
      // The others pass, and with the last of them the rest of its ending.
      if (start > end) this.#isRewritten = false;
      end = isWatched ? endings.endOfEvent(start, start) : -1;
    }
    const rest = chunk.subarray(start);
    this.#isPassing ||= this.#heldBytes + rest.byteLength > this.#maxEventBytes;
    if (this.#isPassing) {
      out.push(...this.#held, chunk.subarray(leavesFrom));
      this.#held = [];
      this.#heldBytes = 0;
    } else {
      out.push(chunk.subarray(leavesFrom, start));
      if (rest.byteLength > 0) this.#held.push(rest);
      this.#heldBytes += rest.byteLength;
    }
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    return joined(out);
  }

  /** What is left when the stream ends. @throws TypeError as above */
  end(): Uint8Array {
    const rest = joined(this.#held);
    const written = this.#rewritten(Buffer.alloc(0));
    this.#begin();
    return written ?? rest;
  }

  #begin(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#isPassing = false;
    this.#isFirst = false;
  }

  /** What the event that ends with this part is rewritten to; undefined where it passes as it is. */
  #rewritten(part: Buffer): Uint8Array | undefined {
    if (this.#isPassing || this.#heldBytes + part.byteLength > this.#maxEventBytes) return undefined;
    const bytes = this.#heldBytes === 0 ? part : Buffer.concat([...this.#held, part]);
    if (!this.#rule.mayHide(bytes)) return undefined;
    const event = readEvent(bytes.toString(), this.#isFirst);
    if (event.data === '') return undefined;
    const data = this.#rule.rewrite(event.data);
    if (data === undefined) throw new TypeError('event refused');
    return data === event.data ? undefined : Buffer.from(withData(event, data));
  }
}

/** One piece stays the bytes that it was. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = pieces.filter(({ byteLength }) => byteLength > 0);
  if (first === undefined) return new Uint8Array();
  return others.length === 0 ? first : Buffer.concat([first, ...others]);
}
