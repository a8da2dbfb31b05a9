import { randomBytes } from 'node:crypto';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { LISTED } from '../../functions/aws/documents/listed.ts';
import {
  toHeadKey,
  toHeadRow,
  toPartition,
  toPartKey,
  toPartRowKey,
} from '../../functions/aws/documents/rows.ts';
import {
  createDocument,
  type Document,
  MAX_DOCUMENT_BYTES,
} from '../../functions/core/documents/document.ts';
import { parseDocumentQuery } from '../../functions/core/documents/input.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { isNamespace, isVisible } from '../../functions/core/visibility.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
let nowSeconds = NOW_SECONDS;
let partitions = 0;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({
    tables: table.tables(() => nowSeconds),
    seal: cursorSeal(),
    clock: () => nowSeconds,
  });
});

afterAll(() => table.close());

/** A namespace that no other test has seen. */
function freshNamespace(): string {
  partitions += 1;
  return `test-${partitions}`;
}

const NOT_FOUND = { ok: false, error: { reason: 'not_found' } };

function queryOf(input: Record<string, unknown> = {}) {
  const parsed = parseDocumentQuery(input);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

async function created(caller: ContextCaller, document = newDocument('a.txt')): Promise<Document> {
  const result = await store.create(caller, document);
  if (!result.ok) throw new Error(result.error.reason);
  return result.value;
}

async function listed(caller: ContextCaller, input: Record<string, unknown> = {}) {
  const result = await store.list(caller, queryOf(input));
  if (!result.ok) throw new Error(result.error.reason);
  return result.value;
}

/** Every page, followed by cursor. */
async function listedAll(caller: ContextCaller, input: Record<string, unknown>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listed(caller, cursor === undefined ? input : { ...input, cursor });
    ids.push(...page.documents.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

/** Every sort key of the caller's namespace but the one that says how far it is in its lists. */
async function rowsOf(caller: ContextCaller): Promise<string[]> {
  const output = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: toPartition(caller.orgId, caller.namespace) } },
    }),
  );
  return (output.Items ?? []).map((row) => row['sk']?.S ?? '').filter((sk) => sk !== LISTED);
}

const namespace = fc
  .tuple(fc.constantFrom('a', 'B', '7'), fc.string({ unit: fc.constantFrom(...'aB7._:@-'), maxLength: 6 }))
  .map(([first, rest]) => first + rest);
const documentId = fc.constantFrom('doc_000000000000000000000001', 'doc_000000000000000000000002');

test('two documents of different org, namespace or id never share a key', () => {
  fc.assert(
    fc.property(
      fc.tuple(namespace, namespace, documentId),
      fc.tuple(namespace, namespace, documentId),
      (one, other) => {
        const keys = [one, other].map(([orgId, name, id]) => toHeadKey(toPartition(orgId, name), id));
        const isSame = one.every((part, index) => part === other[index]);
        expect(keys[0]?.pk === keys[1]?.pk && keys[0]?.sk === keys[1]?.sk).toBe(isSame);
      },
    ),
    {
      examples: [
        [
          ['a', 'b:c', 'doc_000000000000000000000001'],
          ['a:b', 'c', 'doc_000000000000000000000001'],
        ],
      ],
    },
  );
});

test('no key is built from a name that is not a namespace', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (orgId, name) => {
      if (isNamespace(orgId) && isNamespace(name))
        expect(toPartition(orgId, name).split('#')).toEqual([orgId, name]);
      else expect(() => toPartition(orgId, name)).toThrow(TypeError);
    }),
    {
      examples: [
        ['a#b', 'c'],
        ['a', 'b#c'],
        ['', 'a'],
        ['a', ''],
      ],
    },
  );
});

