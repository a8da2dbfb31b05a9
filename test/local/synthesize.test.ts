import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { synthesize } from '../../local/synthesize.ts';
import { startFixtureCloud, temporaryDirectory } from './fixture-cloud.ts';

test('the stack is synthesized once for the same sources, and runs', { timeout: 120_000 }, async () => {
  const outDir = join(temporaryDirectory(), 'assembly');
  expect(await synthesize({ outDir, stage: 'dev' })).toBe(true);
  expect(await synthesize({ outDir, stage: 'dev' })).toBe(false);

  const manifest = readFileSync(join(outDir, 'manifest.json'), 'utf8');
  await expect(synthesize({ outDir, stage: 'Not A Stage' })).rejects.toThrow(/stage/);
  expect(readFileSync(join(outDir, 'manifest.json'), 'utf8')).toBe(manifest);

  const cloud = await startFixtureCloud({ assemblyDir: outDir, stage: 'dev' });
  const health = await fetch(`${cloud.origin}/healthz`);
  expect(health.status).toBe(200);
  const nowhere = await fetch(`${cloud.origin}/nowhere`);
  expect(nowhere.status).toBe(404);
  expect(nowhere.headers.get('content-type')).toBe('application/problem+json');
  expect(cloud.logged).toEqual([]);
});
