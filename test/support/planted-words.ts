import { gzipSync } from 'node:zlib';
import { type Row, sharedTables } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { coarseRankOf, rankOf } from '../../functions/aws/documents/rank.ts';
import { toExpiry, toHeadRow, toPartition } from '../../functions/aws/documents/rows.ts';
import { scopeRows } from '../../functions/aws/documents/scopes.ts';
import { type IndexEntry, toListKey, toTermKey } from '../../functions/aws/documents/search-index.ts';
import { createDocument, type Document } from '../../functions/core/documents/document.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from './context-callers.ts';
import { MemoryContextTable } from './context-memory.ts';

/** What became of a document that has the word `wanted`: whether it is there, and with which of its writes the rows of the index are. */
export type Fate = 'there' | 'edited' | 'shrunk' | 'grown' | 'lost' | 'dead' | 'expired';

/** A document as the rows that are left of it. */
export type Planted = {
  readonly id: string;
  readonly scopeFilters: Readonly<Record<string, string>>;
  /** How often the word is in it. */
  readonly count: number;
  readonly fate: Fate;
  /** Were its rows written by a version whose ranks are one digit? */
  readonly isOld: boolean;
};

/** Is a search to find it, who sees it? */
export function isThere({ fate }: Planted): boolean {
  return fate === 'there' || fate === 'edited' || fate === 'shrunk' || fate === 'grown';
}

/** A store over a table in memory, with the rows of such documents in it; `queries` counts those for the word. */
export async function plantedStore(all: readonly Planted[]) {
  const memory = new MemoryContextTable();
  const clock = () => NOW_SECONDS;
  let queries = 0;
  const client = memory.client();
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (commandName === 'QueryCommand' && JSON.stringify(args.input).includes('"TERM#wanted#')) queries += 1;
    return next(args);
  });
  const tables = sharedTables(client, 'context', clock);
  const opened = await tables(contextCaller());
  if (!opened.ok) throw new Error(opened.error.detail);
  const scopes = new Map<string, Row>();
  for (const planted of all) {
    const scope = contextCaller({ scopeFilters: planted.scopeFilters });
    for (const row of scopeRows({ scope })) scopes.set(row['sk']?.S ?? '', row);
  }
  const written = await opened.value.writeAll([...scopes.values(), ...all.flatMap(rowsOf)], []);
  if (!written.ok) throw new Error(written.error.detail);
  return {
    store: createDocumentStore({ tables, seal: cursorSeal(), clock }),
    units: memory.units,
    queries: () => queries,
  };
}

function rowsOf({ id, scopeFilters, count, fate, isOld }: Planted): readonly Row[] {
  const scope = contextCaller({ scopeFilters });
  const made = createDocument(newDocument('a').description, null, { id, nowSeconds: NOW_SECONDS, scope });
  const document = { ...made, expiresAtSeconds: fate === 'expired' ? NOW_SECONDS : null };
  const entry = (write: string, of = count): IndexEntry => ({
    term: 'wanted',
    rank: isOld ? coarseRankOf(of) : rankOf(of),
    write,
    digest: '',
  });
  const rows: Row[] = [];
  const put = (of: IndexEntry, times = count) => rows.push(toWordRow(document, of, times));
  // A row that its first write stored is of the next version too, where that changed other words.
  const own = entry(fate === 'edited' ? 'first' : 'last');
  if (fate !== 'lost') put(own);
  if (fate === 'lost') put(entry('first'));
  if (fate === 'shrunk') put(entry('first', 2 * count + 3), 2 * count + 3);
  if (fate === 'grown') put(entry('first', 1), 1);
  if (fate !== 'dead') {
    const head = { document, parts: [], write: 'last', incarnation: undefined, claim: undefined };
    const { pk, sk } = toListKey(document, 'last');
    const bytes = gzipSync(JSON.stringify(fate === 'lost' ? [] : [own]));
    rows.push(toHeadRow(head), { pk: { S: pk }, sk: { S: sk }, bytes: { B: bytes }, ...toExpiry(document) });
  }
  return rows;
}

function toWordRow(document: Document, entry: IndexEntry, count: number): Row {
  const { sk } = toTermKey(document, entry);
  const pk = toPartition(document.scope.orgId, document.scope.namespace);
  return { pk: { S: pk }, sk: { S: sk }, n: { N: String(count) }, at: { S: '0' }, ...toExpiry(document) };
}
