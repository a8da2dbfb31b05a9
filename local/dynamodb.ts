import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import type { Authorization } from './dynamodb/authorization.ts';
import { toPlainItem } from './dynamodb/dynamodb-item.ts';
import type { AwsAnswer, AwsCall } from './endpoint/aws-call.ts';
import { type AwsService, parseAwsJson, refuseJson, startAwsEndpoint } from './endpoint/aws-endpoint.ts';
import { type Faults, tablesOf } from './endpoint/faults.ts';
import type { LoopbackServer } from './endpoint/loopback-server.ts';
import { toObject } from './json.ts';
import type { Template } from './template.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.0';

/** What CreateTable takes of a template's table. */
const TABLE_PROPERTIES = [
  'AttributeDefinitions',
  'KeySchema',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
];

/** Where the audit table has what is no record. */
const CHECKPOINT = 'CHECKPOINT#';

/** Settings of the local DynamoDB. */
export type DynamodbOptions = {
  readonly template: Template;
  readonly directory: string;
  readonly faults: Faults;
  /** Refuses what the caller's role does not allow, before the engine sees it. */
  readonly authorize: Authorization;
  /** Table whose items are copied to a file as they are put, one JSON line each. */
  readonly audit: { readonly table: string; readonly file: string } | undefined;
};

/**
 * Runs DynamoDB (dynalite) with the template's tables. It has no transactions, no PartiQL, no streams, and removes nothing
 * that is past its TTL.
 */
export async function startDynamodb(options: DynamodbOptions): Promise<LoopbackServer> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const engine = dynalite({ path: options.directory, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // Never called over HTTP, but dynalite closes its database only when its server was listening.
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const closeEngine = () => new Promise<void>((resolve) => engine.close(() => resolve()));
  try {
    await createTables(options.template, (operation, input) => run(engine, operation, JSON.stringify(input)));
    const service: AwsService = {
      name: 'dynamodb',
      parse: parseAwsJson('DynamoDB_20120810'),
      answer: async (call) => {
        options.authorize(call);
        const answer = await run(engine, call.operation, call.body.toString());
        if (answer.status === 200) copyAudit(call, options.audit);
        return answer;
      },
      refuse: (error) => refuseJson(error, CONTENT_TYPE),
      throttling: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      failure: 'com.amazonaws.dynamodb.v20120810#InternalServerError',
      denial: 'com.amazon.coral.service#AccessDeniedException',
    };
    const endpoint = await startAwsEndpoint(service, options.faults);
    return { url: endpoint.url, close: () => endpoint.close().then(closeEngine) };
  } catch (error) {
    await closeEngine();
    throw error;
  }
}

/** Hands a call to dynalite's request listener. A listener that sees a broken connection throws: it never sees a real one. */
function run(engine: ReturnType<typeof dynalite>, operation: string, body: string): Promise<AwsAnswer> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    method: 'POST',
    url: '/',
    headers: {
      'content-type': CONTENT_TYPE,
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      'x-amz-date': '20000101T000000Z',
      authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
    },
  });
  return new Promise((resolve) => {
    const headers: Record<string, string> = {};
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: unknown) => {
        headers[name.toLowerCase()] = String(value);
      },
      end: (text: string) => {
        const crc = headers['x-amz-crc32'];
        resolve({
          status: response.statusCode,
          contentType: CONTENT_TYPE,
          body: text,
          ...(crc === undefined ? {} : { headers: { 'x-amz-crc32': crc } }),
        });
      },
    };
    engine.emit('request', request, response);
  });
}

async function createTables(
  template: Template,
  call: (operation: string, input: object) => Promise<AwsAnswer>,
): Promise<void> {
  for (const { logicalId, properties } of template.ofType(
    'AWS::DynamoDB::Table',
    'AWS::DynamoDB::GlobalTable',
  )) {
    const TableName = template.ref(logicalId);
    const known = await call('DescribeTable', { TableName });
    if (known.status === 200) continue;
    const resolved = toObject(template.resolve(properties));
    const chosen = TABLE_PROPERTIES.flatMap((name): [string, unknown][] =>
      resolved[name] === undefined ? [] : [[name, resolved[name]]],
    );
    const input = { TableName, BillingMode: 'PAY_PER_REQUEST', ...Object.fromEntries(chosen) };
    const created = await call('CreateTable', input);
    if (created.status !== 200) throw new Error(`cannot create table \`${TableName}\`: ${created.body}`);
    for (let status = ''; status !== 'ACTIVE'; ) {
      const { body } = await call('DescribeTable', { TableName });
      status = /"TableStatus":"(\w+)"/.exec(body)?.[1] ?? '';
    }
  }
}

/** Copies what a successful PutItem put into the audit table. */
function copyAudit({ operation, input }: AwsCall, audit: DynamodbOptions['audit']): void {
  if (audit === undefined || operation !== 'PutItem' || !tablesOf(input).includes(audit.table)) return;
  const item = toPlainItem(toObject(input['Item']));
  if (String(item['pk']).startsWith(CHECKPOINT)) return;
  const line = JSON.stringify(item);
  appendFileSync(audit.file, `${line}\n`, { mode: 0o600 });
}
