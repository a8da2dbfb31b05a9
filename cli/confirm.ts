import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, failed, misused } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

/** Goes ahead without being asked; needed where nobody is at the keyboard. */
export const YES_OPTION: Option = { name: 'yes', help: 'do not ask; needed where nobody is at the keyboard' };

/** Asks the person at the keyboard, unless `--yes` says it already. Where nobody is there, nothing is done. */
export async function confirm(
  input: Arguments,
  terminal: Terminal,
  question: string,
): Promise<Result<void, Failure>> {
  if (input.flag('yes')) return ok(undefined);
  if (!terminal.isInteractive) return err(misused('nobody is there to be asked; if you mean it, add --yes'));
  const answer = await terminal.ask(`${question} [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim()) ? ok(undefined) : err(failed('nothing was done'));
}
