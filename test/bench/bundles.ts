import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './statistics.ts';

const RUNS = 10;

/** What importing a bundle needs to be there. */
const ENVIRONMENT = {
  SALLYPORT_STAGE: 'bench',
  AUTH_TABLE: 'auth',
  AUDIT_TABLE: 'audit',
  AUDIT_RETENTION_DAYS: '365',
  CONTEXT_TABLE: 'context',
  CONTEXT_ROLE_ARN: 'arn:aws:iam::000000000000:role/context',
  ISSUER_KEY_ARNS: 'A1=arn:aws:kms:us-east-1:000000000000:key/issuer',
  IDENTITY_KEY_ARNS: 'A1=arn:aws:kms:us-east-1:000000000000:key/identity',
  CONNECTION_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/connection',
  SEALING_SECRET: 'sallyport/bench/sealing',
  EDGE_SECRET: '',
  ALLOWED_ORIGINS: '',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
};

const PROGRAM = `
globalThis.awslambda = { streamifyResponse: (handler) => handler };
const startedAt = performance.now();
const { handler } = await import(process.argv[1]);
if (typeof handler !== 'function') throw new Error('no handler');
process.stdout.write(String(performance.now() - startedAt));`;

/** Size and import time of every bundle of an assembly, each import in a process of its own. */
export function measureBundles(assemblyDirectory: string): void {
  console.log('\nfunction        bundle KB   import ms (median, min of 10 processes)');
  for (const { name, path } of findBundles(assemblyDirectory)) {
    const times = Array.from({ length: RUNS }, () =>
      Number(
        execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM, path], {
          env: ENVIRONMENT,
        }).toString(),
      ),
    );
    const kilobytes = Math.round(statSync(path).size / 1024);
    const figures = `${median(times).toFixed(1)} (${Math.min(...times).toFixed(1)})`;
    console.log(`${name.padEnd(16)}${String(kilobytes).padStart(9)}   ${figures}`);
  }
}

function findBundles(assemblyDirectory: string): readonly { readonly name: string; readonly path: string }[] {
  const file = readdirSync(assemblyDirectory).find((name) => name.endsWith('.template.json')) ?? '';
  const { Resources } = JSON.parse(readFileSync(join(assemblyDirectory, file), 'utf8'));
  return Object.entries<Record<string, Record<string, string>>>(Resources)
    .filter(([, resource]) => String(resource['Type']) === 'AWS::Lambda::Function')
    .map(([logicalId, resource]) => ({
      name: logicalId.replace(/Function[0-9A-F]*$|[0-9A-F]{8}$/, ''),
      path: join(assemblyDirectory, resource['Metadata']?.['aws:asset:path'] ?? '', 'index.mjs'),
    }));
}
