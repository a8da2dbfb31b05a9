import type { Partition } from '../core/documents/partition.ts';
import type { PartitionStore } from '../core/documents/ports.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ContextTable, ContextTables, Row, RowKey } from './context-table.ts';
import { HEAD_PREFIX, number, text, toDirectory, toPartition } from './document-rows.ts';

const PARTITION_PREFIX = 'PARTITION#';
const ROWS_PER_LOOK = 1_000;

/** Rows that one delete of a partition removes at most: some ten seconds of work. */
const MAX_REMOVED_ROWS = 20_000;

/**
 * The partitions of an org, registered in a storage partition of their own. What a partition says about its documents is in a row beside
 * them, because whoever creates one may touch nothing else.
 */
export function createPartitionStore(tables: ContextTables, clock: Clock): PartitionStore {
  return {
    async listPartitions(orgId) {
      const table = await tables({ orgId, namespace: '' });
      if (!table.ok) return table;
      const partitions: Partition[] = [];
      let after: string | undefined;
      do {
        const page = await table.value.page(toDirectory(orgId), PARTITION_PREFIX, after, ROWS_PER_LOOK);
        if (!page.ok) return page;
        partitions.push(...page.value.rows.map(fromRow));
        after = page.value.nextSortKey;
      } while (after !== undefined);
      return ok(partitions);
    },

    async createPartition(orgId, { name, ttlSeconds }) {
      const directory = await tables({ orgId, namespace: '' });
      if (!directory.ok) return directory;
      const partition: Partition = { name, ttlSeconds, createdAtSeconds: clock() };
      const known = await directory.value.get(toPartitionKey(orgId, name));
      if (!known.ok) return known;
      if (known.value !== undefined) return err({ reason: 'partition_exists' });
      const table = await tables({ orgId, namespace: name });
      if (!table.ok) return table;
      const settings = await table.value.put(toSettingsRow(orgId, partition));
      if (!settings.ok) return settings;
      const put = await directory.value.putNew(toRow(orgId, partition));
      if (!put.ok) return put;
      return put.value ? ok(partition) : err({ reason: 'partition_exists' });
    },

    async deletePartition(orgId, name) {
      const directory = await tables({ orgId, namespace: '' });
      if (!directory.ok) return directory;
      const known = await directory.value.get(toPartitionKey(orgId, name));
      if (!known.ok) return known;
      if (known.value === undefined) return err({ reason: 'not_found' });
      const table = await tables({ orgId, namespace: name });
      if (!table.ok) return table;
      const emptied = await removeRows(table.value, toPartition(orgId, name));
      if (!emptied.ok || !emptied.value) return emptied.ok ? ok({ isComplete: false }) : emptied;
      const removed = await directory.value.delete(toPartitionKey(orgId, name));
      return removed.ok ? ok({ isComplete: true }) : removed;
    },
  };
}

/** How long documents live that are created without saying so; undefined for ever. */
export async function defaultLifetime(
  table: ContextTable,
  scope: { readonly orgId: string; readonly namespace: string },
): Promise<Result<number | undefined, Unavailable>> {
  const row = await table.get({ pk: toPartition(scope.orgId, scope.namespace), sk: SETTINGS });
  if (!row.ok) return row;
  return ok(row.value?.['ttl_seconds'] === undefined ? undefined : number(row.value, 'ttl_seconds'));
}

/** Removes everything of a namespace, first the heads: a document is there as a whole or not at all. False where more is left. */
async function removeRows(table: ContextTable, pk: string): Promise<Result<boolean, Unavailable>> {
  let removed = 0;
  for (const prefix of [HEAD_PREFIX, '']) {
    for (;;) {
      const page = await table.page(pk, prefix, undefined, ROWS_PER_LOOK);
      if (!page.ok) return page;
      const keys = page.value.rows.map((row) => ({ pk, sk: text(row, 'sk') }));
      const gone = await table.writeAll([], keys);
      if (!gone.ok) return gone;
      removed += keys.length;
      if (page.value.nextSortKey === undefined) break;
      if (removed >= MAX_REMOVED_ROWS) return ok(false);
    }
  }
  return ok(true);
}

const SETTINGS = 'SETTINGS';

function toPartitionKey(orgId: string, name: string): RowKey {
  return { pk: toDirectory(orgId), sk: `${PARTITION_PREFIX}${name}` };
}

function toRow(orgId: string, partition: Partition): Row {
  const { pk, sk } = toPartitionKey(orgId, partition.name);
  return {
    pk: { S: pk },
    sk: { S: sk },
    created_at: { N: String(partition.createdAtSeconds) },
    ...toLifetime(partition),
  };
}

function toSettingsRow(orgId: string, partition: Partition): Row {
  return { pk: { S: toPartition(orgId, partition.name) }, sk: { S: SETTINGS }, ...toLifetime(partition) };
}

function toLifetime({ ttlSeconds }: Partition): Row {
  return ttlSeconds === null ? {} : { ttl_seconds: { N: String(ttlSeconds) } };
}

function fromRow(row: Row): Partition {
  return {
    name: text(row, 'sk').slice(PARTITION_PREFIX.length),
    createdAtSeconds: number(row, 'created_at'),
    ttlSeconds: row['ttl_seconds'] === undefined ? null : number(row, 'ttl_seconds'),
  };
}
