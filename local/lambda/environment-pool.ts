import type { LambdaEnvironment } from './lambda-environment.ts';

/**
 * The execution environments of one function: each serves one invocation at a time, an idle one is used again, a new one is
 * started on demand up to `limit`; beyond that an invocation waits for a free one.
 */
export class EnvironmentPool {
  readonly #start: () => LambdaEnvironment;
  readonly #limit: number;
  readonly #onFull: () => void;
  readonly #all = new Set<LambdaEnvironment>();
  readonly #idle: LambdaEnvironment[] = [];
  readonly #waiting: ((environment: LambdaEnvironment | undefined) => void)[] = [];
  #isClosed = false;

  /** `onFull` hears of every invocation that has to wait: an open stream holds its environment as long as it is open. */
  constructor(limit: number, start: () => LambdaEnvironment, onFull: () => void) {
    this.#limit = limit;
    this.#start = start;
    this.#onFull = onFull;
  }

  /** Runs `use` with an environment that nothing else uses meanwhile; `undefined` once the pool is closed. */
  async with<T>(use: (environment: LambdaEnvironment) => Promise<T>): Promise<T | undefined> {
    const environment = await this.#acquire();
    if (environment === undefined) return undefined;
    try {
      return await use(environment);
    } finally {
      this.#release(environment);
    }
  }

  /** Ends every environment, and starts none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const turnAway of this.#waiting.splice(0)) turnAway(undefined);
    await Promise.all([...this.#all].map((environment) => environment.terminate()));
  }

  #acquire(): LambdaEnvironment | undefined | Promise<LambdaEnvironment | undefined> {
    if (this.#isClosed) return undefined;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.isDead) return idle;
      this.#all.delete(idle);
    }
    if (this.#all.size < this.#limit) return this.#add();
    this.#onFull();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(environment: LambdaEnvironment): void {
    if (environment.isDead) this.#all.delete(environment);
    const next = this.#waiting.shift();
    if (next !== undefined) next(environment.isDead ? this.#add() : environment);
    else if (!environment.isDead) this.#idle.push(environment);
  }

  #add(): LambdaEnvironment {
    const environment = this.#start();
    this.#all.add(environment);
    return environment;
  }
}
