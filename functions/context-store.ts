import { randomBytes, randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAuditLog } from './aws/audit-log.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createContextTables } from './aws/context-tables.ts';
import { createCounter } from './aws/counter.ts';
import { createDocumentStore } from './aws/documents/documents.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { listOf, numberOf, readEnvironment } from './aws/environment.ts';
import { createStreamingHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createAssumeRole } from './aws/role-session.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSealerSource } from './aws/sealer.ts';
import { createSecretStore } from './aws/secrets.ts';
import { createUpstream } from './aws/upstream.ts';
import { createContextStore } from './handlers/context-store.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';
import { createIngress } from './handlers/ingress.ts';

const environment = readEnvironment(
  'SALLYPORT_STAGE',
  'AUTH_TABLE',
  'AUDIT_TABLE',
  'AUDIT_RETENTION_DAYS',
  'CONTEXT_TABLE',
  'CONTEXT_ROLE_ARN',
  'SEALING_SECRET',
  'ALLOWED_ORIGINS',
);
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const clock = () => Math.floor(Date.now() / 1000);
const tables = createContextTables({
  tableName: environment.CONTEXT_TABLE,
  roleArn: environment.CONTEXT_ROLE_ARN,
  assumeRole: createAssumeRole(),
  clock,
});
const secrets = outages.watch(createSecretStore(new SecretsManagerClient(SDK_BOUNDS), clock));

export const handler = createStreamingHandler(
  outages.around(
    createContextStore({
      ingress: createIngress({
        rulebook: outages.watch(createRulebookStore(dynamo, environment.AUTH_TABLE, clock)),
        revocations: createRevocationStore(dynamo, environment.AUTH_TABLE, clock),
        foreignKeys: outages.watch(createForeignKeys({ upstream: createUpstream(), clock })),
        clock,
      }),
      audit: createAuditLog(dynamo, {
        table: environment.AUDIT_TABLE,
        retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
        randomId: randomUUID,
      }),
      documents: (seal) => createDocumentStore({ tables, seal, clock }),
      counter: createCounter(dynamo, environment.AUTH_TABLE, 'LIMIT'),
      sealer: createSealerSource(secrets, environment.SEALING_SECRET),
      randomBytes,
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      clock,
      now: Date.now,
      log: outages.log,
    }),
  ),
);
