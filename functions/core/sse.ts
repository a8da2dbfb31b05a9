/** The end of an event: a blank line, in any of the three line endings (HTML §9.2.6). */
const END_OF_EVENT = /\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n/;
/** A reader eats one, and what decodes for it another: behind any number of them a field is a field to somebody. */
const BYTE_ORDER_MARKS = /^\uFEFF+/;
const LINE_ENDING = /\r\n|\n|\r/;
/** The longest ending, but for its last character: so much of an ending can lie at the end of what has arrived. */
const MAX_UNFINISHED_ENDING = 3;
/** So many pieces are joined at a time: a piece costs many times its text where it is a few characters long. */
const PIECES_PER_BLOCK = 1_024;

/**
 * Rewrites the data of server-sent events as they pass. Text arrives in any pieces; a whole event leaves as soon as its
 * blank line is seen. Byte order marks at the beginning are dropped. Events without data, comments and other fields keep their bytes. `rewrite` gives an
 * empty text for what is dropped, and undefined for what must not pass; then {@link SseFilter.push} throws and the stream is to be ended.
 */
export class SseFilter {
  readonly #rewrite: (data: string) => string | undefined;
  readonly #maxEventCharacters: number;
  readonly #endOfEvent = new RegExp(END_OF_EVENT, 'g');
  /** The unfinished event but for its last characters: joined when it ends, so that its pieces cost no more than they are long. */
  #blocks: string[] = [];
  /** What came after the last block, in the pieces in which it came. */
  #pieces: string[] = [];
  #keptLength = 0;
  /** Its last characters, in which an ending may have begun. */
  #seam = '';
  #hasBegun = false;

  constructor(rewrite: (data: string) => string | undefined, maxEventCharacters: number) {
    this.#rewrite = rewrite;
    this.#maxEventCharacters = maxEventCharacters;
  }

  /** What may leave now. @throws RangeError on an event that is too large, TypeError on one that may not pass */
  push(text: string): string {
    const arrived = this.#seam + (this.#hasBegun ? text : text.replace(BYTE_ORDER_MARKS, ''));
    this.#hasBegun ||= arrived !== '';
    let out = '';
    let start = 0;
    this.#endOfEvent.lastIndex = 0;
    for (let end = this.#endOfEvent.exec(arrived); end !== null; end = this.#endOfEvent.exec(arrived)) {
      this.#bound(this.#keptLength + end.index - start);
      this.#keep(arrived.slice(start, end.index));
      out += this.#event(this.#take(), end[0]);
      start = end.index + end[0].length;
    }
    const seamStart = Math.max(start, arrived.length - MAX_UNFINISHED_ENDING);
    this.#keep(arrived.slice(start, seamStart));
    this.#seam = arrived.slice(seamStart);
    this.#bound(this.#keptLength);
    return out;
  }

  /** What is left when the stream ends: an unfinished event is not dispatched by any client, so it is dropped. */
  end(): string {
    this.#take();
    this.#seam = '';
    return '';
  }

  #keep(piece: string): void {
    if (piece === '') return;
    this.#pieces.push(piece);
    this.#keptLength += piece.length;
    if (this.#pieces.length < PIECES_PER_BLOCK) return;
    this.#blocks.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  #take(): string {
    const joined = [...this.#blocks, ...this.#pieces].join('');
    this.#blocks = [];
    this.#pieces = [];
    this.#keptLength = 0;
    return joined;
  }

  #bound(characters: number): void {
    if (characters > this.#maxEventCharacters) throw new RangeError('event too large');
  }

  #event(block: string, ending: string): string {
    const event = readEvent(block, false);
    if (event.data === '') return block + ending;
    const rewritten = this.#rewrite(event.data);
    if (rewritten === undefined) throw new TypeError('event refused');
    return withData(event, rewritten);
  }
}

/** An event as a client reads it, and its lines that are no data. */
export type SseEvent = { readonly data: string; readonly others: readonly string[] };

/** Reads one event, with or without the line endings at its end. `isFirst`: of its stream, where byte order marks are none of it. */
export function readEvent(block: string, isFirst: boolean): SseEvent {
  const lines = (isFirst ? block.replace(BYTE_ORDER_MARKS, '') : block).split(LINE_ENDING);
  const data = lines.filter(isData).map((line) => line.slice('data:'.length).replace(/^ /, ''));
  return { data: data.join('\n'), others: lines.filter((line) => !isData(line)) };
}

/**
 * An event with other data. With none it is no event to a client, which still takes its id for the place where it is: the fields stay where
 * there is one.
 */
export function withData({ others }: SseEvent, data: string): string {
  const fields = others.filter((line) => line !== '');
  if (data !== '') {
    const written = data.split(LINE_ENDING).map((line) => `data: ${line}`);
    return `${[...fields, ...written].join('\n')}\n\n`;
  }
  return fields.some((line) => /^id(?::|$)/.test(line)) ? `${fields.join('\n')}\n\n` : '';
}

/** A filter of text for bytes in UTF-8, which may be cut within a character. */
export function onBytes(filter: { push(text: string): string; end(): string }): {
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
} {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return {
    push: (chunk) => encoder.encode(filter.push(decoder.decode(chunk, { stream: true }))),
    end: () => encoder.encode(filter.end()),
  };
}

function isData(line: string): boolean {
  return line.startsWith('data:');
}
