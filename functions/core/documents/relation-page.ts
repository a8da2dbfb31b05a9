import { ok, type Result } from '../result.ts';
import { DOCUMENT_BOUNDS, type InvalidArgument, isIntegerIn, isText, parseFields, refuse } from './input.ts';
import { MAX_RELATIONS, type Relation, toWireRelation } from './relation.ts';

/** Which relations of one document are asked for. */
export type RelationQuery = { readonly limit: number; readonly cursor: string | undefined };

/**
 * Most relations in one answer, and most bytes of them as they are answered. A tool answers all twice, once within a text: that stays well below
 * the 6 MB that many a hop passes.
 */
export const MAX_ANSWERED = { relations: 2_000, bytes: 1_000_000 } as const;

/** Parses `{limit?, cursor?}`; without a limit there are as many as a document may have for one caller. */
export function parseRelationQuery(input: unknown): Result<RelationQuery, InvalidArgument> {
  const fields = parseFields(input, ['limit', 'cursor']);
  if (!fields.ok) return fields;
  const { limit = MAX_RELATIONS, cursor } = fields.value;
  if (!isIntegerIn(limit, 1, MAX_RELATIONS)) {
    return refuse('limit', `must be a whole number from 1 to ${MAX_RELATIONS}`);
  }
  if (cursor !== undefined && !isText(cursor, DOCUMENT_BOUNDS.cursorLength)) {
    return refuse('cursor', 'must be the `next_cursor` of the page before');
  }
  return ok({ limit, cursor });
}

/** Bytes of a relation in an answer. */
export function relationBytes(relation: Relation): number {
  return Buffer.byteLength(JSON.stringify(toWireRelation(relation)));
}

/** The most that each may have of what has so many, such that all of them have at most `total`: those with little have all of it. */
export function fairShare(counts: readonly number[], total: number): number {
  let left = total;
  for (const [index, count] of counts.toSorted((one, other) => one - other).entries()) {
    const sharers = counts.length - index;
    if (count * sharers > left) return Math.floor(left / sharers);
    left -= count;
  }
  return total;
}
