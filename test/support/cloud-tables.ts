import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';

/** An item as the SDK gives it. */
export type StoredItem = Readonly<Record<string, AttributeValue>>;

/** A table of a local cloud, as an administrator of the account reaches it: past every function. */
export type AdministeredTable = {
  readonly name: string;
  /** Those whose partition begins so. */
  items(partition: string): Promise<readonly StoredItem[]>;
  put(item: StoredItem): Promise<void>;
  remove(items: readonly StoredItem[]): Promise<void>;
  close(): void;
};

/** Opens the one table whose name has this part. */
export async function openTable(
  endpoints: Readonly<Record<string, string>>,
  part: string,
): Promise<AdministeredTable> {
  const client = new DynamoDBClient({
    endpoint: endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'administrator', secretAccessKey: 'x' },
  });
  const { TableNames = [] } = await client.send(new ListTablesCommand());
  const TableName = TableNames.find((name) => name.includes(part));
  if (TableName === undefined) throw new Error(`no table is a ${part}`);
  return {
    name: TableName,
    async items(partition) {
      const found: StoredItem[] = [];
      for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
        found.push(...Items.filter(({ pk }) => pk?.S?.startsWith(partition) === true));
      }
      return found;
    },
    async put(item) {
      await client.send(new PutItemCommand({ TableName, Item: item }));
    },
    async remove(items) {
      for (const { pk, sk } of items) {
        if (pk === undefined || sk === undefined) throw new Error('an item has a key');
        await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
      }
    },
    close: () => client.destroy(),
  };
}
