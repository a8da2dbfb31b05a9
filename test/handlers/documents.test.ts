import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toAttachment } from '../../functions/core/documents/content-disposition.ts';
import { MAX_DOCUMENT_BYTES, type WireDocument } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { DocumentPorts } from '../../functions/handlers/document-route.ts';
import { createDocumentRoutes } from '../../functions/handlers/documents.ts';
import { problem } from '../../functions/handlers/problem.ts';
import { contextCaller, cursorSeal, NOW_SECONDS } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

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
let logged: Readonly<Record<string, unknown>>[];
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
});

afterAll(() => table.close());

beforeEach(() => {
  namespaces += 1;
  caller = contextCaller({ namespace: `ns-${namespaces}` });
  asked = [];
  logged = [];
  ports = {
    documents: createDocumentStore({
      tables: table.tables(() => NOW_SECONDS),
      seal: cursorSeal(),
      clock: () => NOW_SECONDS,
    }),
    resolve: async (request, { requestId }, { tool }) => {
      asked.push(tool);
      return request.headers.has('authorization')
        ? ok(caller)
        : err(problem('permission_denied', 'denied', requestId));
    },
    resolveAdministrator: async () => ok('acme'),
    clock: () => NOW_SECONDS,
    randomBytes,
    log: (entry) => logged.push(entry),
  };
});

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', 'Bearer t');
  const request = new Request(`${ORIGIN}/context${path}`, { ...init, headers });
  const response = await createDocumentRoutes(ports).fetch(request, invocation);
  expect(response.headers.get('x-request-id')).toBe('req-1');
  return response;
}

const postJson = (body: unknown, headers: Record<string, string> = {}) =>
  call('/documents', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

function upload(
  content: Uint8Array<ArrayBuffer> | string,
  filename: string,
  parts: Record<string, string> = {},
  type = '',
): Promise<Response> {
  const form = new FormData();
  form.set('file', new File([content], filename, { type }));
  for (const [name, value] of Object.entries(parts)) form.set(name, value);
  return call('/documents', { method: 'POST', body: form });
}

async function expectProblem(response: Response, status: number, code: string, detail = ''): Promise<void> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body: unknown = await response.json();
  expect(body).toMatchObject({ status, code, request_id: 'req-1', detail: expect.stringContaining(detail) });
  expect(response.status).toBe(status);
}

async function idOf(response: Response): Promise<string> {
  expect(response.status).toBe(201);
  const document: WireDocument = JSON.parse(await response.text());
  return document.id;
}

type Page = { readonly documents: readonly WireDocument[]; readonly next_cursor: string | null };

