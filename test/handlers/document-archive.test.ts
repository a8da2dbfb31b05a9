import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { MAX_DOCUMENT_BYTES } from '../../functions/core/documents/document.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { findDefinition } from '../../functions/core/documents/relation.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { DocumentPorts } from '../../functions/handlers/document-route.ts';
import { createDocumentRoutes } from '../../functions/handlers/documents.ts';
import { problem } from '../../functions/handlers/problem.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

const ORIGIN = 'https://gate.example';
const invocation = {
  requestId: 'req-1',
  origin: ORIGIN,
  sourceIp: '192.0.2.1',
  signal: new AbortController().signal,
};

let table: EmbeddedContextTable;
let store: DocumentStore;
let source: ContextCaller;
let target: ContextCaller;
let denied: string | undefined;
let asked: string[];
let nowSeconds: number;
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());

beforeEach(() => {
  namespaces += 2;
  source = contextCaller({ namespace: `ns-${namespaces}` });
  target = contextCaller({ namespace: `ns-${namespaces + 1}` });
  denied = undefined;
  asked = [];
  nowSeconds = NOW_SECONDS;
  const clock = () => nowSeconds;
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});

async function call(caller: ContextCaller, path: string, init: RequestInit = {}): Promise<Response> {
  const ports: DocumentPorts = {
    documents: store,
    resolve: async (_request, { requestId }, { tool }) => {
      asked.push(tool);
      return tool === denied ? err(problem('permission_denied', 'denied', requestId)) : ok(caller);
    },
    resolveAdministrator: async () => ok('acme'),
    clock: () => nowSeconds,
    randomBytes,
    log: () => {},
  };
  return createDocumentRoutes(ports).fetch(new Request(`${ORIGIN}/context${path}`, init), invocation);
}

type Line = Readonly<Record<string, unknown>>;

