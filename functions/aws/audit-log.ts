import type { AuditLog } from '../core/ports.ts';
import { err, ok } from '../core/result.ts';
import type { AttributeValue, Dynamo } from './dynamodb.ts';

/**
 * Audit records in DynamoDB, under `{org}#{day}` and `{instant}#{request}#{event}#{random}`; the condition keeps a record
 * from ever replacing another. `randomId` tells two records of one request and instant apart.
 */
export function createAuditLog(dynamo: Dynamo, table: string, randomId: () => string): AuditLog {
  return {
    async write(record) {
      const item: Record<string, AttributeValue> = {
        pk: { S: `${record.org_id ?? '-'}#${record.ts.slice(0, 10)}` },
        sk: { S: `${record.ts}#${record.request_id}#${record.event}#${randomId()}` },
      };
      for (const [name, value] of Object.entries(record)) {
        if (value !== undefined) item[name] = toAttribute(value);
      }
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      if (put.ok) return ok(undefined);
      return err({
        reason: 'unavailable',
        detail: put.error.reason === 'unavailable' ? put.error.detail : 'an audit record of this key exists',
      });
    },
  };
}

function toAttribute(value: string | number | readonly string[]): AttributeValue {
  if (typeof value === 'string') return { S: value };
  return typeof value === 'number' ? { N: String(value) } : { L: value.map((item) => ({ S: item })) };
}
