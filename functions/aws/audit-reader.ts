import type { AuditReader, DayPage, DayQuery, FoundRecord } from '../core/audit/audit-ports.ts';
import type { RecordValue } from '../core/audit/chain.ts';
import { partitionsOf } from '../core/audit/record-key.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { AttributeValue, Dynamo, Item } from './dynamodb.ts';

type Slice = { readonly records: readonly FoundRecord[]; readonly isAll: boolean };

/** Reads audit records from DynamoDB: every shard of a day at once, put into one order. */
export function createAuditReader(dynamo: Dynamo, table: string): AuditReader {
  return {
    async readDay(query) {
      const slices = await Promise.all(
        partitionsOf(query.orgId, query.day).map((partition) => readSlice(dynamo, table, partition, query)),
      );
      const found: Slice[] = [];
      for (const slice of slices) {
        if (!slice.ok) return slice;
        found.push(slice.value);
      }
      return ok(merge(found, query));
    },
  };
}

/** What several shards gave, up to where one of them may have more. */
function merge(slices: readonly Slice[], { newestFirst, limit }: DayQuery): DayPage {
  const isBefore = (a: string, b: string) => (newestFirst ? a > b : a < b);
  const order = (a: FoundRecord, b: FoundRecord) => (isBefore(a.key.sk, b.key.sk) ? -1 : 1);
  const ends = slices.flatMap(({ records, isAll }) => (isAll ? [] : [records.at(-1)?.key.sk ?? '']));
  const known = slices
    .flatMap(({ records }) => records)
    .filter(({ key }) => ends.every((end) => !isBefore(end, key.sk)))
    .sort(order);
  const records = known.slice(0, limit);
  return { records, isAll: ends.length === 0 && records.length === known.length };
}

async function readSlice(
  dynamo: Dynamo,
  table: string,
  partition: string,
  { from, to, newestFirst, limit }: DayQuery,
): Promise<Result<Slice, Unavailable>> {
  const answer = await dynamo.call('Query', {
    TableName: table,
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: { ':pk': { S: partition }, ':from': { S: from }, ':to': { S: to } },
    ScanIndexForward: !newestFirst,
    ConsistentRead: true,
    // `BETWEEN` includes its end; of two records at least one is asked for.
    Limit: limit + 1,
  });
  if (!answer.ok) {
    const detail = answer.error.reason === 'unavailable' ? answer.error.detail : 'unexpected condition';
    return err({ reason: 'unavailable', detail });
  }
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the shape of a Query answer (DynamoDB API reference)
  const { Items, LastEvaluatedKey } = answer.value as { Items?: Item[]; LastEvaluatedKey?: Item };
  if (!Array.isArray(Items)) return err({ reason: 'unavailable', detail: 'an answer without items' });
  const records = Items.map(toFound).filter(({ key }) => key.sk !== to);
  return ok({ records, isAll: LastEvaluatedKey === undefined });
}

function toFound({ pk, sk, ...item }: Item): FoundRecord {
  const members = Object.entries(item).map(([name, value]): [string, RecordValue] => [name, toValue(value)]);
  const text = (value: AttributeValue | undefined) => (value !== undefined && 'S' in value ? value.S : '');
  return { key: { pk: text(pk), sk: text(sk) }, record: Object.fromEntries(members) };
}

/** An attribute that no writer of ours makes is something, and its hash shows that it is not theirs. */
function toValue(value: AttributeValue): RecordValue {
  if ('S' in value) return value.S;
  if ('N' in value) return Number(value.N);
  return 'L' in value ? value.L.map((item) => String(item.S)) : JSON.stringify(value);
}
