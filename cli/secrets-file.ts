import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openYaml } from '../functions/core/configuration/yaml-document.ts';
import { keyName, toValue, type YamlNode } from '../functions/core/configuration/yaml-node.ts';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, failed, reasonOf } from './outcome.ts';

/** Secrets of the local mode, beside its configuration. */
export const SECRETS_FILE = 'secrets.local.yml';

/**
 * Reads `secrets.local.yml`: full name → value, `{stage}` resolved in names, an object written as JSON. Without the file
 * there are no secrets. Errors name lines and never a value.
 */
export async function readSecretsFile(
  directory: string,
  stage: string,
): Promise<Result<Map<string, string>, Failure>> {
  const path = join(directory, SECRETS_FILE);
  let source: string;
  try {
    source = await readFile(path, 'utf8');
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isAbsent ? ok(new Map()) : err(failed(`cannot read ${path}: ${reasonOf(error)}`));
  }
  const refuse = (line: number, message: string) => err(failed(`${path}:${line}: ${message}`));
  let unsoundLine: number | undefined;
  // What is wrong may be told in words of the file, and those are secrets.
  const { contents, lineOf } = openYaml(source, (line) => {
    unsoundLine ??= line;
  });
  if (unsoundLine !== undefined) {
    return refuse(unsoundLine, 'not valid YAML, or a name twice; write what begins with a sign in quotes');
  }
  const secrets = new Map<string, string>();
  if (contents === undefined) return ok(secrets);
  const file = toValue(contents);
  if (file.kind === 'scalar' && file.value === null) return ok(secrets);
  if (file.kind !== 'map') return refuse(1, 'write a map: secret name, then its value');
  for (const { key, value: written } of file.entries) {
    if (key.kind !== 'scalar' || typeof key.value !== 'string') {
      return refuse(lineOf(key), 'a secret’s name is a string');
    }
    const value = toValue(written);
    if (value.kind === 'map') {
      const json = toJson(written);
      // A few aliases may stand for a thousand objects each.
      if (json === undefined) return refuse(lineOf(key), 'write the object out, without aliases');
      secrets.set(resolve(key.value, stage), JSON.stringify(json));
    } else if (value.kind === 'scalar' && typeof value.value === 'string') {
      secrets.set(resolve(key.value, stage), value.value);
    } else return refuse(lineOf(key), `the value of \`${key.value}\` is a string (in quotes) or an object`);
  }
  return ok(secrets);
}

/** Undefined for what has an alias in it. */
function toJson(node: YamlNode): unknown {
  if (node.kind === 'alias') return undefined;
  if (node.kind === 'scalar') return node.value;
  const members = node.kind === 'list' ? node.items : node.entries.map(({ value }) => value);
  const values = members.map(toJson);
  if (values.includes(undefined)) return undefined;
  return node.kind === 'list'
    ? values
    : Object.fromEntries(node.entries.map(({ key }, index) => [keyName(key), values[index]]));
}

function resolve(name: string, stage: string): string {
  return name.replaceAll('{stage}', stage);
}
