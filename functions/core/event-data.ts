const [LF, CR] = [10, 13];
/** `data:` */
const DATA: readonly number[] = [100, 97, 116, 97, 58];
const OF_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** What hears of the data of events. */
export type DataReader = {
  /** A piece of the data of the present event. */
  readonly data: (piece: Buffer) => void;
  /** The present event ends before this byte of the chunk. */
  readonly end: (at: number) => void;
};

/**
 * Finds the data of server-sent events of any size in the chunks of a stream, in any of the three line endings, and keeps none of it. The
 * space before data is left there.
 */
export class EventData {
  readonly #reader: DataReader;
  /** So much of `data:` has come at the beginning of the line. */
  #matched = 0;
  #isOther = false;
  #isStart = true;
  #isAfterCr = false;
  /** Between two lines of data (HTML §9.2.6). */
  readonly #lineBreak = Buffer.of(LF);

  constructor(reader: DataReader) {
    this.#reader = reader;
  }

  push(chunk: Buffer): void {
    let at = 0;
    for (let byte = chunk[at]; byte !== undefined; byte = chunk[at]) {
      if (byte === LF && this.#isAfterCr) {
        this.#isAfterCr = false;
        at += 1;
        continue;
      }
      this.#isAfterCr = byte === CR;
      if (byte === LF || byte === CR) {
        at += 1;
        this.#endLine(at);
      } else if (this.#isOther || this.#matched === DATA.length) {
        const end = endOfLine(chunk, at);
        if (!this.#isOther) this.#reader.data(chunk.subarray(at, end));
        at = end;
      } else {
        this.#begin(byte);
        at += 1;
      }
    }
  }

  #begin(byte: number): void {
    // Readers drop one byte order mark or more before the first line.
    if (this.#isStart && OF_MARK.includes(byte)) return;
    this.#isStart = false;
    if (byte === DATA[this.#matched]) this.#matched += 1;
    else this.#isOther = true;
  }

  #endLine(at: number): void {
    this.#isStart = false;
    if (this.#matched === 0 && !this.#isOther) this.#reader.end(at);
    else if (this.#matched === DATA.length && !this.#isOther) this.#reader.data(this.#lineBreak);
    this.#matched = 0;
    this.#isOther = false;
  }
}

function endOfLine(chunk: Buffer, start: number): number {
  let at = start;
  while (at < chunk.length && chunk[at] !== LF && chunk[at] !== CR) at += 1;
  return at;
}
