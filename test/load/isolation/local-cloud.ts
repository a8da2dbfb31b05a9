import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalCloud } from '../../../local/cloud.ts';
import { synthesize } from '../../../local/synthesize.ts';
import type { CloudIsolationOptions } from '../cloud-isolation.ts';

const STAGE = 'local';
/** Environments of each function: few, so that each serves many callers. */
const MAX_ENVIRONMENTS = 16;

/** Starts the local cloud in this process, with a freshly synthesized stack. */
export const startForLoad: CloudIsolationOptions['start'] = async ({ config, clients, credentials }) => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-load-'));
  const assemblyDir = join(directory, 'assembly');
  const dataDirectory = join(directory, 'data');
  await synthesize({ outDir: assemblyDir, stage: STAGE });
  const secrets = [
    ...clients.map((id) => [`sallyport/{stage}/clients/${id}`, `${id}-secret`] as const),
    ...Object.entries(credentials),
  ];
  const cloud = await startLocalCloud({
    assemblyDir,
    dataDir: dataDirectory,
    port: 0,
    secrets: new Map(secrets.map(([name, value]) => [name.replace('{stage}', STAGE), value])),
    maxEnvironments: MAX_ENVIRONMENTS,
    log: () => {},
  });
  const applied = await cloud.invoke('control', { apply: { source: 'dev', files: config } });
  if (!JSON.stringify(applied).includes('"ok":true')) throw new Error(JSON.stringify(applied));
  return {
    origin: cloud.origin,
    dataDirectory,
    async close() {
      await cloud.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
