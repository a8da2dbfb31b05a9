import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
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
let asked: (string | undefined)[] = [];
let isAdministrator = true;

beforeAll(async () => {
  table = await startContextTable();
  const clock = () => NOW_SECONDS;
  ports = {
    documents: createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock }),
    resolve: async (_request, _invocation, { tool, namespace = 'own' }) => {
      asked.push(`${tool} ${namespace}`);
      return ok(contextCaller({ namespace }));
    },
    resolveAdministrator: async (_request, { requestId }, operation) => {
      asked.push(operation);
      return isAdministrator ? ok('acme') : err(problem('permission_denied', 'denied', requestId));
    },
    clock,
    randomBytes,
    log: () => {},
  };
});
afterAll(() => table.close());

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<[number, Record<string, unknown>]> {
  asked = [];
  const request = new Request(`${ORIGIN}/context${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const response = await createDocumentRoutes(ports).fetch(request, invocation);
  return [response.status, JSON.parse(await response.text())];
}

test('partitions are made, listed and deleted', async () => {
  expect(await call('POST', '/partitions', { name: 'proj', ttl_seconds: 60 })).toMatchObject([
    201,
    { name: 'proj', ttl_seconds: 60 },
  ]);
  expect(await call('POST', '/partitions', { name: 'proj' })).toMatchObject([409, { code: 'conflict' }]);
  expect(await call('GET', '/partitions')).toMatchObject([200, { partitions: [{ name: 'proj' }] }]);
  expect(await call('DELETE', '/partitions/proj')).toMatchObject([200, { success: true }]);
  expect(asked).toEqual(['partitions/delete']);
  expect(await call('DELETE', '/partitions/proj')).toMatchObject([404, { code: 'not_found' }]);
  expect(await call('DELETE', '/partitions/_global')).toMatchObject([403, { code: 'permission_denied' }]);
  for (const body of [{ name: 'default' }, { name: 'a/b' }, {}]) {
    expect(await call('POST', '/partitions', body)).toMatchObject([400, { code: 'invalid_argument' }]);
  }
});

test('partitions take no parameters: what one was meant to narrow is not done as a whole', async () => {
  expect((await call('POST', '/partitions', { name: 'kept' }))[0]).toBe(201);
  for (const [method, path, body] of [
    ['GET', '/partitions', undefined],
    ['POST', '/partitions', { name: 'another' }],
    ['DELETE', '/partitions/kept', undefined],
  ] as const) {
    expect(await call(method, `${path}?namespace=x`, body)).toMatchObject([
      400,
      { code: 'invalid_argument' },
    ]);
  }
  expect(await call('GET', '/partitions')).toMatchObject([200, { partitions: [{ name: 'kept' }] }]);
  expect((await call('DELETE', '/partitions/kept'))[0]).toBe(200);
});

test('partitions are for administrators', async () => {
  isAdministrator = false;
  expect((await call('GET', '/partitions'))[0]).toBe(403);
  expect((await call('POST', '/partitions', { name: 'x' }))[0]).toBe(403);
  expect((await call('DELETE', '/partitions/proj'))[0]).toBe(403);
  isAdministrator = true;
});

test('every operation is there under a named namespace too, and what it answers leads back there', async () => {
  const named = '/namespaces/team:a';
  const [status, { id, url }] = await call('POST', `${named}/documents`, { filename: 'a' });
  expect([status, url]).toEqual([201, `${ORIGIN}/context${named.replace(':', '%3A')}/documents/${id}`]);
  expect(asked).toEqual(['doc_create team:a']);
  const [, other] = await call('POST', `${named}/documents`, { filename: 'b' });
  const ends = { definition: 'related', from_document_id: id, to_document_id: other['id'] };
  const [, relation] = await call('POST', `${named}/relations`, ends);
  const operations: [string, string, unknown, number, string][] = [
    ['GET', '/documents', undefined, 200, 'doc_query'],
    ['GET', `/documents/${id}/metadata`, undefined, 200, 'doc_info'],
    ['PATCH', `/documents/${id}/content`, { offset: 0, new_string: '"text"' }, 200, 'doc_edit'],
    ['GET', `/documents/${id}?offset=0`, undefined, 206, 'doc_read'],
    ['PUT', `/documents/${id}/content`, {}, 200, 'doc_write'],
    ['GET', `/documents/${id}`, undefined, 200, 'doc_read'],
    ['GET', '/search?q=a', undefined, 200, 'doc_search'],
    ['GET', `/documents/${id}/relations`, undefined, 200, 'doc_link'],
    ['GET', '/relations/definitions', undefined, 200, 'doc_link'],
    ['PATCH', `/relations/${relation['id']}`, { note: 'x' }, 200, 'doc_link'],
    ['DELETE', `/relations/${relation['id']}`, undefined, 200, 'doc_link'],
    ['DELETE', `/documents/${id}`, undefined, 200, 'doc_delete'],
  ];
  for (const [method, path, body, expected, tool] of operations) {
    expect([path, (await call(method, `${named}${path}`, body))[0]]).toEqual([path, expected]);
    expect(asked).toEqual([`${tool} team:a`]);
  }
  expect((await call('GET', `/documents/${other['id']}/metadata`))[0]).toBe(404);
  expect((await call('GET', `${named}/documents/${other['id']}/metadata`))[0]).toBe(200);
});
