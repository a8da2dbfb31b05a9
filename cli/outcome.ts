/**
 * Exit codes of every verb. `failed`: the answer was no, or an error; `usage`: the command line is wrong and nothing was
 * done; `unreachable`: the gateway could not be reached at all; the last two are what a shell expects of the signals.
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, SIGINT: 130, SIGTERM: 143 } as const;

/** What a verb prints on standard output. `exit` is 1 where the answer is a refusal that belongs there, else 0. */
export type Output = { readonly text: string; readonly json: unknown; readonly exit?: 1 };

/** Why a verb did not do its work. `details` are lines of their own; `json` is added to the error with `--json`. */
export type Failure = {
  readonly exit: (typeof EXIT)[Exclude<keyof typeof EXIT, 'ok'>];
  readonly message: string;
  readonly details?: readonly string[];
  readonly json?: Readonly<Record<string, unknown>>;
};

/** The answer was no. */
export function failed(message: string, more: Pick<Failure, 'details' | 'json'> = {}): Failure {
  return { exit: EXIT.failed, message, ...more };
}

/** The command line is wrong; `message` says what to write instead. */
export function misused(message: string): Failure {
  return { exit: EXIT.usage, message };
}

/** Nobody answered. */
export function unreachable(message: string): Failure {
  return { exit: EXIT.unreachable, message };
}

/** What an exception says, in one line: the words of its first cause, or that one's code (`ECONNREFUSED`). */
export function reasonOf(error: unknown): string {
  const reasons = causesOf(error).map(
    (cause) => cause.message || ('code' in cause ? String(cause.code) : ''),
  );
  return reasons.findLast((reason) => reason !== '')?.split('\n')[0] ?? 'unknown failure';
}

/** Did the network fail, and not the one who answers? */
export function isNetworkFailure(error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof TypeError && cause.message === 'fetch failed');
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && !causes.includes(cause); cause = cause.cause)
    causes.push(cause);
  return causes;
}