describe('a document', () => {
  test('is read as it was created', async () => {
    const caller = contextCaller({ namespace: freshNamespace(), scopeFilters: { root: 'r1' } });
    const metadata = new Map([
      ['__proto__', 'kept'],
      ['', ''],
    ]);
    const document = newDocument('größe.txt');
    const put = await created(caller, {
      ...document,
      description: { ...document.description, tags: ['b', 'a'], metadata },
    });
    expect(put).toMatchObject({ id: document.id, tags: ['b', 'a'], metadata, sizeBytes: 22 });
    expect(put.scope.scopeFilters).toEqual(new Map([['root', 'r1']]));
    expect(await store.info(caller, put.id)).toEqual({ ok: true, value: put });
    const read = await store.read(caller, put.id);
    expect(read).toMatchObject({ ok: true, value: { document: put } });
    expect(read.ok && Buffer.from(read.value.content).toString()).toBe('content of größe.txt');
  });

  test.for([1, 65_535, 65_536, 65_537, 900_000, MAX_DOCUMENT_BYTES])(
    'of %i bytes keeps every byte, and leaves no row behind but a note when it goes',
    async (size) => {
      const caller = contextCaller({ namespace: freshNamespace() });
      const content = randomBytes(size);
      const { id } = await created(caller, newDocument('big.bin', { content }));
      const read = await store.read(caller, id);
      expect(read.ok && content.equals(read.value.content)).toBe(true);
      expect(await store.delete(caller, id, '*')).toEqual({ ok: true, value: [id] });
      expect(await store.read(caller, id)).toEqual(NOT_FOUND);
      expect((await rowsOf(caller)).filter((sk) => !sk.startsWith('REMOVING#'))).toEqual([]);
    },
  );

  test('may be a placeholder: nothing to read, no checksum', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller, newDocument('later.md', { content: null }));
    expect(await store.read(caller, id)).toMatchObject({
      ok: true,
      value: { document: { sizeBytes: 0, checksum: null }, content: Buffer.alloc(0) },
    });
  });

  test('whose content was written without its head is not there', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = newDocument('half.txt');
    const key = toPartRowKey(toPartition(caller.orgId, caller.namespace), id, toPartKey('1', 0));
    await table.client.send(
      new PutItemCommand({
        TableName: table.tableName,
        Item: { pk: { S: key.pk }, sk: { S: key.sk }, bytes: { B: randomBytes(8) } },
      }),
    );
    expect(await store.info(caller, id)).toEqual(NOT_FOUND);
    expect(await store.read(caller, id)).toEqual(NOT_FOUND);
    expect((await listed(caller)).documents).toEqual([]);
  });

  test('that lost a part of its content fails and is never served short', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller, newDocument('big.bin', { content: randomBytes(700_000) }));
    const [, sk = ''] = (await rowsOf(caller)).filter((key) => key.startsWith(`CHUNK#${id}`));
    const pk = toPartition(caller.orgId, caller.namespace);
    await table.client.send(
      new DeleteItemCommand({ TableName: table.tableName, Key: { pk: { S: pk }, sk: { S: sk } } }),
    );
    expect(await store.read(caller, id)).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  });

  test('whose content is cut short fails and is never served short', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller, newDocument('big.bin', { content: randomBytes(65_736) }));
    const [, sk = ''] = (await rowsOf(caller)).filter((key) => key.startsWith(`CHUNK#${id}`));
    const pk = toPartition(caller.orgId, caller.namespace);
    const Item = { pk: { S: pk }, sk: { S: sk }, bytes: { B: randomBytes(99) } };
    await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
    expect(await store.read(caller, id)).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  });

  test('that is deleted under a read is not there', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller);
    const client = table.connect();
    client.middlewareStack.add((next) => async (args) => {
      if (JSON.stringify(args.input).includes('CHUNK#')) await store.delete(caller, id, '*');
      return next(args);
    });
    const interrupted = createDocumentStore({
      tables: table.tables(() => nowSeconds, client),
      seal: cursorSeal(),
      clock: () => nowSeconds,
    });
    expect(await interrupted.read(caller, id)).toEqual(NOT_FOUND);
  });

  test.for([undefined, 'key-1'])(
    'is created once when the answer to a write was lost and the write repeated (idempotency key: %s)',
    async (idempotencyKey) => {
      const caller = contextCaller({ namespace: freshNamespace() });
      const client = table.connect();
      client.middlewareStack.add((next, { commandName }) => async (args) => {
        if (commandName === 'PutItemCommand') await next(args);
        return next(args);
      });
      const repeating = createDocumentStore({
        tables: table.tables(() => nowSeconds, client),
        seal: cursorSeal(),
        clock: () => nowSeconds,
      });
      const document = newDocument('a.txt', { idempotencyKey });
      const result = await repeating.create(caller, document);
      expect(result).toMatchObject({ ok: true, value: { id: document.id } });
      expect((await listed(caller)).documents).toEqual(result.ok ? [result.value] : []);
    },
  );

  test('past its expiry is not there, though its row still is', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller);
    const { pk, sk } = toHeadKey(toPartition(caller.orgId, caller.namespace), id);
    const output = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        KeyConditionExpression: 'pk = :pk AND sk = :sk',
        ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { S: sk } },
      }),
    );
    const expireAt = (seconds: number) =>
      table.client.send(
        new PutItemCommand({
          TableName: table.tableName,
          Item: { ...output.Items?.[0], expires_at: { N: String(seconds) } },
        }),
      );
    await expireAt(nowSeconds + 1);
    expect((await store.info(caller, id)).ok).toBe(true);
    await expireAt(nowSeconds);
    expect(await store.info(caller, id)).toEqual(NOT_FOUND);
    expect(await store.read(caller, id)).toEqual(NOT_FOUND);
    expect(await store.delete(caller, id, '*')).toEqual(NOT_FOUND);
    expect((await listed(caller)).documents).toEqual([]);
  });
});

