import type { z } from 'zod';
import type { Random } from './random.ts';

/** What became of an input that broke no law. Both must occur, or the target proves nothing. */
export type Verdict = 'accepted' | 'refused';

/** One thing to be fuzzed: a grammar of inputs, and the laws that hold for every one of them. */
export type TargetParts<Input> = {
  readonly name: string;
  /** The form of an input in the file of vectors. */
  readonly input: z.ZodType<Input>;
  generate(random: Random): Input;
  /** Throws where a law is broken. */
  check(input: Input): Verdict | Promise<Verdict>;
  /** Inputs with less in them, the boldest first. */
  smaller(input: Input): Iterable<Input>;
};

/** An input that breaks a law: as it came, as small as it could be made, and what is wrong with that. */
export type Counterexample = { readonly found: unknown; readonly reduced: unknown; readonly message: string };

/** A target whose inputs nobody needs to know. */
export type Target = {
  readonly name: string;
  /** Makes one input and checks it. @throws where a law is broken */
  attempt(random: Random): Verdict | Promise<Verdict>;
  /** Checks an input of the file of vectors. @throws where it has another form, or a law is broken */
  replay(input: unknown): Verdict | Promise<Verdict>;
  /** The input that this chance makes, made smaller for as long as it still breaks a law. */
  reduce(random: Random): Promise<Counterexample>;
};

const MAX_REDUCTIONS = 5_000;

/** Makes a target of its parts. */
export function createTarget<Input>(parts: TargetParts<Input>): Target {
  const failureOf = async (input: Input): Promise<string | undefined> => {
    try {
      await parts.check(input);
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  };
  return {
    name: parts.name,
    attempt: (random) => parts.check(parts.generate(random)),
    replay: (input) => parts.check(parts.input.parse(input)),

    async reduce(random) {
      const found = parts.generate(random);
      let reduced = found;
      let message = (await failureOf(found)) ?? 'it broke a law, and does so no longer';
      let left = MAX_REDUCTIONS;
      for (let isSmaller = true; isSmaller; ) {
        isSmaller = false;
        for (const candidate of parts.smaller(reduced)) {
          left -= 1;
          const failure = left < 0 ? undefined : await failureOf(candidate);
          if (failure === undefined) continue;
          reduced = candidate;
          message = failure;
          isSmaller = true;
          break;
        }
      }
      return { found, reduced, message };
    },
  };
}
