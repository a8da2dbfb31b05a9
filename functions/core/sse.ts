/** The end of an event: a blank line, in any of the three line endings (HTML §9.2.6). */
const END_OF_EVENT = /\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n/;

/**
 * Rewrites the data of server-sent events as they pass. Text arrives in any pieces; a whole event leaves as soon as its
 * blank line is seen. Events without data, comments and other fields keep their bytes. `rewrite` gives undefined for
 * what must not pass; then {@link SseFilter.push} throws and the stream is to be ended.
 */
export class SseFilter {
  readonly #rewrite: (data: string) => string | undefined;
  readonly #maxEventCharacters: number;
  #pending = '';

  constructor(rewrite: (data: string) => string | undefined, maxEventCharacters: number) {
    this.#rewrite = rewrite;
    this.#maxEventCharacters = maxEventCharacters;
  }

  /** What may leave now. @throws RangeError on an event that is too large, TypeError on one that may not pass */
  push(text: string): string {
    this.#pending += text;
    let out = '';
    for (let end = END_OF_EVENT.exec(this.#pending); end !== null; end = END_OF_EVENT.exec(this.#pending)) {
      const length = end.index + end[0].length;
      out += this.#event(this.#pending.slice(0, end.index), end[0]);
      this.#pending = this.#pending.slice(length);
    }
    if (this.#pending.length > this.#maxEventCharacters) throw new RangeError('event too large');
    return out;
  }

  /** What is left when the stream ends: an unfinished event is not dispatched by any client, so it is dropped. */
  end(): string {
    this.#pending = '';
    return '';
  }

  #event(block: string, ending: string): string {
    const lines = block.split(/\r\n|\n|\r/);
    const data = lines.filter(isData).map((line) => line.slice('data:'.length).replace(/^ /, ''));
    const joined = data.join('\n');
    if (joined === '') return block + ending;
    const rewritten = this.#rewrite(joined);
    if (rewritten === undefined) throw new TypeError('event refused');
    const others = lines.filter((line) => !isData(line));
    return `${[...others, `data: ${rewritten}`].join('\n')}\n\n`;
  }
}

function isData(line: string): boolean {
  return line.startsWith('data:');
}
