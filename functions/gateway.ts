import { randomBytes, randomUUID } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAuditLog } from './aws/audit-log.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createCounter } from './aws/counter.ts';
import { createDataKeys } from './aws/data-keys.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { listOf, numberOf, readEnvironment } from './aws/environment.ts';
import { createStreamingHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createRecordStore } from './aws/records.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSealerSource } from './aws/sealer.ts';
import { createSecretStore } from './aws/secrets.ts';
import { createSigningKey, readKeySources } from './aws/signing-key.ts';
import { createUpstream } from './aws/upstream.ts';
import { createConnections } from './handlers/connections/connections.ts';
import { createCredentials } from './handlers/credentials.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';
import { createGateway } from './handlers/gateway.ts';
import { createIngress } from './handlers/ingress.ts';

const environment = readEnvironment(
  'SALLYPORT_STAGE',
  'AUTH_TABLE',
  'AUDIT_TABLE',
  'AUDIT_RETENTION_DAYS',
  'IDENTITY_KEY_ARNS',
  'CONNECTION_KEY_ARN',
  'SEALING_SECRET',
  'ALLOWED_ORIGINS',
);
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const clock = () => Math.floor(Date.now() / 1000);
const secrets = outages.watch(createSecretStore(new SecretsManagerClient(SDK_BOUNDS), clock));
const upstream = createUpstream();
const rulebook = outages.watch(createRulebookStore(dynamo, environment.AUTH_TABLE, clock));
const kms = new KMSClient(SDK_BOUNDS);
const sealer = createSealerSource(secrets, environment.SEALING_SECRET);
const identityKey = outages.watch(
  createSigningKey({
    client: kms,
    sources: readKeySources(environment.IDENTITY_KEY_ARNS, 'identity'),
    purpose: 'identity',
    readRing: rulebook.readKeyRing,
    clock,
  }),
);
const connections = createConnections({
  records: outages.watch(createRecordStore(dynamo, environment.AUTH_TABLE, clock)),
  dataKeys: outages.watch(createDataKeys(kms, environment.CONNECTION_KEY_ARN, Date.now)),
  secrets,
  upstream,
  stage: environment.SALLYPORT_STAGE,
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
  randomBytes,
  log: outages.log,
});

export const handler = createStreamingHandler(
  outages.around(
    createGateway({
      ingress: createIngress({
        rulebook,
        revocations: createRevocationStore(dynamo, environment.AUTH_TABLE, clock),
        foreignKeys: outages.watch(createForeignKeys({ upstream, clock })),
        clock,
      }),
      audit: createAuditLog(dynamo, {
        table: environment.AUDIT_TABLE,
        retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
        randomId: randomUUID,
      }),
      credentials: createCredentials({
        secrets,
        identityKey,
        connections,
        sealer,
        stage: environment.SALLYPORT_STAGE,
        now: Date.now,
        upstream,
        randomId: randomUUID,
      }),
      upstream,
      counter: createCounter(dynamo, environment.AUTH_TABLE, 'LIMIT'),
      sealer,
      nonce: () => randomBytes(12),
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      now: Date.now,
      log: outages.log,
    }),
  ),
);