async function pageOf(response: Response): Promise<Page> {
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

describe('a create', () => {
  test('of a form keeps the file, its name, tags and metadata', async () => {
    const response = await upload('# Hi', 'größe.md', { tags: 'a, b,,a', metadata: '{"k":"v","K":"w"}' });
    expect(response.status).toBe(201);
    const document: WireDocument = JSON.parse(await response.text());
    expect(document).toEqual({
      id: expect.stringMatching(/^doc_[0-9a-f]{24}$/),
      filename: 'größe.md',
      content_type: 'text/markdown',
      size_bytes: 4,
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      created_at: '2027-01-15T08:00:00.000Z',
      updated_at: '2027-01-15T08:00:00.000Z',
      expires_at: null,
      version: 1,
      tags: ['a', 'b'],
      metadata: { k: 'v', K: 'w' },
      url: `${ORIGIN}/context/documents/${document.id}`,
    });
    expect(response.headers.get('location')).toBe(document.url);
    expect(asked).toEqual(['doc_push']);
  });

  test('of JSON makes a placeholder', async () => {
    const response = await postJson({ filename: 'later.json', tags: ['t'], metadata: { a: 'b' } });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      filename: 'later.json',
      content_type: 'application/json',
      size_bytes: 0,
      checksum: null,
      tags: ['t'],
      metadata: { a: 'b' },
    });
    expect(asked).toEqual(['doc_create']);
  });

  test.for<[string, unknown, string]>([
    ['a namespace', { filename: 'a', namespace: 'other' }, 'namespace'],
    ['scope filters', { filename: 'a', scope_filters: {} }, 'scope_filters'],
    ['content', { filename: 'a', content: 'x' }, 'content'],
    ['no name', { tags: [] }, 'filename'],
    ['a list', [], 'arguments'],
    ['broken JSON', '{"filename":', 'body'],
    ['a repeated member', '{"filename":"a","filename":"b"}', 'body'],
    ['nothing', '', 'body'],
  ])('of JSON is refused with the field: %s', async ([, body, field]) => {
    await expectProblem(await postJson(body), 400, 'invalid_argument', field);
  });

  test('of JSON that is not UTF-8 is refused', async () => {
    const body = Buffer.from('{"filename":"\xff"}', 'latin1');
    const headers = { 'content-type': 'application/json' };
    const response = await call('/documents', { method: 'POST', headers, body });
    await expectProblem(response, 400, 'invalid_argument', 'body');
  });

  test.for<[string, Record<string, string>, string]>([
    ['a namespace', { namespace: 'other' }, 'part'],
    ['metadata that is no JSON', { metadata: '{' }, 'metadata'],
    ['metadata that is no object', { metadata: '[]' }, 'metadata'],
    ['metadata with a repeated member', { metadata: '{"a":"1","a":"2"}' }, 'metadata'],
    ['metadata of numbers', { metadata: '{"a":1}' }, 'metadata'],
  ])('of a form is refused with the field: %s', async ([, parts, field]) => {
    await expectProblem(await upload('x', 'a.txt', parts), 400, 'invalid_argument', field);
  });

  test('of a form without a file, with two files, or broken, is refused', async () => {
    const none = new FormData();
    none.set('tags', 'a');
    const text = new FormData();
    text.set('file', 'only text');
    const two = new FormData();
    two.append('file', new File(['a'], 'a'));
    two.append('file', new File(['b'], 'b'));
    for (const body of [none, text, two]) {
      await expectProblem(await call('/documents', { method: 'POST', body }), 400, 'invalid_argument', 'f');
    }
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const broken = await call('/documents', { method: 'POST', headers, body: '--x\r\nnonsense' });
    await expectProblem(broken, 400, 'invalid_argument', 'form');
  });

  test('of another media type is refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    const response = await call('/documents', { method: 'POST', headers, body: 'x' });
    await expectProblem(response, 400, 'invalid_argument', 'content-type');
  });

  test('of 4 MiB is kept, of one byte more refused', async () => {
    const content = Buffer.from(randomBytes(MAX_DOCUMENT_BYTES));
    const id = await idOf(await upload(content, 'big.bin'));
    const read = await call(`/documents/${id}`);
    expect(content.equals(await read.bytes())).toBe(true);
    const more = await upload(Buffer.concat([content, Buffer.alloc(1)]), 'big.bin');
    await expectProblem(more, 413, 'payload_too_large');
  });

  test('whose body is too large is refused before all of it is read', async () => {
    const chunk = Buffer.alloc(500_000);
    let chunks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        chunks += 1;
        if (chunks > 20) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const headers = { 'content-type': 'application/json' };
    const streamed = { method: 'POST', headers, body, duplex: 'half' } as const;
    await expectProblem(await call('/documents', streamed), 413, 'payload_too_large');
    expect(chunks).toBeLessThan(15);
  });

  test('with an idempotency key happens once; with another document it conflicts', async () => {
    const key = { 'idempotency-key': '6f1e' };
    const first = await idOf(await postJson({ filename: 'a' }, key));
    expect(await idOf(await postJson({ filename: 'a' }, key))).toBe(first);
    await expectProblem(await postJson({ filename: 'b' }, key), 409, 'conflict', 'another document');
    expect((await call(`/documents/${first}`, { method: 'DELETE' })).status).toBe(200);
    await expectProblem(await postJson({ filename: 'a' }, key), 409, 'conflict', 'deleted');
    for (const malformed of ['', 'a b', 'a, b', 'x'.repeat(256)]) {
      const refused = await postJson({ filename: 'a' }, { 'idempotency-key': malformed });
      await expectProblem(refused, 400, 'invalid_argument', 'Idempotency-Key');
    }
  });
});

test('a create takes no parameter, which may have been meant to name another place', async () => {
  for (const type of ['application/json', 'multipart/form-data; boundary=x']) {
    const body = '{"filename":"a"}';
    const init = { method: 'POST', headers: { 'content-type': type }, body };
    await expectProblem(await call('/documents?namespace=x', init), 400, 'invalid_argument', 'namespace');
  }
  expect(await pageOf(await call('/documents'))).toMatchObject({ documents: [] });
});

