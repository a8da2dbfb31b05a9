import { dispatch } from '../../cli/dispatch.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** What one command line did. */
export type Run = { readonly code: number; readonly out: string; readonly notes: string };

/** Runs a command line in this process, with an environment of its own. Without `input`, a person is at the keyboard, who answers so. */
export async function run(
  argv: readonly string[],
  { env = {}, input, answer = '' }: { env?: Record<string, string>; input?: string; answer?: string } = {},
): Promise<Run> {
  const [out, notes]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    env,
    isInteractive: input === undefined,
    print: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    readInput: async () => input ?? '',
    async ask(question) {
      notes.push(question);
      return answer;
    },
    untilStopped: () => new AbortController().signal,
  };
  const code = await dispatch(argv, terminal);
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}