describe('a caller who may only read', () => {
  test('creates and deletes nothing', async () => {
    const writer = contextCaller({ namespace: freshNamespace() });
    const reader = { ...writer, permissions: 'read' as const };
    const readOnly = { ok: false, error: { reason: 'read_only' } };
    const { id } = await created(writer);
    expect(await store.create(reader, newDocument('b.txt'))).toEqual(readOnly);
    expect(await store.delete(reader, id, '*')).toEqual(readOnly);
    expect((await store.read(reader, id)).ok).toBe(true);
    expect((await listed(reader)).documents).toHaveLength(1);
  });

  test('cannot tell from a refusal that an invisible document exists', async () => {
    const namespaceName = freshNamespace();
    const { id } = await created(contextCaller({ namespace: namespaceName, scopeFilters: { a: '1' } }));
    const reader = contextCaller({ namespace: namespaceName, scopeFilters: { a: '2' }, permissions: 'read' });
    expect(await store.delete(reader, id, '*')).toEqual(NOT_FOUND);
    expect(await store.delete(reader, newDocument('x').id, '*')).toEqual(NOT_FOUND);
  });
});

describe('a list', () => {
  test('goes through every match once, whatever the page size', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const documents = Array.from({ length: 23 }, (_, index) =>
      newDocument(`f${index}.txt`, { tags: index % 2 === 0 ? ['even', 'all'] : ['all'] }),
    );
    await Promise.all(documents.map((document) => created(caller, document)));
    const all = documents.map(({ id }) => id).sort();
    for (const limit of [1, 7, 22, 23, 24]) expect(await listedAll(caller, { limit })).toEqual(all);
    expect(await listedAll(caller, { limit: 5, tags: ['all', 'even'] })).toHaveLength(12);
    expect(await listedAll(caller, { filename: 'F2' })).toHaveLength(4);
    const offset = await listed(caller, { limit: 4, offset: 20 });
    expect(offset.documents.map(({ id }) => id)).toEqual(all.slice(20));
    const middle = await listed(caller, { limit: 4, offset: 10 });
    expect(middle.documents.map(({ id }) => id)).toEqual(all.slice(10, 14));
    expect(
      await listedAll(caller, { limit: 4, offset: 10, cursor: middle.nextCursor }).catch(String),
    ).toContain('offset');
  });

  test('is by age', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    for (const name of ['old', 'new'])
      await created(caller, newDocument(name, { id: idBornAt(name === 'old' ? 1 : 2) }));
    expect((await listed(caller)).documents.map(({ filename }) => filename)).toEqual(['old', 'new']);
  });

  test('has a next page only where there is more to see', async () => {
    const namespaceName = freshNamespace();
    const caller = contextCaller({ namespace: namespaceName, scopeFilters: { a: '1' } });
    const other = contextCaller({ namespace: namespaceName, scopeFilters: { a: '2' } });
    await created(caller, newDocument('mine', { id: idBornAt(1) }));
    for (let age = 2; age < 9; age += 1) await created(other, newDocument('theirs', { id: idBornAt(age) }));
    const page = await listed(caller, { limit: 1 });
    expect(page.documents.map(({ filename }) => filename)).toEqual(['mine']);
    expect(page.nextCursor).toBeUndefined();
  });

  test('goes on past many rows that do not match', async () => {
    const namespaceName = freshNamespace();
    const writer = contextCaller({ namespace: namespaceName, scopeFilters: { a: '1' } });
    const reader = contextCaller({ namespace: namespaceName, scopeFilters: { a: '2' } });
    const others = Array.from({ length: 260 }, (_, index) =>
      newDocument('x', { id: idBornAt(index), content: null }),
    );
    // The first one of a namespace costs more, and those at the same time.
    const last = await created(reader, newDocument('mine', { id: idBornAt(10_000) }));
    await Promise.all(others.map((document) => created(writer, document)));
    expect(await listedAll(reader, { limit: 1 })).toEqual([last.id]);
  });

  test('of little among very many ends its page early and goes on by cursor', async () => {
    const writer = contextCaller({ namespace: freshNamespace() });
    const { content, ...rest } = newDocument('x', { content: null });
    const rows = Array.from({ length: 10_010 }, (_, age) => {
      const id = idBornAt(age);
      const birth = { id, nowSeconds, scope: writer };
      return toHeadRow({
        document: createDocument(rest.description, content, birth),
        parts: [],
        write: 'w',
        incarnation: undefined,
        claim: undefined,
      });
    });
    for (let at = 0; at < rows.length; at += 25) {
      const puts = rows.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
      await table.client.send(new BatchWriteItemCommand({ RequestItems: { [table.tableName]: puts } }));
    }
    const last = await created(writer, newDocument('needle', { id: idBornAt(20_000) }));
    const query = { filename: 'needle', limit: 1 };
    const first = await listed(writer, query);
    expect(first.documents).toEqual([]);
    const second = await listed(writer, { ...query, cursor: first.nextCursor });
    expect(second.documents.map(({ id }) => id)).toEqual([last.id]);
    expect(second.nextCursor).toBeUndefined();
    const skipping = await listed(writer, { limit: 1, offset: 10_000 });
    expect(skipping.documents).toEqual([]);
    const { documents } = await listed(writer, { limit: 1, cursor: skipping.nextCursor });
    expect(documents.map(({ id }) => id.slice(0, 12))).toEqual(['doc_00002710']);
  });

  test('refuses a cursor of another caller, scope or query, and one that was changed', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    for (let age = 0; age < 3; age += 1)
      await created(caller, newDocument('a.txt', { id: idBornAt(age), tags: ['t'] }));
    const query = { limit: 1, tags: ['t'] };
    const { nextCursor = '' } = await listed(caller, query);
    expect((await listed(caller, { ...query, limit: 2, cursor: nextCursor })).documents).toHaveLength(2);
    const strangers: [ContextCaller, Record<string, unknown>][] = [
      [{ ...caller, callerKey: 'agent-2' }, query],
      [{ ...caller, namespace: freshNamespace() }, query],
      [{ ...caller, orgId: 'other' }, query],
      [{ ...caller, scopeFilters: new Map([['a', '1']]) }, query],
      [caller, { limit: 1 }],
      [caller, { ...query, filename: 'a' }],
    ];
    for (const [stranger, input] of strangers) {
      const refused = await store.list(stranger, queryOf({ ...input, cursor: nextCursor }));
      expect(refused).toEqual({ ok: false, error: { reason: 'invalid_cursor' } });
    }
    for (const cursor of ['x', `${nextCursor}A`, nextCursor.slice(1)]) {
      const refused = await store.list(caller, queryOf({ ...query, cursor }));
      expect(refused).toEqual({ ok: false, error: { reason: 'invalid_cursor' } });
    }
  });
});

