import { Worker } from 'node:worker_threads';
import type { FunctionLog } from './function-log.ts';
import type { FromWorker, FunctionError, ToWorker, WorkerStart } from './lambda-message.ts';

/** How an invocation ended. */
export type Outcome =
  | { readonly kind: 'returned'; readonly payload: string }
  | { readonly kind: 'streamed' }
  | { readonly kind: 'failed'; readonly error: FunctionError };

/** One invocation. `onChunk` resolves when it has room for the next chunk; `gone` says that the client has left. */
export type InvocationRequest = {
  readonly requestId: string;
  readonly event: string;
  readonly timeoutMs: number;
  readonly onChunk: (bytes: Uint8Array) => Promise<void> | void;
  readonly gone: AbortSignal | undefined;
};

type Chunk = Extract<FromWorker, { type: 'chunk' }>;

/** Lambda's own bound on loading a function's code. */
const INIT_TIMEOUT_MS = 10_000;

/**
 * One execution environment of a function: a worker thread that serves one invocation at a time. A timeout or an uncaught
 * error ends it; then `isDead` holds and it must be replaced.
 */
export class LambdaEnvironment {
  readonly #worker: Worker;
  readonly #log: FunctionLog;
  readonly #ready: Promise<void>;
  readonly #died: Promise<FunctionError>;
  #receive: (message: FromWorker) => void = () => {};
  #isDead = false;

  /** @param environment the whole of `process.env` of the function */
  constructor(start: WorkerStart, environment: Readonly<Record<string, string>>, log: FunctionLog) {
    this.#log = log;
    this.#worker = new Worker(new URL('./lambda-worker.ts', import.meta.url), {
      workerData: start,
      env: { ...environment },
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: start.memoryMb },
    });
    log.follow(this.#worker.stdout);
    log.follow(this.#worker.stderr);
    this.#died = new Promise((resolve) => {
      this.#worker.once('error', (error) => {
        const trace = error instanceof Error ? (error.stack ?? String(error)) : String(error);
        this.#log.write(trace);
        this.#isDead = true;
        resolve({ errorType: 'Runtime.ExitError', errorMessage: trace, trace: trace.split('\n') });
      });
      this.#worker.once('exit', () => {
        this.#isDead = true;
        resolve({ errorType: 'Runtime.ExitError', errorMessage: 'the environment exited', trace: [] });
      });
    });
    this.#ready = new Promise((resolve) => {
      this.#worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') resolve();
        else this.#receive(message);
      });
    });
  }

  /** Can it serve no invocation any more? */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Serves one invocation. The function's timeout starts once its code is loaded, as on AWS. */
  async invoke(request: InvocationRequest): Promise<Outcome> {
    const loaded = await this.#before(
      INIT_TIMEOUT_MS,
      this.#ready.then(() => undefined),
    );
    if (loaded !== undefined) return { kind: 'failed', error: loaded };
    const isGone = () => this.#post({ type: 'gone' });
    const ended = new Promise<Outcome>((resolve) => {
      this.#receive = (message) => {
        if (message.type === 'chunk') void this.#pass(message, request);
        else if (message.type === 'returned') resolve({ kind: 'returned', payload: message.payload });
        else if (message.type === 'failed') resolve({ kind: 'failed', error: message.error });
        else resolve({ kind: 'streamed' });
      };
    });
    const { requestId, event, timeoutMs } = request;
    this.#post({ type: 'invoke', requestId, event, deadlineMs: Date.now() + timeoutMs });
    request.gone?.addEventListener('abort', isGone, { once: true });
    if (request.gone?.aborted === true) isGone();
    const outcome = await this.#before(timeoutMs, ended);
    request.gone?.removeEventListener('abort', isGone);
    this.#receive = () => {};
    return 'kind' in outcome ? outcome : { kind: 'failed', error: outcome };
  }

  /** Ends it, whatever it is doing. */
  async terminate(): Promise<void> {
    this.#isDead = true;
    await this.#worker.terminate();
  }

  async #pass({ bytes, sequence }: Chunk, request: InvocationRequest): Promise<void> {
    await request.onChunk(bytes);
    if (!this.#isDead) this.#post({ type: 'drained', sequence });
  }

  /** The promise's value; or why the environment died first, killed where it took longer than `timeoutMs`. */
  async #before<T>(timeoutMs: number, promise: Promise<T>): Promise<T | FunctionError> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<FunctionError>((resolve) => {
      timer = setTimeout(() => {
        const errorMessage = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
        this.#log.write(errorMessage);
        void this.terminate();
        resolve({ errorType: 'Sandbox.Timedout', errorMessage, trace: [] });
      }, timeoutMs);
    });
    const first = await Promise.race([promise, this.#died, late]);
    clearTimeout(timer);
    return first;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
