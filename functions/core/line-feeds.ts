import { LF } from './line-endings.ts';

const CR = 13;

/**
 * Ends every line of an event stream with a line feed. CR and CRLF end one too (HTML §9.2.6), but not to every reader, and what two readers
 * read as two streams nobody can look through. Holds nothing back: a CR is written at once, and the LF that belongs to it is left out when
 * it comes. Bytes without a CR pass without a copy.
 */
export class LineFeeds {
  #isAfterCr = false;

  push({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    const start = this.#isAfterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#isAfterCr = chunk.at(-1) === CR;
    if (!chunk.includes(CR, start)) return chunk.subarray(start);
    const written = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    for (let at = start; at < chunk.length; at += 1) {
      const byte = Number(chunk[at]);
      written[length] = byte === CR ? LF : byte;
      length += 1;
      if (byte === CR && chunk[at + 1] === LF) at += 1;
    }
    return written.subarray(0, length);
  }
}
