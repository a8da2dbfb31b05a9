import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../local/synthesize.ts';
import { measureAudit } from './audit.ts';
import { measureBundles } from './bundles.ts';
import { measureDecisions } from './decisions.ts';
import { measureHandler } from './handler.ts';
import { measureIssuer } from './issuer.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { measureModes } from './modes.ts';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  console.log('synthesizing');
  await synthesize({ outDir: join(directory, 'assembly'), stage: 'local' });
  measureBundles(join(directory, 'assembly'));
  measureDecisions();
  await measureHandler();
  await measureAudit();
  await measureIssuer(join(directory, 'assembly'));
  await measureLatency(join(directory, 'assembly'));
  await measureModes(join(directory, 'assembly'));
  await measureMemory(join(directory, 'assembly'));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