test.for([
  ['', 200],
  ['?offset=0&limit=1', 206],
  ['?offset=9', 416],
  ['?limit=x', 400],
  ['/metadata', 200],
  ['/relations', 200],
] as const)('HEAD of a document%s says what GET does, without a body', async ([suffix, status]) => {
  const id = await idOf(await upload('abc', 'a.txt'));
  const [got, head] = await Promise.all(
    ['GET', 'HEAD'].map((method) => call(`/documents/${id}${suffix}`, { method })),
  );
  expect([head?.status, Object.fromEntries(head?.headers ?? [])]).toEqual([
    status,
    Object.fromEntries(got?.headers ?? []),
  ]);
  expect([got?.status, await head?.text()]).toEqual([status, '']);
  const tag = got?.headers.get('etag');
  if (status !== 200 || typeof tag !== 'string') return;
  const known = await call(`/documents/${id}${suffix}`, {
    method: 'HEAD',
    headers: { 'if-none-match': tag },
  });
  expect(known.status).toBe(304);
});

describe('a read', () => {
  test('gives the bytes as an inert download', async () => {
    const html = '<script>alert(1)</script>';
    const id = await idOf(await upload(html, 'x.html', {}, 'text/html'));
    const response = await call(`/documents/${id}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(html);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="x.html"; filename*=UTF-8''x.html`,
      etag: expect.stringMatching(/^"1-[0-9a-f]{32}"$/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, no-store',
      'x-request-id': 'req-1',
    });
    expect(asked).toEqual(['doc_push', 'doc_read']);
  });

  test('of metadata gives no content', async () => {
    const id = await idOf(await upload('abc', 'a.txt'));
    const response = await call(`/documents/${id}/metadata`);
    expect(await response.json()).toMatchObject({ id, filename: 'a.txt', size_bytes: 3 });
    expect(asked.at(-1)).toBe('doc_info');
  });

  test.for([
    ['plain.txt', `attachment; filename="plain.txt"; filename*=UTF-8''plain.txt`],
    ['a"; x=y.txt', `attachment; filename="a__ x_y.txt"; filename*=UTF-8''a%22%3B%20x%3Dy.txt`],
    ['../../etc/passwd', `attachment; filename=".._.._etc_passwd"; filename*=UTF-8''.._.._etc_passwd`],
    ['C:\\x', `attachment; filename="C__x"; filename*=UTF-8''C%3A_x`],
    [
      "größe'(1)*.md",
      `attachment; filename="gr__e_(1)_.md"; filename*=UTF-8''gr%C3%B6%C3%9Fe%27%281%29%2A.md`,
    ],
    ['100%.txt', `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`],
    ['😀', `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`],
  ] as const)('offers %s under a safe name', async ([filename, disposition]) => {
    expect(toAttachment(filename)).toBe(disposition);
    const id = await idOf(await postJson({ filename }));
    expect((await call(`/documents/${id}`)).headers.get('content-disposition')).toBe(disposition);
  });

  test('does not take arguments that it does not know', async () => {
    const id = await idOf(await postJson({ filename: 'a' }));
    for (const path of [`/documents/${id}`, `/documents/${id}/metadata`]) {
      await expectProblem(await call(`${path}?namespace=x`), 400, 'invalid_argument', 'namespace');
    }
  });
});

describe('a list', () => {
  test('filters, limits and goes on by cursor', async () => {
    for (const name of ['a1', 'a2', 'a3', 'b1'])
      await idOf(await postJson({ filename: name, tags: ['x', name] }));
    const first = await pageOf(await call('/documents?filename=A&tags=x&limit=2'));
    expect(first.documents).toHaveLength(2);
    const query = `/documents?filename=A&tags=x&limit=2&cursor=${encodeURIComponent(first.next_cursor ?? '')}`;
    const second = await pageOf(await call(query));
    expect(second).toMatchObject({ next_cursor: null });
    const names = [...first.documents, ...second.documents].map(({ filename }) => filename);
    expect(names.sort()).toEqual(['a1', 'a2', 'a3']);
    expect((await pageOf(await call('/documents?tags=x,b1'))).documents).toHaveLength(1);
    expect((await pageOf(await call('/documents?offset=3'))).documents).toHaveLength(1);
    expect(asked.at(-1)).toBe('doc_query');
  });

  test.for([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=', 'limit'],
    ['limit=5&limit=6', 'query'],
    ['offset=-1', 'offset'],
    ['namespace=other', 'namespace'],
    ['scope_filters=%7B%7D', 'scope_filters'],
    ['q=x', 'q'],
    ['cursor=x', 'cursor'],
  ] as const)('refuses ?%s', async ([query, field]) => {
    await expectProblem(await call(`/documents?${query}`), 400, 'invalid_argument', field);
  });
});

