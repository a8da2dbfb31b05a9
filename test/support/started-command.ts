import { dispatch } from '../../cli/dispatch.ts';

/** A command line that waits for something, such as its user's browser; what it has said so far. */
export type StartedCommand = {
  readonly out: readonly string[];
  readonly notes: readonly string[];
  /** Its exit code. */
  readonly ended: Promise<number>;
};

/** Starts a command line in this process, for nobody at a keyboard. */
export function startCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): StartedCommand {
  const [out, notes]: [string[], string[]] = [[], []];
  const ended = dispatch(argv, {
    env,
    isInteractive: false,
    print: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    readInput: async () => '',
    ask: async () => '',
    untilStopped: () => new AbortController().signal,
  });
  return { out, notes, ended };
}
