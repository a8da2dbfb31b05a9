/** The beginning of what is looked at whole while it is small: it is held back until it is over, or too large and on its way. */
export class HeldBytes {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isPassing = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** It is too large, and on its way. */
  get isPassing(): boolean {
    return this.#isPassing;
  }

  /** All that is held, with this piece behind it. */
  with(piece: Buffer): Buffer {
    return this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
  }

  /** Gives what may leave with another piece of it. */
  keep(piece: Buffer): Buffer {
    this.#bytes += piece.length;
    this.#isPassing ||= this.#bytes > this.#maxBytes;
    const leaving = this.#isPassing ? this.with(piece) : Buffer.alloc(0);
    if (this.#isPassing) this.#pieces = [];
    else this.#pieces.push(piece);
    return leaving;
  }

  /** Gives what is held, and it is over: begins with another one. */
  take(): Buffer {
    const held = this.with(Buffer.alloc(0));
    this.#pieces = [];
    this.#bytes = 0;
    this.#isPassing = false;
    return held;
  }
}

/** The same bytes. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