describe('a delete', () => {
  test('names what went, and is not found afterwards', async () => {
    const id = await idOf(await postJson({ filename: 'a' }));
    const response = await call(`/documents/${id}`, { method: 'DELETE' });
    expect(await response.json()).toEqual({
      success: true,
      message: 'deleted 1 document',
      deleted_document_ids: [id],
    });
    await expectProblem(await call(`/documents/${id}`, { method: 'DELETE' }), 404, 'not_found');
    expect(asked.at(-1)).toBe('doc_delete');
  });
});

test('what a caller cannot see is not found, like what does not exist', async () => {
  const id = await idOf(await upload('secret', 's.txt'));
  const unknown = 'doc_000000000000000000000000';
  const strangers = [
    { ...caller, namespace: 'elsewhere' },
    { ...caller, orgId: 'other' },
  ];
  for (const stranger of strangers) {
    caller = stranger;
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/metadata'],
      ['DELETE', ''],
    ] as const) {
      const answers = await Promise.all(
        [id, unknown].map(async (one) => (await call(`/documents/${one}${suffix}`, { method })).text()),
      );
      expect(answers[0]).toBe(answers[1]);
      await expectProblem(await call(`/documents/${id}${suffix}`, { method }), 404, 'not_found');
    }
    expect((await pageOf(await call('/documents'))).documents).toEqual([]);
  }
});

test.for(['doc_', 'doc_000', `DOC_${'0'.repeat(24)}`, '..%2f..', '%00'])(
  'an id that is none is not found: %s',
  async (id) => {
    await expectProblem(await call(`/documents/${id}`), 404, 'not_found');
  },
);

test('a token that may only read creates and deletes nothing', async () => {
  const id = await idOf(await postJson({ filename: 'a' }));
  caller = { ...caller, permissions: 'read' };
  await expectProblem(await postJson({ filename: 'b' }), 403, 'permission_denied');
  await expectProblem(await call(`/documents/${id}`, { method: 'DELETE' }), 403, 'permission_denied');
  expect((await call(`/documents/${id}`)).status).toBe(200);
});

test('a caller who is not admitted gets the answer of the door and nothing else happens', async () => {
  const request = new Request(`${ORIGIN}/context/documents`, { method: 'POST', body: '{"filename":"a"}' });
  const response = await createDocumentRoutes(ports).fetch(request, invocation);
  await expectProblem(response, 403, 'permission_denied', 'denied');
  expect(request.bodyUsed).toBe(false);
  expect((await pageOf(await call('/documents'))).documents).toEqual([]);
});

test('a store that is down answers 503 with a time to wait and tells only the log why', async () => {
  const client = new DynamoDBClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const documents = createDocumentStore({
    tables: table.tables(() => NOW_SECONDS, client),
    seal: cursorSeal(),
    clock: () => NOW_SECONDS,
  });
  ports = { ...ports, documents };
  const answers = [
    await call('/documents'),
    await postJson({ filename: 'a' }),
    await call('/documents/doc_000000000000000000000000'),
    await call('/documents/doc_000000000000000000000000/metadata'),
    await call('/documents/doc_000000000000000000000000', { method: 'DELETE' }),
  ];
  for (const answer of answers) {
    expect(answer.headers.get('retry-after')).toMatch(/^[0-9]+$/);
    expect(await answer.clone().text()).not.toMatch(/ECONN|127\.0|table/i);
    await expectProblem(answer, 503, 'unavailable');
  }
  expect(logged).toHaveLength(answers.length);
  expect(logged[0]).toMatchObject({ event: 'context_unavailable', request_id: 'req-1' });
});

test('a bug answers 500 without saying what it was', async () => {
  ports = {
    ...ports,
    resolve: async () => {
      throw new Error('at /var/task/secret.ts');
    },
  };
  const response = await call('/documents');
  expect(await response.clone().text()).not.toContain('secret');
  await expectProblem(response, 500, 'internal');
  expect(logged).toHaveLength(1);
});
