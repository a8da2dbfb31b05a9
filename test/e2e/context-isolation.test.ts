import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createContextTables } from '../../functions/aws/context-tables.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { createAssumeRole } from '../../functions/aws/role-session.ts';
import type { ArchivedDocument } from '../../functions/core/documents/archive.ts';
import { parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { findDefinition } from '../../functions/core/documents/relation.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { Template } from '../../local/template.ts';
import { contextCaller, cursorSeal, newDocument } from '../support/context-callers.ts';

/** What the context store's function is given by its platform, and nothing of a developer. */
let environment: Record<string, string>;
let cloud: LocalCloud;
let directory: string;
let tableName: string;
let roleArn: string;
let gatewayKeyId: string;
const clock = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  const assemblyDir = inject('assemblyDirectory');
  directory = mkdtempSync(join(tmpdir(), 'sallyport-isolation-'));
  cloud = await startLocalCloud({
    assemblyDir,
    dataDir: directory,
    port: 0,
    secrets: new Map(),
    log: () => {},
  });
  const template = Template.read(assemblyDir);
  const idOf = (name: string) =>
    template.ofType('AWS::Lambda::Function').find(({ logicalId }) => logicalId.startsWith(name))?.logicalId ??
    '';
  const table = template
    .ofType('AWS::DynamoDB::GlobalTable')
    .find(({ logicalId }) => logicalId.includes('ContextTable'));
  const role = template
    .ofType('AWS::IAM::Role')
    .find(({ logicalId }) => logicalId.startsWith('ContextDataRole'));
  tableName = template.ref(table?.logicalId ?? '');
  roleArn = template.attribute(role?.logicalId ?? '', 'Arn');
  gatewayKeyId = `LOCALFUNCTION${idOf('Gateway')}`;
  // What the SDK reads for itself, as it does in the function; this process runs nothing but this file.
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = cloud.endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
  process.env['AWS_REGION'] = 'us-east-1';
  environment = {
    ...cloud.endpoints,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: `LOCALFUNCTION${idOf('ContextStore')}`,
    AWS_SECRET_ACCESS_KEY: 'local',
  };
});
afterAll(async () => {
  await cloud?.close();
  rmSync(directory, { recursive: true, force: true });
});

const ALPHA = { orgId: 'acme', namespace: 'alpha' };
const FOREIGN = [
  { orgId: 'acme', namespace: 'beta' },
  { orgId: 'globex', namespace: 'alpha' },
  { orgId: 'acme', namespace: 'alphabet' },
] as const;

function clientWith(credentials: {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}): DynamoDBClient {
  const endpoint = cloud.endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '';
  return new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
}

async function sessionOf({ orgId, namespace }: { orgId: string; namespace: string }) {
  const session = await createAssumeRole(environment)({
    roleArn,
    name: 'a-test',
    tags: { org: orgId, namespace },
  });
  if (!session.ok) throw new Error(session.error.detail);
  return session.value;
}

/** Every way in which the data role may touch the table, aimed at one partition. */
function touches(client: DynamoDBClient, pk: string): readonly [string, () => Promise<unknown>][] {
  // Of no kind that the store reads: what is left of it is no document.
  const Key = { pk: { S: pk }, sk: { S: 'TOUCHED' } };
  const TableName = tableName;
  const values = { ':pk': { S: pk } };
  return [
    ['GetItem', () => client.send(new GetItemCommand({ TableName, Key }))],
    ['PutItem', () => client.send(new PutItemCommand({ TableName, Item: Key }))],
    ['UpdateItem', () => client.send(new UpdateItemCommand({ TableName, Key }))],
    ['DeleteItem', () => client.send(new DeleteItemCommand({ TableName, Key }))],
    [
      'BatchGetItem',
      () => client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key] } } })),
    ],
    [
      'BatchWriteItem',
      () =>
        client.send(
          new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: Key } }] } }),
        ),
    ],
    [
      'Query',
      () =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: values,
          }),
        ),
    ],
  ];
}

const DENIED = { name: 'AccessDeniedException' };

describe('a session of the data role', () => {
  test('touches the partition of its tags in every way, and no other in any', async () => {
    const client = clientWith(await sessionOf(ALPHA));
    for (const [operation, touch] of touches(client, 'acme#alpha')) {
      expect(await touch().then(() => 'done', String), operation).toBe('done');
    }
    for (const pk of ['acme#beta', 'globex#alpha', 'acme#alphabet', 'acme#', 'acme', '*', 'acme#alpha#']) {
      for (const [, touch] of touches(client, pk)) await expect(touch()).rejects.toMatchObject(DENIED);
    }
    client.destroy();
  });

  test('can neither scan, nor query by statement, nor take a foreign key along in a batch', async () => {
    const client = clientWith(await sessionOf(ALPHA));
    await expect(client.send(new ScanCommand({ TableName: tableName }))).rejects.toMatchObject(DENIED);
    const Statement = `SELECT * FROM "${tableName}" WHERE pk = 'acme#alpha'`;
    await expect(client.send(new ExecuteStatementCommand({ Statement }))).rejects.toMatchObject(DENIED);
    const keys = ['acme#alpha', 'acme#beta'].map((pk) => ({ pk: { S: pk }, sk: { S: 'x' } }));
    const RequestItems = { [tableName]: { Keys: keys } };
    await expect(client.send(new BatchGetItemCommand({ RequestItems }))).rejects.toMatchObject(DENIED);
    client.destroy();
  });

  test('is begun by the context store alone, with both tags of a tenant and no others', async () => {
    const begin = async (tags: Record<string, string>, changes: Record<string, string> = {}) =>
      (await createAssumeRole({ ...environment, ...changes })({ roleArn, name: 'a-test', tags })).ok;
    const tags = { org: 'acme', namespace: 'alpha' };
    expect(await begin(tags)).toBe(true);
    expect(await begin({})).toBe(false);
    expect(await begin({ org: 'acme' })).toBe(false);
    expect(await begin({ ...tags, admin: 'yes' })).toBe(false);
    expect(await begin(tags, { AWS_ACCESS_KEY_ID: gatewayKeyId })).toBe(false);
    expect(await begin(tags, { AWS_ACCESS_KEY_ID: 'developer' })).toBe(false);
    const session = await sessionOf(ALPHA);
    const chained = {
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
    };
    expect(await begin(tags, chained)).toBe(false);
  });

  test('is nobody without its own token', async () => {
    const { accessKeyId, secretAccessKey } = await sessionOf(ALPHA);
    const strangers = [
      { accessKeyId, secretAccessKey, sessionToken: 'made-up' },
      { accessKeyId: 'ASIA0000000000000000', secretAccessKey, sessionToken: 'made-up' },
    ];
    for (const credentials of strangers) {
      const client = clientWith(credentials);
      const [[, touch] = ['', async () => undefined]] = touches(client, 'acme#alpha');
      await expect(touch()).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
      client.destroy();
    }
  });
});

