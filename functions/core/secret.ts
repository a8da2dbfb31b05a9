import { inspect } from 'node:util';

/**
 * A secret string that prints as `[secret]` wherever it is logged, serialised or concatenated.
 * `reveal()` is the only way to its bytes; it is called where a request leaves and where a client authenticates.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
