import type { Partition } from '../../core/documents/partition.ts';
import type { PartitionStore } from '../../core/documents/ports.ts';
import type { Clock, Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ContextTable, ContextTables, Row, RowKey } from '../context-table.ts';
import { newWrite } from './content.ts';
import { removeRows } from './partition-removal.ts';
import { number, text, toDirectory, toPartition } from './rows.ts';

const PARTITION_PREFIX = 'PARTITION#';
const ROWS_PER_LOOK = 1_000;

/** Looks at a partition that others make and delete at the same time. */
const ATTEMPTS = 5;

/**
 * The partitions of an org, registered in a storage partition of their own. What a partition says about its documents is in a row beside
 * them, because whoever creates one may touch nothing else.
 */
export function createPartitionStore(tables: ContextTables, clock: Clock): PartitionStore {
  return {
    async listPartitions(orgId) {
      const table = await tables({ orgId, namespace: '' });
      if (!table.ok) return table;
      const rows = await table.value.all(toDirectory(orgId), PARTITION_PREFIX, ROWS_PER_LOOK);
      return rows.ok ? ok(rows.value.map(fromRow)) : rows;
    },

    async createPartition(orgId, { name, ttlSeconds }) {
      const directory = await tables({ orgId, namespace: '' });
      if (!directory.ok) return directory;
      const partition: Partition = { name, ttlSeconds, createdAtSeconds: clock() };
      const table = await tables({ orgId, namespace: name });
      if (!table.ok) return table;
      const write = newWrite();
      const put = await directory.value.putNew({ ...toRow(orgId, partition), write: { S: write } });
      if (!put.ok) return put;
      const standing = await settle({ directory: directory.value, table: table.value }, orgId, name);
      if (!standing.ok) return standing;
      // The client repeats a put whose answer was lost: then the row that stands is this one.
      const isMade = put.value || standing.value?.['write']?.S === write;
      return isMade ? ok(partition) : err({ reason: 'partition_exists' });
    },

    async deletePartition(orgId, name) {
      const directory = await tables({ orgId, namespace: '' });
      if (!directory.ok) return directory;
      const known = await directory.value.get(toPartitionKey(orgId, name));
      if (!known.ok) return known;
      if (known.value === undefined) return err({ reason: 'not_found' });
      const table = await tables({ orgId, namespace: name });
      if (!table.ok) return table;
      const emptied = await removeRows(table.value, toPartition(orgId, name), clock());
      if (!emptied.ok || !emptied.value) return emptied.ok ? ok({ isComplete: false }) : emptied;
      // Not those of a partition of this name that was made meanwhile.
      const settings = settingsOf(orgId, known.value);
      for (const [from, row] of [
        [table.value, settings],
        [directory.value, known.value],
      ] as const) {
        const removed = await from.removeAsRead([row]);
        if (!removed.ok) return removed;
      }
      return ok({ isComplete: true });
    },
  };
}

/**
 * Puts beside the documents what the directory says of their partition, or nothing where it is in it no more: who made it may have died in
 * between. Answers with the row of the directory.
 */
async function settle(
  { directory, table }: { readonly directory: ContextTable; readonly table: ContextTable },
  orgId: string,
  name: string,
): Promise<Result<Row | undefined, Unavailable>> {
  const key = { pk: toPartition(orgId, name), sk: SETTINGS };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const settings = await table.get(key);
    if (!settings.ok) return settings;
    const known = await directory.get(toPartitionKey(orgId, name));
    if (!known.ok) return known;
    const wanted = known.value && settingsOf(orgId, known.value);
    if (isSameRow(settings.value, wanted)) return known;
    // And look again: the partition may be another one by now.
    const done =
      wanted === undefined
        ? await table.removeAsRead(settings.value === undefined ? [] : [settings.value])
        : await (settings.value === undefined
            ? table.putNew(wanted)
            : table.putInstead(wanted, settings.value));
    if (!done.ok) return done;
  }
  return err({ reason: 'unavailable', detail: 'context table: a partition did not come to rest' });
}

function isSameRow(one: Row | undefined, other: Row | undefined): boolean {
  const isSame = (name: string) => JSON.stringify(one?.[name]) === JSON.stringify(other?.[name]);
  return (one === undefined) === (other === undefined) && ['write', 'ttl_seconds'].every(isSame);
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

/** The row beside the documents that goes with a row of the directory. */
function settingsOf(orgId: string, row: Row): Row {
  const { write } = row;
  return { ...toSettingsRow(orgId, fromRow(row)), ...(write === undefined ? {} : { write }) };
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
