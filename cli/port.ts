import { createServer } from 'node:net';

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
