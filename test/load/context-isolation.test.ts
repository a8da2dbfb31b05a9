import { expect, test } from 'vitest';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { runContextIsolation } from './context-isolation.ts';

const SEED = 20_261_121;

test('of a hundred callers at once, none sees or touches a document that is not in its scope', {
  timeout: 120_000,
}, async () => {
  const report = await runContextIsolation({ operations: 4_000, seed: SEED });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ callers: 100, leaks: 0, faults: 0, refused: 0 });
  // What was looked at is enough to have seen something, and what was refused to have been tried.
  expect(report.marks).toBeGreaterThan(3_000);
  for (const answer of ['read 200', 'read 404', 'delete 404', 'edit 200', 'relate 404', 'search 200']) {
    expect(report.answers.get(answer), answer).toBeGreaterThan(20);
  }
  for (const answer of ['export 200', 'import 200', 'tool 200', 'upload 201', 'list by cursor 400']) {
    expect(report.answers.get(answer), answer).toBeGreaterThan(5);
  }
});

/** The store for callers that are taken for others. */
function taking(documents: DocumentStore, as: (caller: ContextCaller) => ContextCaller): DocumentStore {
  return {
    ...documents,
    list: (caller, ...rest) => documents.list(as(caller), ...rest),
    read: (caller, ...rest) => documents.read(as(caller), ...rest),
    search: (caller, ...rest) => documents.search(as(caller), ...rest),
    delete: (caller, ...rest) => documents.delete(as(caller), ...rest),
  };
}

test.for<readonly [string, (caller: ContextCaller) => ContextCaller]>([
  ['filters are forgotten', (caller) => ({ ...caller, scopeFilters: new Map() })],
  ['namespaces are mixed up', (caller) => ({ ...caller, namespace: 'n' })],
  ['organisations are mixed up', (caller) => ({ ...caller, orgId: 'o1' })],
])('it is seen where %s', { timeout: 120_000 }, async ([, as]) => {
  const spoil = (documents: DocumentStore) => taking(documents, as);
  const { leaks } = await runContextIsolation({ operations: 2_000, seed: SEED, spoil });
  expect(leaks).toBeGreaterThan(10);
});
