import { mkdir } from 'node:fs/promises';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type DemoSecrets, loadDemoSecrets, toNamedSecrets } from './demo-secrets.ts';
import { readEnvironmentSecrets } from './environment-secrets.ts';
import { type Failure, failed, reasonOf } from './outcome.ts';
import { readSecretsFile } from './secrets-file.ts';

/** What Secrets Manager starts with: full name → value; and the demo's own secrets where there is a demo. */
export type Seeds = { readonly named: Map<string, string>; readonly demo: DemoSecrets | undefined };

/** Where secrets come from: beside the configuration, and for the demo from the data directory. */
export type SeedOptions = {
  readonly configDirectory: string;
  readonly dataDirectory: string;
  readonly stage: string;
  readonly isDemo: boolean;
};

/**
 * The secrets of a session; those of `secrets.local.yml` go before those of the environment, and they before the demo's. Makes the data
 * directory.
 */
export async function readSeeds(
  options: SeedOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Result<Seeds, Failure>> {
  const { configDirectory, dataDirectory, stage, isDemo } = options;
  const file = await readSecretsFile(configDirectory, stage);
  if (!file.ok) return file;
  const own = new Map([...(await readEnvironmentSecrets(configDirectory, stage, env)), ...file.value]);
  if (!isDemo) {
    try {
      await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
      return ok({ named: own, demo: undefined });
    } catch (error) {
      return err(failed(`cannot use the data directory ${dataDirectory}: ${reasonOf(error)}`));
    }
  }
  const demo = await loadDemoSecrets(dataDirectory);
  if (!demo.ok) return demo;
  return ok({ named: new Map([...toNamedSecrets(demo.value, stage), ...own]), demo: demo.value });
}

/** The holder of each key, as an API knows it. */
export function byKey(keys: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(keys).map(([holder, key]) => [key, holder]));
}
