import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, misused, type Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';

/** One option. `value` is the word for its value in the help; an option without it is a flag. `alias` means the same, and is not in the help. */
export type Option = {
  readonly name: string;
  readonly alias?: string;
  readonly value?: string;
  readonly help: string;
};

/** One verb of the command: what it does, what it takes, and how it is used. */
export type Verb = {
  readonly name: string;
  readonly summary: string;
  /** The arguments after the verb, as the help shows them. */
  readonly usage: string;
  /** How many positional arguments it takes. */
  readonly positionals: { readonly min: number; readonly max: number };
  readonly options: readonly Option[];
  /** What each does, and the command line. Every one is run by a test. */
  readonly examples: readonly (readonly [string, string])[];
  /** Lines of the help after the examples. */
  readonly notes?: readonly string[];
  run(input: Arguments, terminal: Terminal): Promise<Result<Output, Failure>>;
};

/** The parsed arguments of one call. */
export type Arguments = {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
};

/** Options that every verb has. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: 'json', help: 'print one JSON document on standard output, errors included' },
  { name: 'help', help: 'print this help' },
];

/** Parses the arguments after the verb. Unknown options, missing values and wrong counts are refused. */
export function parseArguments(verb: Verb, argv: readonly string[]): Result<Arguments, Failure> {
  const known = [...verb.options, ...COMMON_OPTIONS];
  const options = Object.fromEntries(
    known.flatMap(({ name, alias, value }) => {
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [name, ...(alias === undefined ? [] : [alias])].map((spelling) => [spelling, { type }]);
    }),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    for (const { name, alias } of known) {
      if (alias === undefined || values[alias] === undefined) continue;
      if (values[name] !== undefined)
        return err(misused(`\`--${alias}\` is \`--${name}\`: give one of them`));
      values[name] = values[alias];
    }
    const { min, max } = verb.positionals;
    if (values['help'] !== true && (positionals.length < min || positionals.length > max)) {
      return err(misused(`usage: sallyport ${verb.name} ${verb.usage}`));
    }
    return ok({
      positionals,
      text: (name) => {
        const value = values[name];
        return typeof value === 'string' ? value : undefined;
      },
      flag: (name) => values[name] === true,
    });
  } catch (error) {
    return err(misused(error instanceof Error ? error.message : 'the arguments cannot be read'));
  }
}
