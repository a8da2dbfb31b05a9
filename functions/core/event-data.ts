const [LF, CR] = [10, 13];
/** `data:` */
const DATA: readonly number[] = [100, 97, 116, 97, 58];
const OF_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** What line readers of some languages break at besides: VT, FF, separators of ASCII, NEL, and the line breaks of Unicode, in UTF-8. */
const OTHER_BREAKS: readonly number[] = [0x0b, 0x0c, 0x1c, 0x1d, 0x1e, 0xc285, 0xe280a8, 0xe280a9];

/** What hears of the data of events. */
export type DataReader = {
  /** A piece of the data of the present event. */
  readonly data: (piece: Buffer) => void;
  /** The present event ends before this byte of the chunk. */
  readonly end: (at: number) => void;
  /** Some readers find other events here: they break a line that is no data at more characters than three. */
  readonly ambiguous: () => void;
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
  /** The last three bytes of other lines. */
  #recent = 0;
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
      } else if (this.#isOther) {
        this.#other(byte);
        at += 1;
      } else if (this.#matched === DATA.length) {
        const end = endOfLine(chunk, at);
        this.#reader.data(chunk.subarray(at, end));
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
    else this.#other(byte);
  }

  #other(byte: number): void {
    this.#isOther = true;
    this.#recent = ((this.#recent << 8) | byte) & 0xffffff;
    if (isOtherBreak(this.#recent)) this.#reader.ambiguous();
  }

  #endLine(at: number): void {
    this.#isStart = false;
    if (this.#matched === 0 && !this.#isOther) this.#reader.end(at);
    else if (this.#matched === DATA.length && !this.#isOther) this.#reader.data(this.#lineBreak);
    this.#matched = 0;
    this.#isOther = false;
  }
}

function isOtherBreak(recent: number): boolean {
  const last = recent & 0xff;
  if (last >= 0x20 && last < 0x80) return false;
  return [last, recent & 0xffff, recent].some((bytes) => OTHER_BREAKS.includes(bytes));
}

function endOfLine(chunk: Buffer, start: number): number {
  let at = start;
  while (at < chunk.length && chunk[at] !== LF && chunk[at] !== CR) at += 1;
  return at;
}
