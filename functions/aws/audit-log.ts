import { createHash } from 'node:crypto';
import type { AuditLog } from '../core/ports.ts';
import { err, ok } from '../core/result.ts';
import type { AttributeValue, Dynamo } from './dynamodb.ts';

/**
 * Audit records in DynamoDB, under `{org}#{day}` and `{instant}#{request}#{event}#{digest}`; the condition keeps a record
 * from ever replacing another. The digest covers the whole record and `randomId`, which tells two equal records of one
 * instant apart: an item with this key is this very record, written by an attempt whose answer was lost.
 */
export function createAuditLog(dynamo: Dynamo, table: string, randomId: () => string): AuditLog {
  return {
    async write(record) {
      const text = JSON.stringify([randomId(), record]);
      const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
      const item: Record<string, AttributeValue> = {
        pk: { S: `${record.org_id ?? '-'}#${record.ts.slice(0, 10)}` },
        sk: { S: `${record.ts}#${record.request_id}#${record.event}#${digest}` },
      };
      for (const [name, value] of Object.entries(record)) {
        if (value !== undefined) item[name] = toAttribute(value);
      }
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      return put.ok || put.error.reason === 'condition_failed' ? ok(undefined) : err(put.error);
    },
  };
}

function toAttribute(value: string | number | readonly string[]): AttributeValue {
  if (typeof value === 'string') return { S: value };
  return typeof value === 'number' ? { N: String(value) } : { L: value.map((item) => ({ S: item })) };
}
