import type { Row } from './context-table.ts';

/** What a write demands of the row that stands under its key, to be spread into its command. */
export type RowCondition = {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Row;
};

/** The version of a row, and the write that made it: an id may come again, with the same version. */
export type RowVersion = { readonly version: number; readonly write: string };

/** That one write made a row; rows of earlier versions of the store name none. */
const BY_WRITE = '(#write = :write OR attribute_not_exists(#write))';

/** `write` is a reserved word of DynamoDB. */
const WRITE_NAME = { '#write': 'write' };

/** There is some row. */
export const THERE: RowCondition = { ConditionExpression: 'attribute_exists(pk)' };

/** No row is marked as `gone`, if there is one. */
export const UNMARKED: RowCondition = { ConditionExpression: 'attribute_not_exists(gone)' };

/** There is one, and it is not marked as `gone`. */
export const NOT_GONE: RowCondition = {
  ConditionExpression: `${THERE.ConditionExpression} AND ${UNMARKED.ConditionExpression}`,
};

/** There is one, and it is not marked as `gone` for good: who takes a whole namespace marks so, and older versions did. */
const MARKABLE = `${THERE.ConditionExpression} AND (${UNMARKED.ConditionExpression} OR attribute_type(gone, :set))`;

/** What marks a row that is there as `gone` by one of several, to be spread into its command. */
export function markBy(name: string): RowCondition & { readonly UpdateExpression: string } {
  return {
    ConditionExpression: MARKABLE,
    UpdateExpression: 'ADD gone :by',
    ExpressionAttributeValues: { ':by': { SS: [name] }, ':set': { S: 'SS' } },
  };
}

/** What takes that mark back: with the last of them a row is not marked any more, because no set is empty. */
export function unmarkBy(name: string): RowCondition & { readonly UpdateExpression: string } {
  return {
    ConditionExpression: 'contains(gone, :name)',
    UpdateExpression: 'DELETE gone :by',
    ExpressionAttributeValues: { ':by': { SS: [name] }, ':name': { S: name } },
  };
}

/** There is none, or one that has expired. */
export function absentAt(nowSeconds: number): RowCondition {
  return {
    ConditionExpression: 'attribute_not_exists(pk) OR expires_at <= :now',
    ExpressionAttributeValues: { ':now': { N: String(nowSeconds) } },
  };
}

/** There is none, or one that has this attribute. */
export function absentOrWith(attribute: string): RowCondition {
  return {
    ConditionExpression: `attribute_not_exists(pk) OR attribute_exists(#${attribute})`,
    ExpressionAttributeNames: { [`#${attribute}`]: attribute },
  };
}

/** The same write put the row, if there is one; of a row that names none, as earlier versions of the store put them, one that still names none. */
export function putBySame(row: Row): RowCondition {
  const write = row['write'];
  return write === undefined
    ? { ConditionExpression: 'attribute_not_exists(#write)', ExpressionAttributeNames: WRITE_NAME }
    : {
        ConditionExpression: '#write = :write',
        ExpressionAttributeNames: WRITE_NAME,
        ExpressionAttributeValues: { ':write': write },
      };
}

/** There is a row, and the same write put it. */
export function stillBySame(row: Row): RowCondition {
  const same = putBySame(row);
  return { ...same, ConditionExpression: `${THERE.ConditionExpression} AND ${same.ConditionExpression}` };
}

/** The row has this version. */
export function atVersion({ version, write }: RowVersion): RowCondition {
  return {
    ConditionExpression: `version = :version AND ${BY_WRITE}`,
    ExpressionAttributeNames: WRITE_NAME,
    ExpressionAttributeValues: { ':version': { N: String(version) }, ':write': { S: write } },
  };
}

/** The row is the head of a document as it was made by that write, in this version where one is named. Old heads name no write. */
export function headOf(incarnation: string | undefined, expected: RowVersion | undefined): RowCondition {
  const isSame =
    incarnation === undefined
      ? { ConditionExpression: `${THERE.ConditionExpression} AND attribute_not_exists(incarnation)` }
      : {
          ConditionExpression: 'incarnation = :incarnation',
          ExpressionAttributeValues: { ':incarnation': { S: incarnation } },
        };
  return expected === undefined ? isSame : both(isSame, atVersion(expected));
}

/** The same, and these attributes are as they were read: with that value, or missing. Their names are not reserved. */
export function withAttributes(condition: RowCondition, row: Row, names: readonly string[]): RowCondition {
  const isAsRead = (name: string) =>
    row[name] === undefined ? `attribute_not_exists(${name})` : `${name} = :${name}_read`;
  const values = names.flatMap((name) => {
    const value = row[name];
    return value === undefined ? [] : [[`:${name}_read`, value] as const];
  });
  return {
    ...condition,
    ConditionExpression: [condition.ConditionExpression, ...names.map(isAsRead)].join(' AND '),
    ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ...Object.fromEntries(values) },
  };
}

function both(one: RowCondition, other: RowCondition): RowCondition {
  return {
    ...other,
    ConditionExpression: `${one.ConditionExpression} AND ${other.ConditionExpression}`,
    ExpressionAttributeValues: { ...one.ExpressionAttributeValues, ...other.ExpressionAttributeValues },
  };
}
