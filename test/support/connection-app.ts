import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KMSClient } from '@aws-sdk/client-kms';
import { createDataKeys } from '../../functions/aws/data-keys.ts';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { createUpstream } from '../../functions/aws/upstream.ts';
import { ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { ConnectionPorts } from '../../functions/handlers/connections/connection-ports.ts';
import { type ConnectRequest, createConnections } from '../../functions/handlers/connections/connections.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { KeyStore } from '../../local/kms/key-store.ts';
import { startKms } from '../../local/kms.ts';
import { startAuthTable } from './auth-table.ts';
import { PROVIDER_SECRET } from './scripted-provider.ts';
import { patient, unhurried } from './slow-machine.ts';

/** What comes back from a provider with a code that the scripted one takes. */
export const CONNECT_REQUEST: ConnectRequest = {
  code: 'code-1',
  codeVerifier: 'verifier-1',
  redirectUri: 'https://gate.example/connect/carrier/callback',
  scopes: ['parcels.read'],
};

/** What connections run over: an embedded DynamoDB and a local KMS. */
export type ConnectionCloud = Awaited<ReturnType<typeof startConnectionCloud>>;

/** Starts one. `time.ms` is the clock of everything on it. */
export async function startConnectionCloud() {
  const table = await startAuthTable();
  const directory = mkdtempSync(join(tmpdir(), 'keys-'));
  const keys = new KeyStore(directory);
  const calls: string[] = [];
  const faults = new Faults([]);
  const server = await startKms(keys, faults);
  const { id } = keys.create('connections', '', 0, 'SYMMETRIC_DEFAULT');
  const kms = new KMSClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  kms.middlewareStack.add(
    (next, context) => (args) => {
      calls.push(context.commandName ?? '');
      return next(args);
    },
    { step: 'initialize' },
  );
  const upstream = unhurried(createUpstream());
  const time = { ms: 1_800_000_000_000 };
  const logged: Readonly<Record<string, unknown>>[] = [];

  /** One environment: memory of its own. `over` changes its ports, `through` its way to the table. */
  const environment = (over: Partial<ConnectionPorts> = {}, through = (dynamo: Dynamo) => dynamo) => {
    const now = over.now ?? (() => time.ms);
    return createConnections({
      records: createRecordStore(through(patient(table.dynamo)), table.tableName, () =>
        Math.floor(now() / 1_000),
      ),
      dataKeys: createDataKeys(kms, id, now),
      secrets: { read: async () => ok({ value: new Secret(PROVIDER_SECRET), versionId: 'v1' }) },
      upstream,
      stage: 'test',
      now,
      wait: (ms) => wait(Math.min(ms, 20)),
      random: () => 0.5,
      randomBytes,
      log: (entry) => void logged.push(entry),
      ...over,
    });
  };

  return {
    table,
    /** Where all of it is, for other processes. */
    places: { dynamoUrl: table.url, tableName: table.tableName, kmsUrl: server.url, keyId: id },
    upstream,
    faults,
    kmsCalls: calls,
    time,
    logged,
    environment,
    async close() {
      kms.destroy();
      await server.close();
      await table.close();
      rmSync(directory, { recursive: true });
    },
  };
}
