import { type JsonObject, toArray, toObject, toText } from '../json.ts';

/**
 * The partition keys that a DynamoDB call names in one table, as `dynamodb:LeadingKeys` has them. Undefined where it names none, or in a way
 * that is not understood: a policy that asks for them then denies.
 */
export function leadingKeysOf(
  operation: string,
  input: JsonObject,
  table: string,
  hashKey: string,
): readonly string[] | undefined {
  const items = itemsOf(operation, input, table);
  if (operation === 'Query') {
    const key = queriedKey(input, hashKey);
    return key === undefined ? undefined : [key];
  }
  if (items === undefined) return undefined;
  const keys = items.map((item) => toText(toObject(item[hashKey])['S']));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function itemsOf(operation: string, input: JsonObject, table: string): readonly JsonObject[] | undefined {
  const requests = toObject(input['RequestItems'])[table];
  switch (operation) {
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [toObject(input['Key'])];
    case 'PutItem':
      return [toObject(input['Item'])];
    case 'BatchGetItem':
      return toArray(toObject(requests)['Keys']).map(toObject);
    case 'BatchWriteItem':
      return toArray(requests).map((request) => {
        const { PutRequest: put, DeleteRequest: remove } = toObject(request);
        return put === undefined ? toObject(toObject(remove)['Key']) : toObject(toObject(put)['Item']);
      });
    default:
      return undefined;
  }
}

/** The value that a key condition demands of the partition key: `pk = :value`, first or after an `AND`, and nothing else. */
function queriedKey(input: JsonObject, hashKey: string): string | undefined {
  const expression = toText(input['KeyConditionExpression']);
  if (expression === undefined || input['KeyConditions'] !== undefined) return undefined;
  const names = toObject(input['ExpressionAttributeNames']);
  const demanded = [...expression.matchAll(/(?:^|\(|\bAND\b)\s*([#\w.-]+)\s*=\s*(:\w+)/gi)].filter(
    ([, name = '']) => (name.startsWith('#') ? names[name] : name) === hashKey,
  );
  const [only, ...more] = demanded;
  if (only === undefined || more.length > 0) return undefined;
  return toText(toObject(toObject(input['ExpressionAttributeValues'])[only[2] ?? ''])['S']);
}
