import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..', '..');
const COMMAND = join(ROOT, 'node_modules', '@modelcontextprotocol', 'server-everything', 'dist', 'index.js');

/** Starts the public reference server (SDK 1.x, the `initialize` era alone), as it is published. */
export async function startReferenceServer(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const port = await freePort();
  const server = spawn(process.execPath, [COMMAND, 'streamableHttp'], {
    env: { ...process.env, PORT: `${port}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  let words = '';
  let isListening = false;
  for await (const line of createInterface({ input: server.stderr })) {
    words += `${line}\n`;
    isListening = line.includes('listening');
    if (isListening) break;
  }
  if (!isListening) throw new Error(`the reference server did not start:\n${words}`);
  server.stderr.resume();
  return {
    port,
    async close() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** It takes a port and nothing else, so one is looked for first. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
