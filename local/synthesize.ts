import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { readIfPresent } from './atomic-file.ts';
import { parseJson, toObject } from './json.ts';

const ROOT = join(import.meta.dirname, '..');

/** What the assembly is made of; a change in any of it makes a new one. `config` is applied at run time, not built in. */
const INPUTS = ['functions', 'infra', 'cdk.json', 'package-lock.json'];

/** Where an assembly says what it was made of. */
const STAMP = 'inputs.sha256';

/**
 * Synthesizes the CDK app into `outDir`, unless what is there was made of the same sources, stage and Node version.
 * @returns whether it had to
 * @throws Error with the app's own words where it fails; what was in `outDir` stays
 */
export async function synthesize(options: {
  readonly outDir: string;
  readonly stage: string;
  /** Browser origins that may call, separated by commas; none by default. */
  readonly allowedOrigins?: string;
}): Promise<boolean> {
  const outDir = resolve(options.outDir);
  const { stage, allowedOrigins = '' } = options;
  const stamp = digestInputs(`${stage}\0${allowedOrigins}`);
  if (readIfPresent(join(outDir, STAMP)) === stamp) return false;
  const fresh = `${outDir}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(dirname(outDir), { recursive: true });
  try {
    await runApp(fresh, { stage, ...(allowedOrigins === '' ? {} : { allowedOrigins }) });
    writeFileSync(join(fresh, STAMP), stamp);
    rmSync(outDir, { recursive: true, force: true });
    renameSync(fresh, outDir);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return true;
}

function runApp(outDir: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const cdk = toObject(parseJson(readFileSync(join(ROOT, 'cdk.json'), 'utf8')));
  const context = { ...toObject(cdk['context']), ...settings };
  const app = spawn(process.execPath, [join(ROOT, 'infra', 'app.ts')], {
    cwd: ROOT,
    env: {
      ...process.env,
      // What the app starts in turn runs on the same Node.
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
      CDK_OUTDIR: outDir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words: Buffer[] = [];
  app.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  return new Promise((done, reject) => {
    app.once('error', reject);
    app.once('close', (code) => {
      if (code === 0) done();
      else reject(new Error(`the CDK app failed:\n${Buffer.concat(words).toString().trim()}`));
    });
  });
}

function digestInputs(settings: string): string {
  const hash = createHash('sha256').update(`${settings}\0${process.version}\0`);
  for (const file of INPUTS.flatMap(filesOf)) {
    const content = readFileSync(file);
    hash.update(`${relative(ROOT, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Files at or below a path of the project, in a fixed order. */
function filesOf(path: string): string[] {
  const full = join(ROOT, path);
  if (!/^(functions|infra)$/.test(path)) return [full];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