describe('an idempotency key', () => {
  const idempotencyKey = 'key-1';
  const withKey = (filename: string) => newDocument(filename, { idempotencyKey });

  test('makes one document, however often and at once it comes', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const results = await Promise.all(Array.from({ length: 8 }, () => created(caller, withKey('a.txt'))));
    expect(new Set(results.map(({ id }) => id)).size).toBe(1);
    const { documents } = await listed(caller);
    expect(documents).toHaveLength(1);
    expect(documents[0]).toEqual(results[0]);
    expect((await store.read(caller, results[0]?.id ?? '')).ok).toBe(true);
  });

  test('that comes with another document conflicts', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    await created(caller, withKey('a.txt'));
    const reused = { ok: false, error: { reason: 'idempotency_conflict', cause: 'reused' } };
    expect(await store.create(caller, withKey('b.txt'))).toEqual(reused);
    const otherContent = { ...withKey('a.txt'), content: randomBytes(4) };
    expect(await store.create(caller, otherContent)).toEqual(reused);
    expect(await store.create(caller, { ...withKey('a.txt'), content: null })).toEqual(reused);
  });

  test('of another caller, namespace or scope is another key', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const callers = [
      caller,
      { ...caller, callerKey: 'agent-2' },
      { ...caller, orgId: 'other' },
      { ...caller, scopeFilters: new Map([['a', '1']]) },
    ];
    const ids = await Promise.all(callers.map(async (one) => (await created(one, withKey('a.txt'))).id));
    expect(new Set(ids).size).toBe(callers.length);
  });

  test('does not bring a deleted document back', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const { id } = await created(caller, withKey('a.txt'));
    await store.delete(caller, id, '*');
    const gone = { ok: false, error: { reason: 'idempotency_conflict', cause: 'gone' } };
    expect(await store.create(caller, withKey('a.txt'))).toEqual(gone);
  });

  test('finishes under the same id what died half-way', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const first = await created(caller, withKey('a.txt'));
    const { pk, sk } = toHeadKey(toPartition(caller.orgId, caller.namespace), first.id);
    await table.client.send(
      new DeleteItemCommand({ TableName: table.tableName, Key: { pk: { S: pk }, sk: { S: sk } } }),
    );
    expect(await created(caller, { ...withKey('a.txt'), nowSeconds: NOW_SECONDS + 60 })).toEqual(first);
  });

  test('is forgotten after a day', async () => {
    const caller = contextCaller({ namespace: freshNamespace() });
    const first = await created(caller, withKey('a.txt'));
    nowSeconds = NOW_SECONDS + 86_399;
    expect((await created(caller, withKey('a.txt'))).id).toBe(first.id);
    nowSeconds = NOW_SECONDS + 86_400;
    expect((await created(caller, withKey('b.txt'))).id).not.toBe(first.id);
    nowSeconds = NOW_SECONDS;
  });
});