const toLines = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** All pages of an export, one after the other. */
async function exported(caller: ContextCaller, limit = 100): Promise<string> {
  let text = '';
  for (let after = ''; ; ) {
    const response = await call(caller, `/export?limit=${limit}${after}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const page = await response.text();
    text += page;
    const { type, next } = toLines(page).at(-1) ?? {};
    expect(type).toBe('end');
    if (next === null) return text;
    after = `&after=${next}`;
  }
}

async function imported(caller: ContextCaller, text: string): Promise<Record<string, number>> {
  const response = await post(caller, text);
  expect(response.status).toBe(200);
  const { complete, lines, results } = JSON.parse(await response.text());
  expect(complete).toBe(true);
  expect(lines).toBe(toLines(text).length);
  const outcomes: Record<string, number> = {};
  for (const { type, outcome } of results) {
    outcomes[`${type} ${outcome}`] = (outcomes[`${type} ${outcome}`] ?? 0) + 1;
  }
  return outcomes;
}

const post = (caller: ContextCaller, body: string | Uint8Array<ArrayBuffer>, type = 'application/x-ndjson') =>
  call(caller, '/import', { method: 'POST', headers: { 'content-type': type }, body });

async function created(
  caller: ContextCaller,
  filename: string,
  changes: Parameters<typeof newDocument>[1] = {},
) {
  const made = await store.create(caller, newDocument(filename, changes));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value;
}

async function related(caller: ContextCaller, name: string, fromId: string, toId: string, note: string) {
  const definition = findDefinition(name);
  if (definition === undefined) throw new Error('malformed test');
  const made = await store.relate(caller, { definition, fromId, toId, fromToNote: note, toFromNote: null });
  expect(made.ok).toBe(true);
}

/** Makes an operation of the store take so many seconds. */
function slowly(seconds: { readonly relationsOf?: number; readonly restore?: number }): void {
  const { relationsOf, restore } = store;
  store = {
    ...store,
    relationsOf(...args) {
      nowSeconds += seconds.relationsOf ?? 0;
      return relationsOf(...args);
    },
    restore(...args) {
      nowSeconds += seconds.restore ?? 0;
      return restore(...args);
    },
  };
}

/** Documents of every kind, with relations between them. */
async function populate(): Promise<void> {
  const text = await created(source, 'größe.md', { tags: ['a', 'b'] });
  const edited = await created(source, 'edited.txt');
  expect((await store.write(source, edited.id, Buffer.from('second'), '*')).ok).toBe(true);
  const bytes = await created(source, 'bytes.bin', { content: randomBytes(100_000) });
  await created(source, 'later.md', { content: null });
  const run = contextCaller({ namespace: source.namespace, scopeFilters: { run: 'r-1' } });
  const own = await created(run, 'own.txt');
  const short = newDocument('short.txt');
  const description = { ...short.description, ttlSeconds: 60, metadata: new Map([['k', 'v']]) };
  expect((await store.create(source, { ...short, description })).ok).toBe(true);
  await related(source, 'parent-child', text.id, bytes.id, 'ours');
  await related(source, 'related', own.id, text.id, 'seen');
  await related(source, 'predecessor-successor', bytes.id, edited.id, 'later');
}

/** The lines without those that count pages. */
const saying = (text: string): readonly Line[] =>
  toLines(text).filter(({ type }) => type === 'document' || type === 'relation');

describe('an export', () => {
  test('and its import is the same namespace again, ids, times, filters, versions and relations', async () => {
    await populate();
    const archive = await exported(source);
    expect(saying(archive).length).toBe(9);
    expect(await imported(target, archive)).toEqual({ 'document created': 6, 'relation created': 3 });
    expect(saying(await exported(target))).toEqual(saying(archive));
    expect(await imported(target, archive)).toEqual({ 'document unchanged': 6, 'relation unchanged': 3 });
    expect(await imported(source, archive)).toEqual({ 'document unchanged': 6, 'relation unchanged': 3 });
    const found = await store.search(target, { terms: ['second'], limit: 10, includeRelations: false });
    expect(found.ok && found.value.hits.map(({ document }) => document.filename)).toEqual(['edited.txt']);
  });

  test.for([1, 2, 5, 6])('by pages of %i is what it is at once', async (limit) => {
    await populate();
    expect(saying(await exported(source, limit))).toEqual(saying(await exported(source)));
  });

  test('counts what is on a page, and says after which document the next one begins', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push((await created(source, name)).id);
    ids.sort();
    const endOf = async (query: string) =>
      toLines(await (await call(source, `/export${query}`)).text()).at(-1);
    expect(await endOf('?limit=2')).toEqual({ type: 'end', documents: 2, relations: 0, next: ids[1] });
    expect(await endOf(`?after=${ids[1]}`)).toEqual({ type: 'end', documents: 1, relations: 0, next: null });
    expect(await endOf(`?after=doc_${'f'.repeat(24)}`)).toMatchObject({ documents: 0, next: null });
  });

  test('ends a page with the document that is past its bytes, or its time', async () => {
    const counts = async () =>
      toLines(await (await call(source, '/export')).text()).filter(({ type }) => type === 'document').length;
    for (const name of ['a', 'b', 'c']) await created(source, name);
    const honest = store;
    slowly({ relationsOf: 20 });
    expect(await counts()).toBe(2);
    store = honest;
    expect(await counts()).toBe(3);
    const content = Buffer.alloc(MAX_DOCUMENT_BYTES, 'x');
    const large = await created(source, 'large', { content });
    store = { ...honest, read: async (caller) => honest.read(caller, large.id) };
    expect(await counts()).toBe(2);
  });

  test('has what its caller sees and nothing else', async () => {
    await populate();
    const other = contextCaller({ namespace: source.namespace, scopeFilters: { run: 'r-2' } });
    const names = async (caller: ContextCaller) =>
      saying(await exported(caller)).flatMap(({ filename }) => (filename === undefined ? [] : [filename]));
    expect((await names(other)).includes('own.txt')).toBe(false);
    expect(saying(await exported(other)).filter(({ type }) => type === 'relation').length).toBe(2);
    expect(await names(contextCaller({ orgId: 'globex', namespace: source.namespace }))).toEqual([]);
  });

  test.for([
    '?after=doc_1',
    '?limit=0',
    '?limit=101',
    '?limit=x',
    '?limit=1&limit=2',
    '?namespace=x',
    '?tags=a',
  ])('with %s is refused', async (query) => {
    expect((await call(source, `/export${query}`)).status).toBe(400);
  });

  test('fails where the store fails at once, and ends its page early where it fails later', async () => {
    for (const name of ['a', 'b', 'c']) await created(source, name);
    const honest = store;
    const failing = (at: number): DocumentStore => {
      let reads = 0;
      return {
        ...honest,
        async read(caller, id) {
          reads += 1;
          return reads > at ? err({ reason: 'unavailable', detail: 'test' }) : honest.read(caller, id);
        },
      };
    };
    store = failing(0);
    expect((await call(source, '/export')).status).toBe(503);
    store = failing(2);
    const lines = toLines(await (await call(source, '/export')).text());
    expect(lines.at(-1)).toMatchObject({ type: 'end', documents: 2, next: lines[2]?.['id'] });
    store = { ...honest, walk: async () => err({ reason: 'unavailable', detail: 'test' }) };
    expect((await call(source, '/export')).status).toBe(503);
    store = { ...honest, relationsOf: async () => err({ reason: 'unavailable', detail: 'test' }) };
    expect((await call(source, '/export')).status).toBe(503);
  });

  test('leaves out what goes while it runs', async () => {
    for (const name of ['a', 'b', 'c']) await created(source, name);
    const honest = store;
    let reads = 0;
    store = {
      ...honest,
      async read(caller, id) {
        reads += 1;
        return reads === 3 ? honest.read(caller, id) : err({ reason: 'not_found' });
      },
    };
    expect(saying(await exported(source)).length).toBe(1);
  });

  test('whose reader goes away reads no further', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await created(source, name);
    const honest = store;
    let reads = 0;
    store = {
      ...honest,
      read(...args) {
        reads += 1;
        return honest.read(...args);
      },
    };
    const response = await call(source, '/export');
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(reads).toBeLessThan(5);
  });
});

describe('an import', () => {
  test('puts a caller’s documents into its own filters, under ids of their own, and again changes nothing', async () => {
    await populate();
    const archive = await exported(source);
    const run = contextCaller({ namespace: source.namespace, scopeFilters: { run: 'r-2' } });
    expect(await imported(run, archive)).toEqual({
      // What it sees is there already; what is another run's becomes a copy of its own.
      'document unchanged': 5,
      'document created': 1,
      'relation unchanged': 2,
      'relation created': 1,
    });
    expect(await imported(run, archive)).toEqual({ 'document unchanged': 6, 'relation unchanged': 3 });
    const own = saying(await exported(run)).filter(({ filename }) => filename === 'own.txt');
    expect(own).toMatchObject([{ filters: { run: 'r-2' } }]);
    const copies = contextCaller({ namespace: target.namespace, scopeFilters: { run: 'r-2' } });
    expect(await imported(copies, archive)).toEqual({ 'document created': 6, 'relation created': 3 });
    const filters = saying(await exported(target)).flatMap(({ filters: found }) => found ?? []);
    expect(filters).toEqual(Array.from({ length: 6 }, () => ({ run: 'r-2' })));
  });

  test('tells a caller with filters no other filter of a document, and writes into none', async () => {
    const scopeFilters = { run: 'r-1' };
    const maker = contextCaller({ ...source, scopeFilters: { ...scopeFilters, customer: 'bank-77' } });
    await created(maker, 'a.txt');
    const run = contextCaller({ namespace: source.namespace, scopeFilters });
    const archive = await exported(run);
    expect(archive).not.toContain('bank-77');
    expect(await imported(run, archive)).toEqual({ 'document unchanged': 1 });
    // No guess at a filter is answered otherwise than any other.
    for (const customer of ['bank-77', 'bank-78']) {
      const guess = archive.replace('"filters":{', `"filters":{"customer":"${customer}",`);
      expect(await imported(run, guess)).toEqual({ 'document unchanged': 1 });
    }
    const strange = archive.replace('"filters":{', '"filters":{"customer":"bank-78",');
    const elsewhere = contextCaller({ namespace: target.namespace, scopeFilters });
    expect(await imported(elsewhere, strange)).toEqual({ 'document created': 1 });
    expect(saying(await exported(target))).toMatchObject([{ filters: scopeFilters }]);
    const victim = contextCaller({ ...target, scopeFilters: { ...scopeFilters, customer: 'bank-78' } });
    expect(saying(await exported(victim))).toEqual([]);
  });

  test('does not tell an id that another’s document has from one that nobody has', async () => {
    const hidden = await created(
      contextCaller({ namespace: target.namespace, scopeFilters: { run: 'r-1' } }),
      'a',
    );
    const archive = await exported(target);
    const free = archive.replaceAll(hidden.id, `doc_${'a'.repeat(24)}`);
    const run = contextCaller({ namespace: target.namespace, scopeFilters: { run: 'r-2' } });
    const answers = [];
    for (const [text, id] of [
      [archive, hidden.id],
      [free, `doc_${'a'.repeat(24)}`],
    ] as const) {
      const { results } = JSON.parse(await (await post(run, text)).text());
      expect(results[0].id).not.toBe(id);
      answers.push({ ...results[0], id: '' });
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test('keeps what is there where the archive says something else', async () => {
    const { id } = await created(source, 'a.txt');
    const other = await created(source, 'b.txt');
    await related(source, 'related', id, other.id, 'first');
    const archive = await exported(source);
    await imported(target, archive);
    await store.write(target, id, Buffer.from('mine'), '*');
    const [relation] = (await store.relationsOf(target, [id])).ok ? [saying(archive).at(-1)] : [];
    expect((await store.annotate(target, String(relation?.['id']), { fromToNote: 'mine' })).ok).toBe(true);
    expect(await imported(target, archive)).toEqual({
      'document conflict': 1,
      'document unchanged': 1,
      'relation conflict': 1,
    });
    const read = await store.read(target, id);
    expect(read.ok && Buffer.from(read.value.content).toString()).toBe('mine');
  });

  test('leaves out what has expired, and relations to what is not there', async () => {
    const short = newDocument('short.txt');
    const description = { ...short.description, ttlSeconds: 60 };
    const made = await store.create(source, { ...short, description });
    if (!made.ok) throw new Error(made.error.reason);
    const other = await created(source, 'b.txt');
    await related(source, 'related', made.value.id, other.id, 'x');
    const archive = await exported(source);
    nowSeconds += 60;
    expect(await imported(target, archive)).toEqual({
      'document expired': 1,
      'document created': 1,
      'relation missing': 1,
    });
  });

  test('gives documents that stay for ever the lifetime that is usual in their new place', async () => {
    expect((await store.createPartition('acme', { name: target.namespace, ttlSeconds: 60 })).ok).toBe(true);
    await created(source, 'a.txt');
    const archive = await exported(source);
    await imported(target, archive);
    expect(saying(await exported(target))[0]).toMatchObject({ expires_at: expect.stringMatching(/Z$/) });
    expect(await imported(target, archive)).toEqual({ 'document unchanged': 1 });
  });

  test.for([
    ['random bytes', randomBytes(MAX_DOCUMENT_BYTES)],
    ['text that is all escapes', Buffer.alloc(MAX_DOCUMENT_BYTES, '\u0001"\n')],
  ] as const)('takes the largest document, of %s, packed', async ([, content]) => {
    await created(source, 'large.bin', { content });
    const archive = await exported(source);
    const packed = new Uint8Array(gzipSync(archive));
    expect(packed.length).toBeLessThan(4_500_000);
    const response = await post(target, packed, 'application/gzip');
    expect(await response.json()).toMatchObject({ complete: true, results: [{ outcome: 'created' }] });
    const [document] = saying(await exported(target));
    expect(document?.['checksum']).toBe(saying(archive)[0]?.['checksum']);
  });

  test('answers before its time is over, with the lines that are done, and goes on from there', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await created(source, name);
    const archive = await exported(source);
    slowly({ restore: 8 });
    const first = JSON.parse(await (await post(target, archive)).text());
    expect(first).toMatchObject({ complete: false, lines: 3 });
    const [header = '', ...lines] = archive.split('\n');
    const rest = [header, ...lines.slice(first.lines - 1)].join('\n');
    expect(JSON.parse(await (await post(target, rest)).text())).toMatchObject({ complete: true });
    expect(saying(await exported(target))).toEqual(saying(archive));
  });

  test('of what is not an archive, too large, or changed on its way makes nothing', async () => {
    await created(source, 'a.txt');
    const archive = await exported(source);
    const changed = archive.replace('content of a.txt', 'content of b.txt');
    expect(changed).not.toBe(archive);
    const statuses = [
      await post(target, changed),
      await post(target, archive, 'application/json'),
      await post(target, archive, 'application/gzip'),
      await post(target, `${archive}{"type":"document","type":"document"}`),
      await post(target, ''),
      await call(target, '/import?scope_filters=x', { method: 'POST', body: archive }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([400, 400, 400, 400, 400, 400]);
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(50_000_000)));
    expect((await post(target, bomb, 'application/gzip')).status).toBe(413);
    expect((await post(target, ' '.repeat(4_500_001))).status).toBe(413);
    expect(saying(await exported(target))).toEqual([]);
  });

  test('is not for those who may only read', async () => {
    await created(source, 'a.txt');
    const archive = await exported(source);
    const reader = { ...target, permissions: 'read' } as const;
    expect((await post(reader, archive)).status).toBe(403);
    expect((await post(reader, archive.split('\n')[0] ?? '')).status).toBe(200);
    expect(saying(await exported(target))).toEqual([]);
  });
});

test.for([
  ['GET', '/export', 'doc_query'],
  ['GET', '/export', 'doc_pull'],
  ['POST', '/import', 'doc_push'],
  ['POST', '/import', 'doc_link'],
] as const)('%s %s is not for those who may not %s', async ([method, path, tool]) => {
  denied = tool;
  expect((await call(source, path, { method })).status).toBe(403);
  expect(asked.at(-1)).toBe(tool);
});
