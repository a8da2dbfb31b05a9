import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
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
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const refuse = (offset: number, message: string) =>
    err(failed(`${path}:${lines.linePos(offset).line}: ${message}`));
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) return refuse(syntaxError.pos[0], `not valid YAML (${syntaxError.code})`);
  const secrets = new Map<string, string>();
  if (document.contents === null) return ok(secrets);
  if (!isMap(document.contents)) return refuse(0, 'write a map: secret name, then its value');
  for (const { key, value } of document.contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    if (!isScalar(key) || typeof key.value !== 'string') return refuse(offset, 'a secret’s name is a string');
    if (isMap(value)) secrets.set(resolve(key.value, stage), JSON.stringify(value.toJS(document)));
    else if (isScalar(value) && typeof value.value === 'string')
      secrets.set(resolve(key.value, stage), value.value);
    else return refuse(offset, `the value of \`${key.value}\` is a string (in quotes) or an object`);
  }
  return ok(secrets);
}

function resolve(name: string, stage: string): string {
  return name.replaceAll('{stage}', stage);
}