test('an STS that is down opens nothing, and is asked again', async () => {
  const tables = createContextTables({
    tableName,
    roleArn,
    assumeRole: createAssumeRole(environment),
    clock,
  });
  const faults = (init: RequestInit) => fetch(`${cloud.controlUrl}/faults`, init);
  for (const mode of ['error', 'deny', 'throttle']) {
    await faults({ method: 'POST', body: JSON.stringify({ service: 'sts', mode }) });
    expect(await tables(ALPHA)).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    await faults({ method: 'DELETE' });
  }
  expect((await tables(ALPHA)).ok).toBe(true);
});

test('the function itself reaches no document without such a session', async () => {
  const client = clientWith({
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: 'local',
  });
  for (const [, touch] of touches(client, 'acme#alpha')) await expect(touch()).rejects.toMatchObject(DENIED);
  client.destroy();
});

/** A document out of an archive. */
const ARCHIVED: Omit<ArchivedDocument, 'id'> = {
  filename: 'x.txt',
  contentType: 'text/plain',
  tags: [],
  metadata: new Map(),
  filters: new Map(),
  version: 1,
  createdAtSeconds: 0,
  updatedAtSeconds: 0,
  expiresAtSeconds: null,
  content: null,
};

/** Every operation of the store, on one document. */
function operations(
  store: DocumentStore,
  caller: ContextCaller,
  id: string,
): readonly (() => Promise<{ readonly ok: boolean }>)[] {
  const edit = parseEditRequest({ offset: 0, new_string: 'x' });
  const definition = findDefinition('related');
  if (!edit.ok || definition === undefined) throw new Error('malformed test');
  const relationId = `rel_${'0'.repeat(24)}`;
  const relation = {
    definition,
    fromId: id,
    toId: `doc_${'1'.repeat(24)}`,
    fromToNote: null,
    toFromNote: null,
  };
  const query = { filename: undefined, tags: [], limit: 10, offset: 0, cursor: undefined };
  return [
    () => store.create(caller, newDocument('x.txt')),
    () => store.create(caller, newDocument('x.txt', { idempotencyKey: 'k' })),
    () => store.info(caller, id),
    () => store.read(caller, id),
    () => store.readRange(caller, id, { offset: 0, limit: 1 }),
    () => store.list(caller, query),
    () => store.search(caller, { terms: ['secret'], limit: 10, includeRelations: false }),
    () => store.write(caller, id, new Uint8Array([1]), '*'),
    () => store.edit(caller, id, edit.value, '*'),
    () => store.walk(caller, undefined, 10),
    () => store.restore(caller, { type: 'document', document: { ...ARCHIVED, id } }),
    () =>
      store.restore(caller, {
        type: 'relation',
        relation: { ...relation, id: relationId, createdAtSeconds: 0 },
      }),
    () => store.relate(caller, relation),
    () => store.relationsOf(caller, [id]),
    () => store.someRelationsOf(caller, [id]),
    () => store.relationPage(caller, id, { limit: 1, cursor: undefined }),
    () => store.annotate(caller, relationId, { fromToNote: 'x' }),
    () => store.unrelate(caller, relationId),
    () => store.delete(caller, id, '*'),
  ];
}

test('with the namespace mixed up in the code, nothing crosses: IAM refuses every operation', async () => {
  const tables = createContextTables({
    tableName,
    roleArn,
    assumeRole: createAssumeRole(environment),
    clock,
  });
  const honest = createDocumentStore({ tables, seal: cursorSeal(), clock });
  // The session is always alpha's, whoever asks: as if the code looked up the wrong tenant.
  const confused = createDocumentStore({ tables: () => tables(ALPHA), seal: cursorSeal(), clock });
  for (const scope of FOREIGN) {
    const owner = contextCaller(scope);
    const made = await honest.create(owner, newDocument('secret.txt'));
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    for (const operate of operations(confused, owner, made.value.id)) {
      expect(await operate()).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    }
    const read = await honest.read(owner, made.value.id);
    expect(read.ok && Buffer.from(read.value.content).toString()).toBe('content of secret.txt');
  }
  const own = contextCaller(ALPHA);
  const made = await confused.create(own, newDocument('own.txt'));
  expect(made.ok && (await confused.read(own, made.value.id)).ok).toBe(true);
});
