import type { Unavailable } from '../../core/ports.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ContextTable, Row, RowKey } from '../context-table.ts';
import { keyOf } from './relation-rows.ts';
import { type DocumentHead, toPartition } from './rows.ts';

/**
 * Says to whoever could bring a document back that this delete takes it: by its claim to those who repeat its create, and by the note to the
 * create itself, which may put the head once more where the answer to the first time was lost. The marks name the delete: others may be at it
 * too. Answers whether the note is there still.
 */
export async function markDeletion(
  table: ContextTable,
  head: DocumentHead,
  note: Row | undefined,
  by: string,
): Promise<Result<boolean, Unavailable>> {
  const claimed = await eachMark(claimKeys(head), (key) => table.markGone(key, by));
  if (!claimed.ok || note === undefined) return claimed.ok ? ok(false) : claimed;
  return table.markGone(keyOf(note), by);
}

/** Takes back what {@link markDeletion} said, and not what other deletes did. */
export function unmarkDeletion(
  table: ContextTable,
  head: DocumentHead,
  note: Row | undefined,
  by: string,
): Promise<Result<void, Unavailable>> {
  const keys = [...claimKeys(head), ...(note === undefined ? [] : [keyOf(note)])];
  return eachMark(keys, (key) => table.unmarkGone(key, by));
}

async function eachMark(
  keys: readonly RowKey[],
  change: (key: RowKey) => Promise<Result<boolean, Unavailable>>,
): Promise<Result<void, Unavailable>> {
  for (const key of keys) {
    const changed = await change(key);
    if (!changed.ok) return changed;
  }
  return ok(undefined);
}

function claimKeys({ document, claim }: DocumentHead): readonly RowKey[] {
  const { orgId, namespace } = document.scope;
  return claim === undefined ? [] : [{ pk: toPartition(orgId, namespace), sk: claim }];
}
