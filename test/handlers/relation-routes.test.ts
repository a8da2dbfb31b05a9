import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
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
const RelationPage = z.object({
  relations: z.array(z.object({ id: z.string() })),
  next_cursor: z.string().nullable(),
});
const UNKNOWN = `rel_${'0'.repeat(24)}`;

let table: EmbeddedContextTable;
let documents: DocumentStore;
let ports: DocumentPorts;
let caller: ContextCaller;
let asked: string[];
let isAdmitted: boolean;
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
  const clock = () => NOW_SECONDS;
  documents = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

beforeEach(() => {
  namespaces += 1;
  caller = contextCaller({ namespace: `links-${namespaces}` });
  asked = [];
  isAdmitted = true;
  ports = {
    documents,
    resolve: async (_request, { requestId }, { tool }) => {
      asked.push(tool);
      return isAdmitted ? ok(caller) : err(problem('permission_denied', 'denied', requestId));
    },
    resolveAdministrator: async () => ok('acme'),
    clock: () => NOW_SECONDS,
    randomBytes,
    log: () => {},
  };
});

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const request = new Request(`${ORIGIN}/context${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return createDocumentRoutes(ports).fetch(request, invocation);
}

async function created(by = caller): Promise<string> {
  const result = await documents.create(by, newDocument('a.txt', { content: null }));
  if (!result.ok) throw new Error(result.error.reason);
  return result.value.id;
}

async function answerOf(response: Response): Promise<[number, Record<string, unknown>]> {
  return [response.status, JSON.parse(await response.text())];
}

const between = (from: string, to: string, more: object = {}) => ({
  definition: 'related',
  from_document_id: from,
  to_document_id: to,
  ...more,
});

test('a relation is made, listed, noted and removed', async () => {
  const [from, to] = [await created(), await created()];
  const [status, made] = await answerOf(
    await call('POST', '/relations', between(from, to, { from_to_note: 'x' })),
  );
  expect(status).toBe(201);
  expect(made).toMatchObject({ ...between(from, to), from_to_note: 'x', to_from_note: null });
  for (const id of [from, to]) {
    const listed = await call('GET', `/documents/${id}/relations`);
    expect(await answerOf(listed)).toEqual([200, { relations: [made], next_cursor: null }]);
  }
  const path = `/relations/${made['id']}`;
  const [, noted] = await answerOf(await call('PATCH', path, { note: 'y' }));
  expect(noted).toEqual({ ...made, from_to_note: 'y' });
  const listed = await call('GET', '/documents?include_relations=true&limit=1');
  expect(await listed.json()).toMatchObject({ documents: [{ relations: [noted] }] });
  expect(await answerOf(await call('DELETE', path))).toMatchObject([200, { success: true }]);
  expect((await call('DELETE', path)).status).toBe(404);
  expect(new Set(asked)).toEqual(new Set(['doc_link', 'doc_query']));
});

test('relations are listed by pages, oldest first, and a cursor is good for its document and caller alone', async () => {
  const from = await created();
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    const [, { id }] = await answerOf(await call('POST', '/relations', between(from, await created())));
    made.push(String(id));
  }
  const path = `/documents/${from}/relations`;
  const seen: string[] = [];
  const cursors: string[] = [];
  for (let query = '?limit=2'; query !== ''; ) {
    const page = RelationPage.parse(await (await call('GET', `${path}${query}`)).json());
    expect(page.relations.length).toBeLessThanOrEqual(2);
    seen.push(...page.relations.map(({ id }) => id));
    query = page.next_cursor === null ? '' : `?limit=2&cursor=${encodeURIComponent(page.next_cursor)}`;
    if (page.next_cursor !== null) cursors.push(page.next_cursor);
  }
  expect(seen).toEqual(made.toSorted());
  expect(cursors).toHaveLength(2);
  const cursor = `?cursor=${encodeURIComponent(cursors[0] ?? '')}`;
  expect((await call('GET', `${path}${cursor}`)).status).toBe(200);
  expect((await call('GET', `/documents/${await created()}/relations${cursor}`)).status).toBe(400);
  caller = { ...caller, callerKey: 'another' };
  expect((await call('GET', `${path}${cursor}`)).status).toBe(400);
});

test('the kinds of relations are listed', async () => {
  const [status, { definitions }] = await answerOf(await call('GET', '/relations/definitions'));
  expect(status).toBe(200);
  expect(definitions).toMatchObject([
    { name: 'parent-child', cascade_delete: true },
    { name: 'related', cascade_delete: false },
    { name: 'predecessor-successor', cascade_delete: false },
  ]);
});

test('what is malformed is 400, what is not there 404, what is there already 409', async () => {
  const [from, to] = [await created(), await created()];
  await call('POST', '/relations', between(from, to));
  const unknown = `doc_${'0'.repeat(24)}`;
  const answers: [number, Response][] = [
    [400, await call('POST', '/relations', {})],
    [400, await call('POST', '/relations', between(from, from))],
    [400, await call('POST', '/relations', between(from, to, { namespace: 'x' }))],
    [400, await call('POST', '/relations?namespace=x', between(from, to))],
    [400, await call('POST', '/relations')],
    [400, await call('PATCH', `/relations/${UNKNOWN}`, {})],
    [400, await call('GET', '/relations/definitions?x=1')],
    [400, await call('GET', '/documents?include_relations=yes')],
    [400, await call('GET', `/documents/${from}/relations?limit=0`)],
    [400, await call('GET', `/documents/${from}/relations?limit=501`)],
    [400, await call('GET', `/documents/${from}/relations?cursor=forged`)],
    [400, await call('GET', `/documents/${from}/relations?offset=1`)],
    [404, await call('POST', '/relations', between(from, unknown))],
    [404, await call('PATCH', `/relations/${UNKNOWN}`, { note: 'x' })],
    [404, await call('PATCH', '/relations/x', { note: 'x' })],
    [404, await call('DELETE', `/relations/${UNKNOWN}`)],
    [404, await call('DELETE', '/relations/x')],
    [404, await call('GET', `/documents/${unknown}/relations`)],
    [404, await call('GET', '/documents/x/relations')],
    [409, await call('POST', '/relations', between(to, from))],
  ];
  for (const [status, answer] of answers) {
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ status });
  }
});

test('of another namespace nothing is found by id, and a reader changes nothing', async () => {
  const [from, to] = [await created(), await created()];
  const [, { id }] = await answerOf(await call('POST', '/relations', between(from, to)));
  const home = caller;
  caller = { ...home, namespace: 'elsewhere' };
  const statuses = async () => [
    (await call('GET', `/documents/${from}/relations`)).status,
    (await call('PATCH', `/relations/${id}`, { note: 'x' })).status,
    (await call('DELETE', `/relations/${id}`)).status,
    (await call('POST', '/relations', between(from, to, { definition: 'parent-child' }))).status,
  ];
  expect(await statuses()).toEqual([404, 404, 404, 404]);
  caller = { ...home, permissions: 'read' };
  expect(await statuses()).toEqual([200, 403, 403, 403]);
  isAdmitted = false;
  expect(await statuses()).toEqual([403, 403, 403, 403]);
  expect((await call('GET', '/relations/definitions')).status).toBe(403);
});

test('a delete says what went along', async () => {
  const [from, to] = [await created(), await created()];
  await call('POST', '/relations', between(from, to, { definition: 'parent-child' }));
  expect(await answerOf(await call('DELETE', `/documents/${from}`))).toEqual([
    200,
    { success: true, message: 'deleted 2 documents', deleted_document_ids: [from, to] },
  ]);
});
