import { AuditChain, type RecordValue } from '../core/audit/chain.ts';
import { recordKeyOf } from '../core/audit/record-key.ts';
import { NO_ORG } from '../core/open-client.ts';
import type { AuditLog } from '../core/ports.ts';
import { err, ok } from '../core/result.ts';
import type { AttributeValue, Dynamo, Item } from './dynamodb.ts';

/** Chains that an environment goes on with; the organisation that wrote longest ago begins another. */
const MAX_CHAINS = 200;

const DAY_SECONDS = 86_400;

/**
 * Audit records in DynamoDB, chained per organisation by this environment (core/audit/chain), each under a key of its own
 * (core/audit/record-key). The condition keeps a record from ever replacing another; as chain and number are in the key, an item that
 * is there already is this very record, written by an attempt whose answer was lost.
 */
export function createAuditLog(
  dynamo: Dynamo,
  options: { readonly table: string; readonly retentionDays: number; readonly randomId: () => string },
): AuditLog {
  const { table, retentionDays, randomId } = options;
  const chains = new Map<string, AuditChain>();
  const chainOf = (orgId: string, nowMs: number): AuditChain => {
    const held = chains.get(orgId);
    const chain = held === undefined || held.isOver(nowMs) ? new AuditChain(randomId(), nowMs) : held;
    chains.delete(orgId);
    chains.set(orgId, chain);
    const [oldest] = chains.keys();
    if (chains.size > MAX_CHAINS && oldest !== undefined) chains.delete(oldest);
    return chain;
  };
  return {
    async write(record) {
      const nowMs = Date.parse(record.ts);
      const chain = chainOf(record.org_id ?? NO_ORG, nowMs);
      const chained = chain.begin(record, Math.floor(nowMs / 1000) + retentionDays * DAY_SECONDS);
      let isDurable = false;
      try {
        const put = await dynamo.call('PutItem', {
          TableName: table,
          Item: toItem({ ...recordKeyOf(chained), ...chained }),
          ConditionExpression: 'attribute_not_exists(pk)',
        });
        isDurable = put.ok || put.error.reason === 'condition_failed';
        return put.ok || put.error.reason === 'condition_failed' ? ok(undefined) : err(put.error);
      } finally {
        chain.settle(chained.seq, isDurable);
      }
    },
  };
}

function toItem(members: Readonly<Record<string, RecordValue | undefined>>): Item {
  const item: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(members))
    if (value !== undefined) item[name] = toAttribute(value);
  return item;
}

function toAttribute(value: RecordValue): AttributeValue {
  if (typeof value === 'string') return { S: value };
  return typeof value === 'number' ? { N: String(value) } : { L: value.map((item) => ({ S: item })) };
}
