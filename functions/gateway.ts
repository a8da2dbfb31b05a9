import { randomBytes, randomUUID } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAuditLog } from './aws/audit-log.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createCounter } from './aws/counter.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { listOf, numberOf, readEnvironment } from './aws/environment.ts';
import { createStreamingHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSealerSource } from './aws/sealer.ts';
import { createSecretStore } from './aws/secrets.ts';
import { createSigningKey, readKeySources } from './aws/signing-key.ts';
import { createUpstream } from './aws/upstream.ts';
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
  'SEALING_SECRET',
  'ALLOWED_ORIGINS',
);
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const clock = () => Math.floor(Date.now() / 1000);
const secrets = outages.watch(createSecretStore(new SecretsManagerClient(SDK_BOUNDS), clock));
const upstream = createUpstream();
const rulebook = outages.watch(createRulebookStore(dynamo, environment.AUTH_TABLE, clock));
const identityKey = outages.watch(
  createSigningKey({
    client: new KMSClient(SDK_BOUNDS),
    sources: readKeySources(environment.IDENTITY_KEY_ARNS, 'identity'),
    purpose: 'identity',
    readRing: rulebook.readKeyRing,
    clock,
  }),
);

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
        stage: environment.SALLYPORT_STAGE,
        now: Date.now,
        upstream,
        randomId: randomUUID,
      }),
      upstream,
      counter: createCounter(dynamo, environment.AUTH_TABLE, 'LIMIT'),
      sealer: createSealerSource(secrets, environment.SEALING_SECRET),
      nonce: () => randomBytes(12),
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      now: Date.now,
      log: outages.log,
    }),
  ),
);
