import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The log file of one function: what it prints, line by line, with the time in front. Appends. */
export class FunctionLog {
  readonly #file: WriteStream;
  #isClosed = false;

  constructor(path: string) {
    this.#file = createWriteStream(path, { flags: 'a', mode: 0o600 });
  }

  /** Writes one line; after `close`, nothing. */
  write(line: string): void {
    if (this.#isClosed) return;
    this.#file.write(`${new Date().toISOString()} ${line}\n`);
  }

  /** Copies a stream of text until it ends. */
  follow(output: Readable): void {
    createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) =>
      this.write(line),
    );
  }

  /** Resolves when every line is in the file. */
  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => this.#file.end(() => resolve()));
  }
}
