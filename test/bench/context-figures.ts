import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { sharedTables } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { DOCUMENT_ID_RANDOM_BYTES, toDocumentId } from '../../functions/core/documents/document.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import { contextCaller, cursorSeal, NOW_SECONDS } from '../support/context-callers.ts';
import type { MemoryContextTable } from '../support/context-memory.ts';
import { median } from './statistics.ts';

/** Documents among which lists and searches are measured. */
export const SIZES = [100, 10_000, 100_000];

/** Times that an operation is measured. */
export const ROUNDS = 100;

/** A store over a table in memory, and a caller without filters in one namespace of it. */
export function openStore(
  table: MemoryContextTable,
  client: DynamoDBClient,
  namespace: string,
): { readonly store: DocumentStore; readonly caller: ContextCaller } {
  const clock = () => NOW_SECONDS;
  const tables = sharedTables(client, 'context', clock);
  table.units.read = 0;
  return {
    store: createDocumentStore({ tables, seal: cursorSeal(), clock }),
    caller: contextCaller({ namespace }),
  };
}

/** Stores a document, so many seconds after the first one. */
export async function create(
  store: DocumentStore,
  caller: ContextCaller,
  content: Uint8Array,
  tags: readonly string[],
  number = 0,
): Promise<string> {
  const id = toDocumentId(NOW_SECONDS + number, randomBytes(DOCUMENT_ID_RANDOM_BYTES));
  const description = { filename: 'a.txt', contentType: 'text/plain', tags, metadata: new Map() };
  await must(
    store.create(caller, { id, nowSeconds: NOW_SECONDS, description, content, idempotencyKey: undefined }),
  );
  return id;
}

/** @throws Error where an operation fails */
export async function must(answer: Promise<{ readonly ok: boolean }>): Promise<void> {
  if (!(await answer).ok) throw new Error('an operation failed');
}

/** Prints what one operation costs among so many documents: units, our own CPU, and the middle of its times. */
export async function printGrowth(
  table: MemoryContextTable,
  name: string,
  size: number,
  operate: () => Promise<void>,
): Promise<void> {
  await operate();
  const times: number[] = [];
  const before = table.units.read;
  const cpu = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    await operate();
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / ROUNDS / 1_000;
  const units = (table.units.read - before) / ROUNDS;
  const figures = `${String(size).padStart(9)}   ${units.toFixed(0).padStart(10)}   ${cpuMs.toFixed(2).padStart(6)}   ${median(times).toFixed(2).padStart(6)}`;
  console.log(`${name.padEnd(36)} ${figures}`);
}
