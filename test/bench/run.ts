import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../local/synthesize.ts';
import { measureAudit } from './audit.ts';
import { measureBundles } from './bundles.ts';
import { measureContext } from './context.ts';
import { measureDecisions } from './decisions.ts';
import { measureHandler } from './handler.ts';
import { measureIssuer } from './issuer.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { measureModes } from './modes.ts';

/** What there is to measure, by name: `npm run bench -- latency context`. */
const MEASURES: Readonly<Record<string, (assemblyDirectory: string) => void | Promise<void>>> = {
  bundles: measureBundles,
  decisions: measureDecisions,
  handler: measureHandler,
  audit: measureAudit,
  issuer: measureIssuer,
  latency: measureLatency,
  modes: measureModes,
  memory: measureMemory,
  context: measureContext,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(MEASURES, name));
if (unknown !== undefined) {
  console.error(`\`${unknown}\` is not one of ${Object.keys(MEASURES).join(', ')}`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  console.log('synthesizing');
  const assemblyDirectory = join(directory, 'assembly');
  await synthesize({ outDir: assemblyDirectory, stage: 'local' });
  for (const [name, measure] of Object.entries(MEASURES)) {
    if (names.length === 0 || names.includes(name)) await measure(assemblyDirectory);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
