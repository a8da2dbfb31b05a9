import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readIfPresent } from './atomic-file.ts';

/** A data directory that this process alone uses, until it is released. */
export type DataDirectory = { readonly path: string; readonly release: () => void };

/**
 * Makes the directory, readable by its owner alone, and claims it.
 * @throws Error where another process that is alive, or this one, has claimed it
 */
export function claimDataDirectory(directory: string): DataDirectory {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const claim = join(path, 'process-id');
  const holder = Number(readIfPresent(claim) ?? 0);
  if (holder > 0 && isAlive(holder)) {
    throw new Error(`data directory \`${path}\` is in use by process ${holder}`);
  }
  writeFileSync(claim, String(process.pid), { mode: 0o600 });
  return { path, release: () => rmSync(claim, { force: true }) };
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
