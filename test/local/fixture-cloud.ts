import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../local/cloud.ts';
import { writeAssembly } from './assembly.ts';

/** Registers what to do at the end: of one test (`onTestFinished`) or of a file (`afterAll`). */
export type AtEnd = (cleanUp: () => Promise<void> | void) => void;

/** A directory that goes away at the end. */
export function temporaryDirectory(atEnd: AtEnd = onTestFinished): string {
  const directory = mkdtempSync(join(tmpdir(), 'local-'));
  atEnd(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Starts the fixture's cloud; it is closed at the end, if it is not before. */
export async function startFixtureCloud(
  options: Partial<LocalCloudOptions> = {},
  atEnd: AtEnd = onTestFinished,
): Promise<LocalCloud & { readonly dataDir: string; readonly logged: string[] }> {
  const assemblyDir = options.assemblyDir ?? temporaryDirectory(atEnd);
  const dataDir = options.dataDir ?? temporaryDirectory(atEnd);
  if (options.assemblyDir === undefined) writeAssembly(assemblyDir);
  const logged: string[] = [];
  const cloud = await startLocalCloud({
    port: 0,
    secrets: new Map(),
    log: (line) => logged.push(line),
    ...options,
    assemblyDir,
    dataDir,
  });
  atEnd(() => cloud.close());
  return { ...cloud, dataDir, logged };
}

/** What the fixture functions wait for: a server whose answers the test gives, one path at a time. */
export type Signals = {
  readonly url: string;
  /** Resolves once a path was asked for, with the function that answers it. */
  readonly asked: (path: string) => Promise<() => void>;
};

/** Starts one. */
export async function startSignals(): Promise<Signals> {
  const arrived = new Map<string, ServerResponse>();
  const waiting = new Map<string, (response: ServerResponse) => void>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1);
    const waiter = waiting.get(path);
    if (waiter === undefined) arrived.set(path, response);
    else waiter(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a server that listens on TCP has a TCP address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: async (path) => {
      const response = await new Promise<ServerResponse>((resolve) => {
        const early = arrived.get(path);
        if (early === undefined) waiting.set(path, resolve);
        else resolve(early);
      });
      return () => void response.end('go');
    },
  };
}
