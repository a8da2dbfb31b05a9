import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toHeadRow, toPartition } from '../../functions/aws/documents/rows.ts';
import {
  createDocument,
  type Document,
  MAX_DOCUMENT_BYTES,
  sha256,
} from '../../functions/core/documents/document.ts';
import { type Edit, parseEditRequest } from '../../functions/core/documents/edit.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { countWrites, dieAtWrite } from '../support/document-tables.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
let caller: ContextCaller;
let namespaces = 0;
const clock = () => NOW_SECONDS + 5;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

const NOT_FOUND = { ok: false, error: { reason: 'not_found' } };
const CONFLICT = { ok: false, error: { reason: 'version_conflict' } };
const bytes = (text: string) => new TextEncoder().encode(text);

function fresh(): ContextCaller {
  namespaces += 1;
  caller = contextCaller({ namespace: `writes-${namespaces}` });
  return caller;
}

function edit(request: Record<string, unknown>): Edit {
  const parsed = parseEditRequest(request);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

async function created(content: Uint8Array | string | null, by = fresh()): Promise<Document> {
  const bytesOrNull = typeof content === 'string' ? bytes(content) : content;
  const result = await store.create(by, newDocument('a.txt', { content: bytesOrNull }));
  if (!result.ok) throw new Error(result.error.reason);
  return result.value;
}

async function textOf(id: string, by = caller): Promise<string> {
  const read = await store.read(by, id);
  if (!read.ok) throw new Error(read.error.reason);
  expect(read.value.document.checksum).toBe(sha256(read.value.content));
  expect(read.value.document.sizeBytes).toBe(read.value.content.length);
  return Buffer.from(read.value.content).toString();
}

/** How many rows of content a document has, in use or not. */
async function piecesOf(id: string, by = caller): Promise<number> {
  const opened = await table.tables(clock)(by);
  const keys = opened.ok
    ? await opened.value.keys(toPartition(by.orgId, by.namespace), `CHUNK#${id}`)
    : opened;
  if (!keys.ok) throw new Error(keys.error.detail);
  return keys.value.length;
}

describe('a write', () => {
  test('replaces the whole content and makes the next version; scope and description stay', async () => {
    const document = await created('old');
    const written = await store.write(caller, document.id, bytes('newer'), '*');
    expect(written).toEqual({
      ok: true,
      value: {
        ...document,
        version: 2,
        sizeBytes: 5,
        checksum: sha256('newer'),
        updatedAtSeconds: NOW_SECONDS + 5,
      },
    });
    expect(await textOf(document.id)).toBe('newer');
    expect(await piecesOf(document.id)).toBe(1);
  });

  test('fills a placeholder, and may empty a document again', async () => {
    const { id } = await created(null);
    expect((await store.write(caller, id, bytes('x'), '*')).ok).toBe(true);
    expect(await textOf(id)).toBe('x');
    expect((await store.write(caller, id, new Uint8Array(), '*')).ok).toBe(true);
    expect(await textOf(id)).toBe('');
    expect(await piecesOf(id)).toBe(0);
  });

  test('on another version than it was meant for changes nothing', async () => {
    const { id } = await created('1');
    expect((await store.write(caller, id, bytes('2'), new Set([1]))).ok).toBe(true);
    expect(await store.write(caller, id, bytes('lost'), new Set([1]))).toEqual(CONFLICT);
    expect(await store.edit(caller, id, edit({ offset: 0, new_string: 'x' }), new Set([1]))).toEqual(
      CONFLICT,
    );
    expect(await store.delete(caller, id, new Set([1]))).toEqual(CONFLICT);
    expect(await textOf(id)).toBe('2');
    expect((await store.delete(caller, id, new Set([2]))).ok).toBe(true);
    expect(await store.info(caller, id)).toEqual(NOT_FOUND);
  });

  test('is refused to a reader, and what a caller cannot see is not found', async () => {
    const { id } = await created('x');
    const operations = (by: ContextCaller) => [
      store.write(by, id, bytes('y'), '*'),
      store.edit(by, id, edit({ offset: 0, new_string: 'y' }), '*'),
      store.delete(by, id, '*'),
    ];
    for (const answer of operations({ ...caller, permissions: 'read' })) {
      expect(await answer).toEqual({ ok: false, error: { reason: 'read_only' } });
    }
    const strangers = [
      { ...caller, namespace: 'other' },
      { ...caller, orgId: 'other', permissions: 'read' as const },
    ];
    for (const stranger of strangers) {
      for (const answer of operations(stranger)) expect(await answer).toEqual(NOT_FOUND);
    }
    expect(await textOf(id)).toBe('x');
  });

  test('whose answer was lost and that the client repeats is done once', async () => {
    const { id } = await created('1');
    const client = table.connect();
    client.middlewareStack.add((next, { commandName }) => async (args) => {
      if (commandName === 'PutItemCommand' || commandName === 'DeleteItemCommand') await next(args);
      return next(args);
    });
    const repeating = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    expect(await repeating.write(caller, id, bytes('2'), '*')).toMatchObject({
      ok: true,
      value: { version: 2 },
    });
    expect(await textOf(id)).toBe('2');
    expect(await repeating.delete(caller, id, new Set([2]))).toEqual({ ok: true, value: [id] });
    expect(await store.info(caller, id)).toEqual(NOT_FOUND);
  });

  test('to a document that is deleted meanwhile is not found and leaves nothing behind', async () => {
    const { id } = await created('1');
    const client = table.connect();
    client.middlewareStack.add((next, { commandName }) => async (args) => {
      if (commandName === 'PutItemCommand') await store.delete(caller, id, '*');
      return next(args);
    });
    const late = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    expect(await late.write(caller, id, bytes('2'), '*')).toEqual(NOT_FOUND);
    expect(await piecesOf(id)).toBe(0);
  });
});

describe('an edit', () => {
  test('changes what it names and says what it did', async () => {
    const { id } = await created('one two');
    const edited = await store.edit(caller, id, edit({ old_string: 'two', new_string: '2' }), '*');
    expect(edited).toMatchObject({
      ok: true,
      value: { document: { version: 2 }, outcome: { replacements_made: 1 } },
    });
    expect(await textOf(id)).toBe('one 2');
  });

  test('of what is not text, or to more than a document may have, is refused', async () => {
    const binary = await created(Buffer.from([0xff, 0xfe]));
    const request = edit({ offset: 0, new_string: 'x' });
    expect(await store.edit(caller, binary.id, request, '*')).toEqual({
      ok: false,
      error: { reason: 'not_text' },
    });
    const large = await created(Buffer.alloc(MAX_DOCUMENT_BYTES, 'a'), caller);
    expect(await store.edit(caller, large.id, request, '*')).toEqual({
      ok: false,
      error: { reason: 'too_large' },
    });
  });

  test('at the end of 4 MiB stores a piece of it again and not all', async () => {
    const { id } = await created(Buffer.alloc(MAX_DOCUMENT_BYTES - 100, 'a'));
    const client = table.connect();
    const counted = countWrites(client);
    const counting = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    const request = edit({ offset: MAX_DOCUMENT_BYTES - 100, length: 0, new_string: 'END' });
    expect((await counting.edit(caller, id, request, '*')).ok).toBe(true);
    expect(counted.contentBytes()).toBeLessThan(70_000);
    expect(counted.rows()).toBeLessThan(8);
    expect((await textOf(id)).slice(-5)).toBe('aaEND');
  });

  test('after edit keeps the content what a plain text would be, and its pieces few', async () => {
    const step = fc.record({
      at: fc.nat(),
      cut: fc.nat(90_000),
      put: fc.integer({ min: 0, max: 40_000 }),
      unit: fc.constantFrom('a', 'ß', '😀'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 6 }), async (steps) => {
        let characters = Array.from({ length: 100_000 }, (_, index) =>
          String.fromCharCode(97 + (index % 26)),
        );
        const { id } = await created(characters.join(''));
        for (const { at, cut, put, unit } of steps) {
          const offset = at % (characters.length + 1);
          const length = Math.min(cut, characters.length - offset);
          const new_string = unit.repeat(put);
          expect((await store.edit(caller, id, edit({ offset, length, new_string }), '*')).ok).toBe(true);
          characters = [...characters.slice(0, offset), ...new_string, ...characters.slice(offset + length)];
          expect((await textOf(id)) === characters.join('')).toBe(true);
        }
        const bytesNow = Buffer.byteLength(characters.join(''));
        expect(await piecesOf(id)).toBeLessThanOrEqual(2 * Math.ceil(bytesNow / 65_536) + 12);
      }),
      { numRuns: 5 },
    );
  });
});

