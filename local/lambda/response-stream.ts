import { Writable } from 'node:stream';

/** The stream's own limit before it asks the function to wait, in bytes. */
const HIGH_WATER_MARK = 64 * 1024;

/**
 * The response stream of a streaming invocation, as the Lambda runtime has it: a prelude leaves before the first write, and
 * only then; a value that is neither text nor bytes is written as JSON. `send` takes one chunk and calls back when the
 * platform has room for the next.
 */
export class ResponseStream extends Writable {
  #beforeFirstWrite: (() => void) | undefined;

  constructor(send: (bytes: Uint8Array, accepted: () => void) => void) {
    super({
      highWaterMark: HIGH_WATER_MARK,
      write(chunk: Uint8Array, _encoding, accepted) {
        send(chunk, accepted);
      },
    });
    // As in Lambda's runtime, a function that has no listener does not die of a stream that is gone.
    this.on('error', () => {});
  }

  /** Part of the runtime's interface; the content type of the envelope means nothing here. */
  setContentType(_contentType: string): void {}

  /** Sets the prelude that leaves before the first write. */
  setPrelude(prelude: unknown): void {
    this.#beforeFirstWrite = () => {
      super.write(JSON.stringify(prelude));
      super.write(new Uint8Array(8));
    };
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    const before = this.#beforeFirstWrite;
    this.#beforeFirstWrite = undefined;
    before?.();
    const bytes = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    const [first, second] = rest;
    const callback = typeof first === 'function' ? first : second;
    const done = typeof callback === 'function' ? (error?: Error | null) => void callback(error) : undefined;
    return typeof first === 'string' && isEncoding(first)
      ? super.write(bytes, first, done)
      : super.write(bytes, done);
  }

  override end(...args: unknown[]): this {
    const [chunk] = args;
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk);
    const callback = args.find((argument) => typeof argument === 'function');
    return typeof callback === 'function' ? super.end(() => void callback()) : super.end();
  }
}

function isEncoding(name: string): name is BufferEncoding {
  return Buffer.isEncoding(name);
}
