import { endOfLastEvent, LF, LineEndings, lineStartIn } from './line-endings.ts';
import { readEvent, withoutData } from './sse.ts';

/** What a sieve looks for. An event in whose bytes there is nothing that may be hidden is not read. */
export type SieveRule = {
  readonly mayHide: (bytes: Buffer) => boolean;
  readonly isHidden: (data: string) => boolean;
};

/**
 * Drops server-sent events that are hidden, and leaves every byte of the others as it is. A whole event leaves as soon as its blank line
 * is seen; one of more than `maxEventBytes` is not looked at, and passes as it comes. Of a dropped one its id stays, which a client takes
 * for the place where it is. What is unfinished at the end is looked at as if it were finished.
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
  /** The event before the unfinished one was dropped. */
  #isDropped = false;
  #lastByte = LF;

  constructor(rule: SieveRule, maxEventBytes: number) {
    this.#rule = rule;
    this.#maxEventBytes = maxEventBytes;
  }

  /** What may leave now. */
  push({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    const isWatched = this.#rule.mayHide(chunk);
    const out: Uint8Array[] = [];
    const isBetween = this.#heldBytes === 0 && !this.#isPassing;
    // The rest of an ending goes the way of the event before it.
    const lineStart = lineStartIn(chunk, this.#lastByte, isBetween);
    let start = isBetween ? lineStart : 0;
    let leavesFrom = this.#isDropped ? start : 0;
    const endings = new LineEndings(chunk);
    let end = endings.endOfEvent(start, lineStart);
    while (end !== -1) {
      const hidden =
        isWatched || this.#heldBytes > 0 ? this.#hiddenOf(chunk.subarray(start, end)) : undefined;
      if (hidden === undefined) out.push(...this.#held);
      else {
        out.push(chunk.subarray(leavesFrom, start), hidden);
        leavesFrom = end;
      }
      this.#begin();
      this.#isDropped = hidden !== undefined;
      start = end;
      if (!isWatched) start = endOfLastEvent(chunk, start);
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

  /** What is left when the stream ends. */
  end(): Uint8Array {
    const rest = joined(this.#held);
    const hidden = this.#hiddenOf(Buffer.alloc(0));
    this.#begin();
    return hidden ?? rest;
  }

  #begin(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#isPassing = false;
    this.#isFirst = false;
  }

  /** What is left of the event that ends with this part, where it is hidden; undefined where it passes. */
  #hiddenOf(part: Buffer): Uint8Array | undefined {
    if (this.#isPassing || this.#heldBytes + part.byteLength > this.#maxEventBytes) return undefined;
    const bytes = this.#heldBytes === 0 ? part : Buffer.concat([...this.#held, part]);
    if (!this.#rule.mayHide(bytes)) return undefined;
    const event = readEvent(bytes.toString(), this.#isFirst);
    if (event.data === '' || !this.#rule.isHidden(event.data)) return undefined;
    return Buffer.from(withoutData(event));
  }
}

/** One piece stays the bytes that it was. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = pieces.filter(({ byteLength }) => byteLength > 0);
  if (first === undefined) return new Uint8Array();
  return others.length === 0 ? first : Buffer.concat([first, ...others]);
}
