import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContextTables } from '../../functions/aws/context-tables.ts';
import { createAssumeRole } from '../../functions/aws/role-session.ts';
import { startLocalCloud } from '../../local/cloud.ts';
import { Template } from '../../local/template.ts';
import { median } from './statistics.ts';

const CALLS = 100;

/** What the session of a namespace costs a request: one that begins it, and one that finds it held. The read is of nothing. */
export async function measureSessions(assemblyDir: string): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const cloud = await startLocalCloud({ assemblyDir, dataDir, port: 0, secrets: new Map(), log: () => {} });
  try {
    const template = Template.read(assemblyDir);
    const idOf = (type: string, part: string) =>
      template.ofType(type).find(({ logicalId }) => logicalId.includes(part))?.logicalId ?? '';
    const environment = {
      ...cloud.endpoints,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: `LOCALFUNCTION${idOf('AWS::Lambda::Function', 'ContextStore')}`,
      AWS_SECRET_ACCESS_KEY: 'local',
    };
    // What the SDK reads for itself, as it does in the function.
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = cloud.endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
    process.env['AWS_REGION'] = 'us-east-1';
    const open = () =>
      createContextTables({
        tableName: template.ref(idOf('AWS::DynamoDB::GlobalTable', 'ContextTable')),
        roleArn: template.attribute(idOf('AWS::IAM::Role', 'ContextDataRole'), 'Arn'),
        assumeRole: createAssumeRole(environment),
        clock: () => Math.floor(Date.now() / 1_000),
      });
    const read = async (tables: ReturnType<typeof open>): Promise<number> => {
      const startedAt = performance.now();
      const table = await tables({ orgId: 'acme', namespace: 'bench' });
      const row = table.ok ? await table.value.get({ pk: 'acme#bench', sk: 'DOC#none' }) : table;
      if (!row.ok) throw new Error(row.error.detail);
      return performance.now() - startedAt;
    };
    const held = open();
    await read(held);
    const begun: number[] = [];
    const known: number[] = [];
    for (let call = 0; call < CALLS; call += 1) {
      begun.push(await read(open()));
      known.push(await read(held));
    }
    console.log(`\nread of one row, ${CALLS} times each, in turns   p50 ms`);
    console.log(`with AssumeRole before it                  ${median(begun).toFixed(2).padStart(6)}`);
    console.log(`with the session held                      ${median(known).toFixed(2).padStart(6)}`);
    console.log(
      `ratio of the medians                       ${(median(begun) / median(known)).toFixed(1).padStart(6)}`,
    );
  } finally {
    await cloud.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
