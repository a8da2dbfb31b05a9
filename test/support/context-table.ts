import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type ContextTables, sharedTables } from '../../functions/aws/context-table.ts';
import type { Clock } from '../../functions/core/ports.ts';

/** An embedded DynamoDB with an empty context table. */
export type EmbeddedContextTable = {
  readonly client: DynamoDBClient;
  /** Another client of the same table, for a test to put trouble in. Destroyed with the table. */
  connect(): DynamoDBClient;
  readonly tableName: string;
  /** The table as a store takes it, over another client where a test has one. */
  tables(clock: Clock, client?: DynamoDBClient): ContextTables;
  close(): Promise<void>;
};

/** dynalite publishes no types. */
const dynalite: (options: { readonly createTableMs: number; readonly deleteTableMs: number }) => Server =
  createRequire(import.meta.url)('dynalite');

/** Starts an embedded DynamoDB on a free loopback port. */
export async function startContextTable(): Promise<EmbeddedContextTable> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  // On a busy machine a connection that was idle for five seconds would be closed just as it is used again.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('dynalite has no port');
  const clients: DynamoDBClient[] = [];
  const connect = () => {
    const connected = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${address.port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    clients.push(connected);
    return connected;
  };
  const client = connect();
  const tableName = 'context';
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  return {
    client,
    connect,
    tableName,
    tables: (clock, other = client) => sharedTables(other, tableName, clock),
    async close() {
      for (const connected of clients) connected.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
