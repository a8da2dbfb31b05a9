import { createServer } from 'node:net';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, misused } from './outcome.ts';

/** A port as it is written: 0 to 65535, 0 for any free one. */
export function readPort(text: string): Result<number, Failure> {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? ok(Number(text))
    : err(misused('`--port` is a number from 0 to 65535'));
}

/** The first of these ports on 127.0.0.1 that somebody listens on; 0 is always free. */
export async function findTakenPort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) {
    const isTaken = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(true));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
    });
    if (isTaken) return port;
  }
  return undefined;
}
