import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row } from '../context-table.ts';
import { CLAIM_PREFIX, isOver } from './claims.ts';
import { idOfDeletion, NOTE_PREFIX } from './deletions.ts';
import { isDead } from './note-sweep.ts';
import { livingCreations } from './notes.ts';
import { RELATING_PREFIX } from './relation-notes.ts';
import { isOf, toRelationKey } from './relation-rows.ts';
import { type DocumentHead, fromHeadRow, HEAD_PREFIX, text } from './rows.ts';
import { scopeRows } from './scopes.ts';

const ROWS_PER_LOOK = 1_000;

/** What is there, or about to be, although its partition is being deleted. */
export type Living = {
  /** Documents that came after their predecessors went, by their ids. */
  readonly documents: ReadonlyMap<string, DocumentHead>;
  /** Of creates that are under way: ids, and ids with writes. */
  readonly created: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** Keys of the rows by which a caller with filters finds the place of their documents. */
  readonly scopes: ReadonlySet<string>;
  /** Relations that are led to from a document which is there, by their sort keys. */
  readonly relations: ReadonlyMap<string, Row>;
};

/**
 * The creates that are under way, and after them the documents, so that none is missed that is between the two. And of these the relations that
 * rows lead to: a relation is put before such a row, and goes before it.
 */
export async function findLiving(
  table: ContextTable,
  pk: string,
  rows: readonly Row[],
  nowSeconds: number,
): Promise<Result<Living, Unavailable>> {
  const creations = await livingCreations(table, pk, nowSeconds);
  if (!creations.ok) return creations;
  const heads = await table.all(pk, HEAD_PREFIX, ROWS_PER_LOOK);
  if (!heads.ok) return heads;
  const documents = new Map(heads.value.map(fromHeadRow).map((head) => [head.document.id, head]));
  const created = creations.value.map(({ document }) => document);
  const edges = rows.map((row) => text(row, 'sk').split('#')).filter(([kind]) => kind === 'EDGE');
  const led = edges.flatMap(([, id = '', relation = '']) => (documents.has(id) ? [relation] : []));
  const relations = await table.getAll([...new Set(led)].map((id) => toRelationKey(pk, id)));
  if (!relations.ok) return relations;
  const there = [...documents.values()].map(({ document }) => document);
  return ok({
    documents,
    created: new Set(created.map(({ id }) => id)),
    writes: new Set(creations.value.map(({ document, write }) => `${document.id}#${write}`)),
    scopes: new Set([...there, ...created].flatMap(scopeRows).map((row) => text(row, 'sk'))),
    relations: new Map(
      relations.value.flatMap((row) => (row === undefined ? [] : [[text(row, 'sk'), row] as const])),
    ),
  });
}

/** Has a row to do with what is there, or about to be? What a partition says about its documents goes with the partition, not here. */
export function isLiving(row: Row, living: Living, nowSeconds: number): boolean {
  const { documents, created, writes, scopes } = living;
  const sk = text(row, 'sk');
  const words = sk.split('#');
  const write = row['write']?.S;
  const isOfWrite = (id = '', write = '') => documents.has(id) || writes.has(`${id}#${write}`);
  switch (`${words[0]}#`) {
    case HEAD_PREFIX:
    case 'SETTINGS#':
      return true;
    case 'SCOPE#':
      return scopes.has(sk);
    case 'REL#':
      return isRelating(row, documents);
    case 'EDGE#': {
      const relation = living.relations.get(toRelationKey('', words[2] ?? '').sk);
      return relation !== undefined && relation['write']?.S === write && isRelating(relation, documents);
    }
    case NOTE_PREFIX:
      // Who writes what it is about may come to store it after this.
      return !isDead(row, nowSeconds) || documents.has(idOfDeletion(row));
    case 'LIST#':
      // Older versions did not say which write puts such a row.
      return (write === undefined && created.has(words.at(-1) ?? '')) || isOfWrite(words.at(-1), write);
    case CLAIM_PREFIX:
      return documents.has(text(row, 'id')) || created.has(text(row, 'id')) || !isOver(row, nowSeconds);
    case RELATING_PREFIX:
      // What who makes it leaves is found by its note alone.
      return !isDead(row, nowSeconds) || isRelating(row, documents);
    case 'TERM#':
      return isOfWrite(words.at(-2), words.at(-1));
    default:
      return isOfWrite(words[1], words[2]);
  }
}

/** Is a relation one of two documents that are there, and not of others that had their ids? */
export function isRelating(row: Row, documents: Living['documents']): boolean {
  return ['from_id', 'to_id'].every((end) => {
    const head = documents.get(text(row, end));
    return head !== undefined && isOf(row, head);
  });
}
