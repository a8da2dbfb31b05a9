import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSecretVariables } from './secret-variables.ts';

/** Files in which the value of a secret variable is the secret `env/NAME` (contract §9). */
const FILES = ['idps.yml', 'providers.yml'] as const;

/**
 * The secrets that a configuration refers to by variables and that this environment has: full name → value. They seed the local mode;
 * nothing else reads them from here.
 */
export async function readEnvironmentSecrets(
  directory: string,
  stage: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  for (const file of FILES) {
    // A file that cannot be read is refused where the configuration is read.
    const source = await readFile(join(directory, file), 'utf8').catch(() => '');
    for (const name of findSecretVariables(source)) {
      const value = env[name];
      if (value) secrets.set(`sallyport/${stage}/env/${name}`, value);
    }
  }
  return secrets;
}
