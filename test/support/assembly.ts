import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesize } from '../../local/synthesize.ts';

declare module 'vitest' {
  interface ProvidedContext {
    assemblyDirectory: string;
  }
}

/** Synthesizes the cloud once for all end-to-end tests of a run; each starts from a copy. */
export async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-assembly-'));
  const outDir = join(directory, 'assembly');
  await synthesize({ outDir, stage: 'local' });
  project.provide('assemblyDirectory', outDir);
  return () => rmSync(directory, { recursive: true, force: true });
}
