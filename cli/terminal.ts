import { createInterface } from 'node:readline/promises';

/** What a verb sees of the process that runs it. */
export type Terminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Is standard input a person at a keyboard? */
  readonly isInteractive: boolean;
  /** Writes one line to standard output. */
  print(line: string): void;
  /** Writes one line to standard error: progress, notes, failures. */
  note(line: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** One line that the person at the keyboard types after a question; for a terminal that {@link isInteractive}. */
  ask(question: string): Promise<string>;
  /** Takes over SIGINT and SIGTERM: the signal that it returns aborts on the first of them, its name as the reason. */
  untilStopped(): AbortSignal;
};

/** The terminal of this process. */
export function createTerminal(): Terminal {
  return {
    env: process.env,
    isInteractive: process.stdin.isTTY === true,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    async readInput() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString('utf8');
    },
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      const closed = new Promise<string>((resolve) => void lines.once('close', () => resolve('')));
      try {
        return await Promise.race([lines.question(question), closed]);
      } finally {
        lines.close();
      }
    },
    untilStopped() {
      const stop = new AbortController();
      // The launcher passes signals on, so one Ctrl-C can arrive twice: only the first counts.
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name));
      process.on('SIGHUP', () => stop.abort('SIGTERM'));
      // A launcher that was killed outright takes this process with it.
      process.once('disconnect', () => stop.abort('SIGTERM'));
      process.channel?.unref();
      return stop.signal;
    },
  };
}
