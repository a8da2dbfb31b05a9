import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
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
let documents: DocumentStore;
let caller: ContextCaller;
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
  caller = contextCaller({ namespace: `found-${namespaces}` });
  isAdmitted = true;
});

async function search(query: string): Promise<[number, Record<string, unknown>]> {
  const asked: string[] = [];
  const routes = createDocumentRoutes({
    documents,
    resolve: async (_request, { requestId }, { tool }) => {
      asked.push(tool);
      return isAdmitted ? ok(caller) : err(problem('permission_denied', 'denied', requestId));
    },
    resolveAdministrator: async () => ok('acme'),
    clock: () => NOW_SECONDS,
    randomBytes,
    log: () => {},
  });
  const response = await routes.fetch(new Request(`${ORIGIN}/context/search?${query}`), invocation);
  expect(asked).toEqual(['doc_search']);
  return [response.status, JSON.parse(await response.text())];
}

async function created(text: string): Promise<string> {
  const made = await documents.create(caller, newDocument('a', { content: new TextEncoder().encode(text) }));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value.id;
}

test('finds documents with their score, sections and relations', async () => {
  const id = await created('needle in hay');
  await created('hay');
  const [status, answer] = await search('q=needle+pin&limit=5&include_relations=true');
  expect(status).toBe(200);
  expect(answer).toMatchObject({
    method: 'full_text',
    complete: true,
    results: [
      {
        id,
        url: `${ORIGIN}/context/documents/${id}`,
        score: expect.any(Number),
        sections: [{ offset: 0, limit: 13, score: expect.any(Number) }],
        relations: [],
      },
    ],
  });
  expect((await search('q=hay&limit=1'))[1]['results']).toHaveLength(1);
  expect((await search('q=nothing'))[1]['results']).toEqual([]);
});

test.for([
  '',
  'q=',
  'q=...',
  'q=a&limit=0',
  'q=a&limit=x',
  'q=a&q=b',
  'q=a&include_relations=1',
  'q=a&namespace=x',
])('refuses ?%s', async (query) => {
  expect(await search(query)).toMatchObject([400, { code: 'invalid_argument' }]);
});

test('is for those alone who may', async () => {
  isAdmitted = false;
  expect((await search('q=a'))[0]).toBe(403);
});
