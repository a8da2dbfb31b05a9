import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledFiles } from './bundle.ts';

/** Seeds the local mode with secrets; a deployment never sees it (contract §9). */
const NEVER_DEPLOYED = 'secrets.local';

/**
 * The configuration of one deployment: the YAML files of a directory, by the path that they get beside the bundle.
 * @throws Error where there are none: a deployment without a policy would refuse everything
 */
export function configurationFiles(directory: string): BundledFiles {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.yml') && !name.startsWith(NEVER_DEPLOYED))
    .sort();
  if (names.length === 0) throw new Error(`no configuration files in \`${directory}\``);
  return new Map(names.map((name) => [`config/${name}`, join(directory, name)]));
}

/** A digest of names and contents: it changes exactly when there is something to apply. */
export function contentHash(files: BundledFiles): string {
  const hash = createHash('sha256');
  for (const [name, source] of files) {
    const content = readFileSync(source);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
