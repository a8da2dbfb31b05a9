import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readIfPresent, writeAtomically } from '../atomic-file.ts';
import { AwsError } from '../endpoint/aws-call.ts';
import { parseObject, toObject } from '../json.ts';
import type { SecretsManager } from '../secrets-manager.ts';
import type { Template } from '../template.ts';
import { createPassword } from './random-password.ts';

/** Creates the template's secrets that do not exist yet: generated, or with the value that the template gives. */
export function createTemplateSecrets(template: Template, manager: SecretsManager): void {
  for (const { logicalId, properties } of template.ofType('AWS::SecretsManager::Secret')) {
    const name = template.text(properties['Name']) ?? `${template.stackName}-${logicalId}`;
    const generate = properties['GenerateSecretString'];
    const SecretString =
      generate === undefined
        ? template.text(properties['SecretString'])
        : createGenerated(toObject(template.resolve(generate)));
    if (!exists(manager, name))
      manager.call({ operation: 'CreateSecret', input: { Name: name, SecretString } });
  }
}

/**
 * Gives secrets their seed values. A seed is put as a new version only when the seed itself changed since the last start, so
 * that a rotation in between survives.
 */
export function seedSecrets(
  directory: string,
  manager: SecretsManager,
  secrets: ReadonlyMap<string, string>,
): void {
  const file = join(directory, 'secret-seeds.json');
  const seeded = parseObject(readIfPresent(file) ?? '{}') ?? {};
  const digests = Object.fromEntries(
    [...secrets].map(([name, value]) => [name, createHash('sha256').update(value).digest('hex')]),
  );
  for (const [name, SecretString] of secrets) {
    if (!exists(manager, name)) {
      manager.call({ operation: 'CreateSecret', input: { Name: name, SecretString } });
    } else if (seeded[name] !== digests[name]) {
      manager.call({ operation: 'PutSecretValue', input: { SecretId: name, SecretString } });
    }
  }
  writeAtomically(file, JSON.stringify({ ...seeded, ...digests }));
}

function createGenerated(parameters: ReturnType<typeof toObject>): string {
  const password = createPassword(parameters);
  const template = parameters['SecretStringTemplate'];
  const key = parameters['GenerateStringKey'];
  if (typeof template !== 'string' || typeof key !== 'string') return password;
  return JSON.stringify({ ...parseObject(template), [key]: password });
}

function exists(manager: SecretsManager, name: string): boolean {
  try {
    manager.call({ operation: 'DescribeSecret', input: { SecretId: name } });
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}
