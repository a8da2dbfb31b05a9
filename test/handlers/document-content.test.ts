import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { MAX_DOCUMENT_BYTES, type WireDocument } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { ok } from '../../functions/core/result.ts';
import type { DocumentPorts } from '../../functions/handlers/document-route.ts';
import { createDocumentRoutes } from '../../functions/handlers/documents.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { meddle } from '../support/document-tables.ts';
import { archived } from '../support/whole-documents.ts';

const ORIGIN = 'https://gate.example';
const invocation = {
  requestId: 'req-1',
  origin: ORIGIN,
  sourceIp: '192.0.2.1',
  signal: new AbortController().signal,
};

let table: EmbeddedContextTable;
let ports: DocumentPorts;
let caller: ContextCaller;
let asked: string[];
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());

beforeEach(() => {
  namespaces += 1;
  caller = contextCaller({ namespace: `content-${namespaces}` });
  asked = [];
  const clock = () => NOW_SECONDS;
  ports = {
    documents: createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock }),
    resolve: async (_request, _invocation, { tool }) => {
      asked.push(tool);
      return ok(caller);
    },
    resolveAdministrator: async () => ok('acme'),
    clock,
    randomBytes,
    log: () => {},
  };
});

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(`${ORIGIN}/context${path}`, init);
  return createDocumentRoutes(ports).fetch(request, invocation);
}

/** The entity tags of a version. */
const ofVersion = (version: number) => new RegExp(`^"${version}-[0-9a-f]{32}"$`);

const tagOf = async (id: string): Promise<string> =>
  (await call(`/documents/${id}/metadata`)).headers.get('etag') ?? '';

async function created(
  content: string | Uint8Array<ArrayBuffer> = '',
  filename = 'a.txt',
  more: Record<string, string> = {},
): Promise<string> {
  const form = new FormData();
  form.set('file', new File([content], filename));
  for (const [name, value] of Object.entries(more)) form.set(name, value);
  const response = await call('/documents', { method: 'POST', body: form });
  expect(response.status).toBe(201);
  expect(response.headers.get('etag')).toMatch(ofVersion(1));
  const document: WireDocument = JSON.parse(await response.text());
  return document.id;
}

