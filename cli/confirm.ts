import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, failed } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

/** Goes ahead without being asked, as it does where nobody is at the keyboard. */
export const YES_OPTION: Option = {
  name: 'yes',
  help: 'do not ask; nobody is asked where nobody is at the keyboard',
};

/** Asks the person at the keyboard, unless `--yes` says it already or nobody is there: a script means what it says. */
export async function confirm(
  input: Arguments,
  terminal: Terminal,
  question: string,
): Promise<Result<void, Failure>> {
  if (input.flag('yes') || !terminal.isInteractive) return ok(undefined);
  const answer = await terminal.ask(`${question} [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim()) ? ok(undefined) : err(failed('nothing was done'));
}
