import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A data directory that nobody else uses until it is released. */
export type DataDirectory = { readonly path: string; readonly release: () => Promise<void> };

/** The longest path of a local socket that every system takes. */
const MAX_SOCKET_PATH = 100;

/**
 * Makes the directory, readable by its owner alone, and claims it by a local socket: the system takes the claim back however
 * the process ends.
 * @throws Error where it is claimed already, by this process or by another
 */
export async function claimDataDirectory(directory: string): Promise<DataDirectory> {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const socket = toSocketPath(path);
  if (await answers(socket)) throw new Error(`data directory \`${path}\` is in use by another instance`);
  rmSync(socket, { force: true });
  const server = createServer((connection) => connection.destroy());
  await listen(server, socket);
  return { path, release: () => new Promise((released) => server.close(() => released())) };
}

/** Has somebody claimed it, who still runs? Says nothing about the next moment. */
export function isDataDirectoryInUse(directory: string): Promise<boolean> {
  return answers(toSocketPath(resolve(directory)));
}

function toSocketPath(directory: string): string {
  const name = `sallyport-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const inside = join(directory, 'in-use.sock');
  return Buffer.byteLength(inside) <= MAX_SOCKET_PATH ? inside : join(tmpdir(), `${name}.sock`);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve());
    server.unref();
  });
}