test('a table that cannot be reached is unavailable on every operation, never empty', async () => {
  const client = new DynamoDBClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const broken = createDocumentStore({
    tables: table.tables(() => nowSeconds, client),
    seal: cursorSeal(),
    clock: () => nowSeconds,
  });
  const caller = contextCaller();
  const { id } = newDocument('a.txt');
  const answers = await Promise.all([
    broken.create(caller, newDocument('a.txt')),
    broken.create(caller, newDocument('a.txt', { idempotencyKey: 'k' })),
    broken.info(caller, id),
    broken.read(caller, id),
    broken.list(caller, queryOf()),
    broken.delete(caller, id, '*'),
  ]);
  for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
});

test('whatever callers do, each sees what a plain model says it sees, and nothing of another namespace', async () => {
  const prefix = freshNamespace();
  const callers = fc.record({
    orgId: fc.constantFrom('acme', 'acme-2'),
    namespace: fc.constantFrom(prefix, `${prefix}:x`),
    scopeFilters: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
    permissions: fc.constantFrom('read' as const, 'write' as const),
  });
  const operation = fc.record({
    caller: callers,
    kind: fc.constantFrom('create', 'create', 'info', 'read', 'list', 'delete'),
    target: fc.nat(20),
    tags: fc.subarray(['x', 'y']),
  });
  const model = new Map<string, Document>();
  const ids: string[] = [newDocument('never').id];
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 25 }), async (operations) => {
      for (const { caller: changes, kind, target, tags } of operations) {
        const caller = contextCaller(changes);
        const id = ids[target % ids.length] ?? '';
        const known = model.get(id);
        const seen = known !== undefined && isVisible(caller, known.scope) ? known : undefined;
        if (kind === 'create') {
          const document = newDocument(`f${ids.length}`, { tags });
          const result = await store.create(caller, document);
          expect(result.ok).toBe(caller.permissions === 'write');
          if (result.ok) model.set(document.id, result.value);
          ids.push(document.id);
        } else if (kind === 'info') {
          expect(await store.info(caller, id)).toEqual(seen ? { ok: true, value: seen } : NOT_FOUND);
        } else if (kind === 'read') {
          const result = await store.read(caller, id);
          expect(result).toMatchObject(seen ? { ok: true, value: { document: seen } } : NOT_FOUND);
        } else if (kind === 'list') {
          const expected = [...model.values()]
            .filter(({ scope }) => isVisible(caller, scope))
            .filter((document) => tags.every((tag) => document.tags.includes(tag)))
            .map((document) => document.id);
          expect(await listedAll(caller, { limit: 3, tags })).toEqual(expected.sort());
        } else {
          const result = await store.delete(caller, id, '*');
          if (seen === undefined) expect(result).toEqual(NOT_FOUND);
          else if (caller.permissions === 'read')
            expect(result).toMatchObject({ error: { reason: 'read_only' } });
          else expect(result).toEqual({ ok: true, value: [id] });
          if (result.ok) model.delete(id);
        }
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

function idBornAt(age: number): string {
  return newDocument('x').id.replace(/^doc_.{8}/, `doc_${age.toString(16).padStart(8, '0')}`);
}