describe('a range', () => {
  test('is read from the pieces that hold it, and no others', async () => {
    const { id } = await created('ab'.repeat(1_000_000));
    const client = table.connect();
    let asked = 0;
    client.middlewareStack.add((next, { commandName }) => async (args) => {
      if (commandName === 'BatchGetItemCommand')
        asked += JSON.stringify(args.input).split('CHUNK#').length - 1;
      return next(args);
    });
    const counting = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
    const read = await counting.readRange(caller, id, { offset: 1_000_001, limit: 3 });
    expect(read).toMatchObject({
      ok: true,
      value: { startChar: 1_000_001, endChar: 1_000_004, totalChars: 2_000_000 },
    });
    expect(read.ok && Buffer.from(read.value.content).toString()).toBe('bab');
    expect(asked).toBe(1);
  });

  test('of any text is what its characters are', async () => {
    const text = [...'aß語😀'.repeat(20_000)];
    const { id } = await created(text.join(''));
    await fc.assert(
      fc.asyncProperty(fc.nat(80_000), fc.integer({ min: 1, max: 50_000 }), async (offset, limit) => {
        const read = await store.readRange(caller, id, { offset, limit });
        expect(
          read.ok &&
            Buffer.from(read.value.content).toString() === text.slice(offset, offset + limit).join(''),
        ).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('of what is not text has no characters; beyond the end there are none', async () => {
    const { id } = await created(Buffer.from([0xff]));
    const range = { offset: 0, limit: 1 };
    expect(await store.readRange(caller, id, range)).toEqual({ ok: false, error: { reason: 'not_text' } });
    const text = await created('abc', caller);
    expect(await store.readRange(caller, text.id, { offset: 4, limit: 1 })).toEqual({
      ok: false,
      error: { reason: 'range_beyond_end', totalChars: 3 },
    });
    expect(await store.readRange({ ...caller, namespace: 'other' }, text.id, range)).toEqual(NOT_FOUND);
  });
});

describe('what was stored before pieces were counted', () => {
  const content = Buffer.from('ß'.repeat(200_000));

  async function storedThen(): Promise<string> {
    const { id } = newDocument('old.txt');
    const document = createDocument(newDocument('old.txt').description, content, {
      id,
      nowSeconds: NOW_SECONDS,
      scope: fresh(),
    });
    const { parts, write, ...head } = toHeadRow({
      document,
      parts: [],
      write: '',
      incarnation: undefined,
      claim: undefined,
    });
    const pk = head['pk'] ?? { S: '' };
    const put = (Item: NonNullable<ConstructorParameters<typeof PutItemCommand>[0]['Item']>) =>
      table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
    await put({ pk, sk: { S: `CHUNK#${id}#1#0000` }, bytes: { B: content.subarray(0, 300_000) } });
    await put({ pk, sk: { S: `CHUNK#${id}#1#0001` }, bytes: { B: content.subarray(300_000) } });
    await put({ ...head, chunks: { N: '2' } });
    return id;
  }

  test('is read, in whole and by characters, edited and deleted', async () => {
    const id = await storedThen();
    expect((await textOf(id)).length).toBe(200_000);
    expect(await store.readRange(caller, id, { offset: 149_999, limit: 3 })).toMatchObject({
      ok: true,
      value: { totalChars: 200_000, endChar: 150_002 },
    });
    const edited = await store.edit(caller, id, edit({ offset: 200_000, new_string: 'end' }), '*');
    expect(edited).toMatchObject({ ok: true, value: { document: { version: 2 } } });
    expect((await textOf(id)).slice(-4)).toBe('ßend');
    expect((await store.delete(caller, id, '*')).ok).toBe(true);
    expect(await piecesOf(id)).toBe(0);
  });
});

describe('a lifetime', () => {
  test('ends a document on every path, whatever was written meanwhile', async () => {
    let now = NOW_SECONDS;
    const aging = createDocumentStore({
      tables: table.tables(() => now),
      seal: cursorSeal(),
      clock: () => now,
    });
    const short = newDocument('a.txt');
    const document = { ...short, description: { ...short.description, ttlSeconds: 60 } };
    const made = await aging.create(fresh(), document);
    expect(made).toMatchObject({ ok: true, value: { expiresAtSeconds: NOW_SECONDS + 60 } });
    now += 30;
    expect(await aging.write(caller, short.id, bytes('later'), '*')).toMatchObject({
      ok: true,
      value: { expiresAtSeconds: NOW_SECONDS + 60 },
    });
    now += 29;
    expect((await aging.read(caller, short.id)).ok).toBe(true);
    now += 1;
    const range = { offset: 0, limit: 1 };
    const request = edit({ offset: 0, new_string: 'x' });
    expect(await aging.info(caller, short.id)).toEqual(NOT_FOUND);
    expect(await aging.read(caller, short.id)).toEqual(NOT_FOUND);
    expect(await aging.readRange(caller, short.id, range)).toEqual(NOT_FOUND);
    expect(await aging.write(caller, short.id, bytes('x'), '*')).toEqual(NOT_FOUND);
    expect(await aging.edit(caller, short.id, request, '*')).toEqual(NOT_FOUND);
    expect(await aging.delete(caller, short.id, '*')).toEqual(NOT_FOUND);
  });
});

test('of fifty writers at once, what was acknowledged is in the document and every other one was told', async () => {
  const { id } = await created('');
  const writers = Array.from({ length: 50 }, async (_, number) => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const line = `writer ${number} round ${round}\n`;
      const written = await store.edit(caller, id, edit({ offset: 0, new_string: line }), '*');
      if (written.ok) acknowledged.push(line);
      else expect(written).toEqual(CONFLICT);
    }
    return acknowledged;
  });
  const acknowledged = (await Promise.all(writers)).flat();
  expect(acknowledged.length).toBeGreaterThan(0);
  const lines = (await textOf(id)).split(/(?<=\n)/);
  expect(lines.toSorted()).toEqual(acknowledged.toSorted());
  const info = await store.info(caller, id);
  expect(info.ok && info.value.version).toBe(1 + acknowledged.length);
  expect(await piecesOf(id)).toBe(1);
});

describe('a process that dies', () => {
  const old = 'old '.repeat(40_000);
  const next = 'new '.repeat(50_000);
  const EDIT = edit({ offset: 70_000, length: 10, new_string: 'x'.repeat(70_000) });
  const edited = `${old.slice(0, 70_000)}${'x'.repeat(70_000)}${old.slice(70_010)}`;

  const operations: [string, string | null, (dying: DocumentStore, id: string) => Promise<unknown>][] = [
    ['write', next, (dying, id) => dying.write(caller, id, bytes(next), '*')],
    ['edit', edited, (dying, id) => dying.edit(caller, id, EDIT, '*')],
    ['delete', null, (dying, id) => dying.delete(caller, id, '*')],
  ];

  test.for(operations)('in a %s leaves the old version or the new one, whole', async ([, after, operate]) => {
    for (const when of ['before', 'after'] as const) {
      let isThrough = false;
      for (let at = 0; !isThrough; at += 1) {
        const { id } = await created(old);
        const client = table.connect();
        const death = dieAtWrite(client, at, when);
        await operate(
          createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock }),
          id,
        );
        isThrough = death.writes() <= at;
        const read = await store.read(caller, id);
        const found = read.ok ? Buffer.from(read.value.content).toString() : null;
        expect([old, after].includes(found)).toBe(true);
        if (read.ok) expect((await store.write(caller, id, bytes('alive'), '*')).ok).toBe(true);
        if (read.ok) expect((await store.delete(caller, id, '*')).ok).toBe(true);
        if (read.ok) expect(await piecesOf(id)).toBe(0);
        expect(at).toBeLessThan(30);
      }
    }
  });

  test('in a create leaves the whole document or none, and its repetition finishes it', async () => {
    for (const when of ['before', 'after'] as const) {
      let isThrough = false;
      for (let at = 0; !isThrough; at += 1) {
        fresh();
        const document = newDocument('a.txt', { content: bytes(old), idempotencyKey: 'k' });
        const client = table.connect();
        const death = dieAtWrite(client, at, when);
        const dying = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
        await dying.create(caller, document);
        isThrough = death.writes() <= at;
        const read = await store.read(caller, document.id);
        if (read.ok) expect(Buffer.from(read.value.content).toString()).toBe(old);
        else expect(read).toEqual(NOT_FOUND);
        expect(await store.create(caller, document)).toMatchObject({ ok: true, value: { id: document.id } });
        expect(await textOf(document.id)).toBe(old);
      }
    }
  });
});
