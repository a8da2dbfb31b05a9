import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { KMSClient } from '@aws-sdk/client-kms';
import { createDataKeys } from '../../functions/aws/data-keys.ts';
import { createDynamo } from '../../functions/aws/dynamodb.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { ConnectionOwner } from '../../functions/core/connection.ts';
import type { Provider } from '../../functions/core/provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createConnections } from '../../functions/handlers/connections/connections.ts';
import { patient, unhurried } from './slow-machine.ts';

/** What a process of its own is told: where everything is, whose token it asks for, and how often at once. */
export type RefreshWork = {
  readonly dynamoUrl: string;
  readonly tableName: string;
  readonly kmsUrl: string;
  readonly keyId: string;
  readonly secret: string;
  readonly provider: Provider;
  readonly owner: ConnectionOwner;
  readonly calls: number;
  /** The clock of all of them, which stands: on a slow machine too no lease ends under way. */
  readonly nowMs: number;
};

/** What it answers: `ready`, then, once told to go, each token that it got, or why none. */
export type RefreshReport = { readonly ready: true } | { readonly tokens: readonly string[] };

process.once('message', (work: RefreshWork) => {
  const { accessToken } = connect(work);
  process.once('message', async () => {
    const { owner, provider, calls } = work;
    const asked = Array.from({ length: calls }, () => accessToken(owner, provider, { scopes: [] }));
    const answers = await Promise.all(asked);
    const tokens = answers.map((given) => (given.ok ? given.value.token.reveal() : given.error.reason));
    report({ tokens });
    process.disconnect();
  });
  report({ ready: true });
});

function connect(work: RefreshWork) {
  const now = () => work.nowMs;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const dynamo = createDynamo({
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: work.dynamoUrl,
  });
  const kms = new KMSClient({ endpoint: work.kmsUrl, region: 'eu-central-1', credentials });
  return createConnections({
    records: createRecordStore(patient(dynamo), work.tableName, () => Math.floor(now() / 1_000)),
    dataKeys: createDataKeys(kms, work.keyId, now),
    secrets: { read: async () => ({ ok: true, value: { value: new Secret(work.secret), versionId: 'v1' } }) },
    upstream: unhurried(createUpstream()),
    stage: 'test',
    now,
    wait: (ms) => wait(ms),
    random: Math.random,
    randomBytes,
    log: () => {},
  });
}

function report(said: RefreshReport): void {
  process.send?.(said);
}
