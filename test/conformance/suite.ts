import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const COMMAND = join(ROOT, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');

const Checks = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    status: z.string(),
    errorMessage: z.string().optional(),
  }),
);

/** What one scenario found, check by check. */
export type Checks = z.infer<typeof Checks>;

/** What a run of the suite found, by scenario. */
export type Findings = ReadonlyMap<string, Checks>;

/** Runs the public conformance suite against a server; `selection` are its own options, such as `--suite active`. */
export async function runSuite(
  url: string,
  selection: readonly string[],
  signal: AbortSignal,
): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'));
  try {
    const args = [COMMAND, 'server', '--url', url, ...selection, '-o', directory];
    const run = spawn(process.execPath, args, { stdio: 'ignore', signal });
    // What it found is in its files; its exit code says only that not everything was as it should be.
    await once(run, 'exit');
    return new Map(
      readdirSync(directory).map((name) => [scenarioOf(name), readChecks(join(directory, name))]),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Runs one scenario for clients against the command line; `words` are what it is told, before the URL of the suite's own server. The suite hands
 * them to a shell.
 */
export async function runClientScenario(
  scenario: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<Checks> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'));
  try {
    const command = [process.execPath, join(ROOT, 'cli', 'main.ts'), ...words].map(quoted).join(' ');
    const args = [COMMAND, 'client', '--command', command, '--scenario', scenario, '-o', directory];
    const run = spawn(process.execPath, args, { stdio: 'ignore', signal });
    await once(run, 'exit');
    return readdirSync(directory).flatMap((name) => readChecks(join(directory, name)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A scenario passes when it found something good and nothing bad. */
export function passes(checks: Checks | undefined): boolean {
  const statuses = new Set(checks?.map(({ status }) => status));
  return statuses.has('SUCCESS') && !statuses.has('FAILURE');
}

/** Directories are named `server-{scenario}-{time}`. */
function scenarioOf(directory: string): string {
  return directory.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, '');
}

/** A scenario that broke off left nothing. */
function readChecks(directory: string): Checks {
  const path = join(directory, 'checks.json');
  return existsSync(path) ? Checks.parse(JSON.parse(readFileSync(path, 'utf8'))) : [];
}