const put = (id: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  call(`/documents/${id}/content`, { method: 'PUT', body, headers });

const patch = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  call(`/documents/${id}/content`, {
    method: 'PATCH',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

async function expectProblem(response: Response, status: number, code: string, detail = ''): Promise<void> {
  const body: unknown = await response.json();
  expect(body).toMatchObject({ status, code, request_id: 'req-1', detail: expect.stringContaining(detail) });
  expect(response.status).toBe(status);
}

describe('a full write', () => {
  test('takes any bytes as they are and answers with the next version', async () => {
    const id = await created('old', 'a.bin');
    const content = Buffer.from([0xff, 0, 0x0d, 0x0a]);
    const response = await put(id, content, { 'content-type': 'application/json' });
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toMatch(ofVersion(2));
    expect(await response.json()).toMatchObject({
      id,
      version: 2,
      size_bytes: 4,
      content_type: 'application/octet-stream',
    });
    const read = await call(`/documents/${id}`);
    expect(content.equals(await read.bytes())).toBe(true);
    expect(read.headers.get('etag')).toBe(response.headers.get('etag'));
    expect(asked).toEqual(['doc_push', 'doc_write', 'doc_read']);
  });

  test('of 4 MiB is kept, of one byte more refused', async () => {
    const id = await created('old');
    expect((await put(id, Buffer.alloc(MAX_DOCUMENT_BYTES))).status).toBe(200);
    await expectProblem(await put(id, Buffer.alloc(MAX_DOCUMENT_BYTES + 1)), 413, 'payload_too_large');
    expect((await call(`/documents/${id}/metadata`)).headers.get('etag')).toMatch(ofVersion(2));
  });

  test('for another version conflicts, as a delete does', async () => {
    const id = await created('old');
    expect((await put(id, 'new', { 'if-match': '"1"' })).status).toBe(200);
    await expectProblem(await put(id, 'lost', { 'if-match': '"1"' }), 409, 'conflict', 'changed meanwhile');
    await expectProblem(
      await patch(id, { offset: 0, new_string: '' }, { 'if-match': '"1"' }),
      409,
      'conflict',
    );
    const deletion = { method: 'DELETE', headers: { 'if-match': '"1"' } };
    await expectProblem(await call(`/documents/${id}`, deletion), 409, 'conflict');
    for (const answer of [
      await put(id, 'x', { 'if-match': 'x' }),
      await patch(id, {}, { 'if-match': 'x' }),
      await call(`/documents/${id}`, { method: 'DELETE', headers: { 'if-match': 'x' } }),
    ]) {
      await expectProblem(answer, 400, 'invalid_argument', 'If-Match');
    }
    expect(await (await call(`/documents/${id}`)).text()).toBe('new');
  });
});

describe('an edit', () => {
  test('by string says how often it replaced', async () => {
    const id = await created('a b a');
    const response = await patch(id, { old_string: 'a', new_string: 'c', replace_all: true });
    expect(await response.json()).toMatchObject({ id, version: 2, size_bytes: 5, replacements_made: 2 });
    expect(response.headers.get('etag')).toMatch(ofVersion(2));
    expect(await (await call(`/documents/${id}`)).text()).toBe('c b c');
    expect(asked.at(1)).toBe('doc_edit');
  });

  test('by offset says what it replaced, in characters', async () => {
    const id = await created('a😀c');
    const response = await patch(id, { offset: 1, length: 1, new_string: 'ß' });
    const edit_range = { offset: 1, old_length: 1, new_length: 1 };
    expect(await response.json()).toMatchObject({ size_bytes: 4, edit_range });
    expect(await (await call(`/documents/${id}`)).text()).toBe('aßc');
  });

  test.for<[string, unknown, string]>([
    ['not found', { old_string: 'x', new_string: 'y' }, 'was not found in the text'],
    ['ambiguous', { old_string: 'a', new_string: 'y' }, 'matches 2 times'],
    ['in mixed modes', { old_string: 'a', offset: 1, new_string: 'y' }, 'cannot be mixed'],
    ['in no mode', { new_string: 'y' }, 'is required'],
    ['out of bounds', { offset: 9, new_string: 'y' }, 'out of bounds'],
    ['without a new string', { offset: 1 }, '`new_string` is required'],
    ['with a scope', { offset: 1, new_string: 'y', scope_filters: {} }, 'scope_filters'],
    ['no JSON', '{', 'body'],
    ['a repeated member', '{"offset":0,"offset":1,"new_string":""}', 'body'],
  ])('that is %s is refused', async ([, body, detail]) => {
    const id = await created('aba');
    await expectProblem(await patch(id, body), 400, 'invalid_argument', detail);
    expect(await (await call(`/documents/${id}`)).text()).toBe('aba');
  });

  test('of what is not text, of another media type and of no document is refused', async () => {
    const binary = await created(new Uint8Array([0xff]));
    const body = { offset: 0, new_string: 'x' };
    await expectProblem(await patch(binary, body), 400, 'invalid_argument', 'not text');
    await expectProblem(await patch(binary, body, { 'content-type': 'text/plain' }), 400, 'invalid_argument');
    await expectProblem(await patch('doc_000000000000000000000000', body), 404, 'not_found');
    await expectProblem(await patch(binary, `"${'x'.repeat(4_500_000)}"`), 413, 'payload_too_large');
  });
});

describe('a read of a range', () => {
  test.for<[string, string, string]>([
    ['offset=1&limit=2', '😀c', '1-3'],
    ['offset=2', 'cd', '2-4'],
    ['limit=1', 'a', '0-1'],
    ['offset=4', '', '4-4'],
    ['offset=0&limit=400', 'a😀cd', '0-4'],
  ])('?%s', async ([query, text, range]) => {
    const id = await created('a😀cd');
    const response = await call(`/documents/${id}?${query}`);
    expect(response.status).toBe(206);
    expect(await response.text()).toBe(text);
    expect(response.headers.get('x-char-range')).toBe(range);
    expect(response.headers.get('x-total-chars')).toBe('4');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('beyond the end, of what is not text, and malformed, is refused', async () => {
    const id = await created('abc');
    const beyond = await call(`/documents/${id}?offset=4`);
    expect(beyond.headers.get('x-total-chars')).toBe('3');
    await expectProblem(beyond, 416, 'invalid_argument', '3 characters');
    const binary = await created(new Uint8Array([0xff]));
    await expectProblem(await call(`/documents/${binary}?offset=0`), 400, 'invalid_argument', 'not text');
    for (const query of ['offset=-1', 'limit=0', 'limit=1.5', 'offset=', 'offset=1&offset=2', 'start=1']) {
      await expectProblem(await call(`/documents/${id}?${query}`), 400, 'invalid_argument');
    }
    await expectProblem(await call('/documents/doc_000000000000000000000000?offset=0'), 404, 'not_found');
  });
});

test('who has the version already gets no content, and who may not see the document does not learn its version', async () => {
  const id = await created('abc');
  const headers = { 'if-none-match': await tagOf(id) };
  const paths = [`/documents/${id}`, `/documents/${id}?limit=1`, `/documents/${id}/metadata`];
  let contentReads = 0;
  const isOfContent = (command: string, input: string) =>
    command === 'BatchGetItemCommand' && input.includes('"CHUNK#');
  meddle(table.client, isOfContent, async () => {
    contentReads += 1;
  });
  for (const path of paths) {
    const response = await call(path, { headers });
    expect([response.status, await response.text()]).toEqual([304, '']);
    expect(contentReads).toBe(0);
  }
  for (const path of paths) {
    expect((await call(path, { headers: { 'if-none-match': '"1"' } })).status).toBeLessThan(300);
  }
  expect(contentReads).toBe(2);
  caller = { ...caller, namespace: 'elsewhere' };
  for (const path of paths) {
    await expectProblem(await call(path, { headers }), 404, 'not_found');
  }
  await expectProblem(await put(id, 'x', { 'if-match': '"1"' }), 404, 'not_found');
});

test('who has an earlier document of the same id and version gets the new one, and does not write over it', async () => {
  const id = await created('old');
  const tag = await tagOf(id);
  expect((await call(`/documents/${id}`, { method: 'DELETE' })).status).toBe(200);
  const content = Buffer.from('new');
  const entry = archived(newDocument('a.txt', { id, content }));
  expect(await ports.documents.restore(caller, entry)).toMatchObject({ value: { outcome: 'created' } });
  const read = await call(`/documents/${id}`, { headers: { 'if-none-match': tag } });
  expect([read.status, await read.text()]).toEqual([200, 'new']);
  expect(read.headers.get('etag')).toMatch(ofVersion(1));
  await expectProblem(await put(id, 'over it', { 'if-match': tag }), 409, 'conflict');
  expect((await put(id, 'next', { 'if-match': read.headers.get('etag') ?? '' })).status).toBe(200);
});

test('a lifetime is given at birth and shown', async () => {
  const id = await created('x', 'a.txt', { ttl_seconds: '60' });
  const metadata = await call(`/documents/${id}/metadata`);
  expect(await metadata.json()).toMatchObject({ expires_at: '2027-01-15T08:01:00.000Z' });
  for (const ttl_seconds of ['0', '-1', 'x', '1e3', '999999999']) {
    const form = new FormData();
    form.set('file', new File(['x'], 'a'));
    form.set('ttl_seconds', ttl_seconds);
    await expectProblem(
      await call('/documents', { method: 'POST', body: form }),
      400,
      'invalid_argument',
      'ttl_seconds',
    );
  }
});
