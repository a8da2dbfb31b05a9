import { createDynamo, type Dynamo } from '../../functions/aws/dynamodb.ts';
import { startContextTable } from './context-table.ts';

/** An embedded DynamoDB with one empty table of `pk` and `sk`, and the client that deciding uses. */
export type EmbeddedTable = {
  readonly dynamo: Dynamo;
  readonly tableName: string;
  /** Where it listens. */
  readonly url: string;
  close(): Promise<void>;
};

/** Starts one. */
export async function startAuthTable(): Promise<EmbeddedTable> {
  const { client, tableName, close } = await startContextTable();
  const { port = 0 } = (await client.config.endpoint?.()) ?? {};
  const url = `http://127.0.0.1:${port}/`;
  const dynamo = createDynamo({
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: url,
  });
  return { dynamo, tableName, url, close };
}

/** A network that loses the first answer of every write: the client asks again, and the second answer arrives. */
export function losingAnswers(dynamo: Dynamo): Dynamo {
  return {
    async call(operation, input) {
      if (operation === 'PutItem' || operation === 'UpdateItem') await dynamo.call(operation, input);
      return dynamo.call(operation, input);
    },
  };
}

/** A DynamoDB that answers only while `isUp`, and counts what it was asked. */
export function interruptible(dynamo: Dynamo): Dynamo & { isUp: boolean; calls: number } {
  return {
    isUp: true,
    calls: 0,
    call(operation, input) {
      this.calls += 1;
      return this.isUp
        ? dynamo.call(operation, input)
        : Promise.resolve({ ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } });
    },
  };
}
