import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../../local/atomic-file.ts';

/** The clock of functions, ahead of the machine's by as much as was said. */
export type FunctionClock = {
  /** Puts it forward; all functions see that with the next time that they read. Their timers run as before. */
  pass(seconds: number): void;
};

/**
 * Has every function of an assembly go by a clock that can be put forward: what they keep for a minute is then old without the minute.
 * Changes the bundles, which nothing may have loaded yet.
 * @throws Error where the assembly has no functions
 */
export function putInClock(assemblyDirectory: string): FunctionClock {
  const file = join(assemblyDirectory, 'ahead-ms');
  let aheadMs = 0;
  const write = () => writeAtomically(file, `${aheadMs}`);
  const clock = `import { readFileSync as readAhead } from 'node:fs';
const machineNow = Date.now;
Date.now = () => machineNow() + Number(readAhead(${JSON.stringify(file)}, 'utf8'));
`;
  const bundles = globSync(join(assemblyDirectory, 'asset.*', 'index.mjs'));
  if (bundles.length === 0) throw new Error(`no functions in ${assemblyDirectory}`);
  for (const bundle of bundles) writeFileSync(bundle, clock + readFileSync(bundle, 'utf8'));
  write();
  return {
    pass(seconds) {
      aheadMs += seconds * 1000;
      write();
    },
  };
}
