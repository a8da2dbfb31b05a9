import { randomBytes, randomUUID } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { createAuditLog } from './aws/audit-log.ts';
import { createAuditReader } from './aws/audit-reader.ts';
import { type CheckpointEvent, isCheckpointEvent } from './aws/checkpoint-event.ts';
import { createCheckpointWitness } from './aws/checkpoint-witness.ts';
import { createCheckpointStore } from './aws/checkpoints.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createCounter } from './aws/counter.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { listOf, numberOf, readEnvironment } from './aws/environment.ts';
import { createIssuerKeys } from './aws/issuer-keys.ts';
import { createKeyRingStore } from './aws/key-ring.ts';
import { createBufferedHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createPolicyStore } from './aws/policy-store.ts';
import { createRecordStore } from './aws/records.ts';
import { createRevocationList } from './aws/revocation-list.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSealerSource } from './aws/sealer.ts';
import { createSecretStore } from './aws/secrets.ts';
import { isSetupEvent, type SetupEvent } from './aws/setup-event.ts';
import { createSigningKey, readKeySources, readPublicKey } from './aws/signing-key.ts';
import { createUpstream } from './aws/upstream.ts';
import { createCheckpointer } from './handlers/audit/checkpointer.ts';
import { createClientDocuments } from './handlers/client-metadata-document.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';
import { createIngress } from './handlers/ingress.ts';
import { createIssuer } from './handlers/issuer.ts';
import { withPublishedKeys } from './handlers/issuer-rulebook.ts';
import { checkSetup } from './handlers/setup-check.ts';

const environment = readEnvironment(
  'SALLYPORT_STAGE',
  'AUTH_TABLE',
  'AUDIT_TABLE',
  'AUDIT_RETENTION_DAYS',
  'ISSUER_KEY_ARNS',
  'IDENTITY_KEY_ARNS',
  'SEALING_SECRET',
  'EDGE_SECRET',
  'ALLOWED_ORIGINS',
);
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const kms = new KMSClient(SDK_BOUNDS);
const clock = () => Math.floor(Date.now() / 1000);
const revocations = createRevocationStore(dynamo, environment.AUTH_TABLE, clock);
const records = createRecordStore(dynamo, environment.AUTH_TABLE, clock);
const counter = createCounter(dynamo, environment.AUTH_TABLE, 'COUNT');
const secrets = outages.watch(createSecretStore(new SecretsManagerClient(SDK_BOUNDS), clock));
const upstream = createUpstream();
const foreignKeys = outages.watch(createForeignKeys({ upstream, clock }));
const keyRing = createKeyRingStore(dynamo, environment.AUTH_TABLE);
const sources = readKeySources(environment.ISSUER_KEY_ARNS, 'access');
const keys = outages.watch(
  createIssuerKeys({
    store: keyRing,
    sources: [...sources, ...readKeySources(environment.IDENTITY_KEY_ARNS, 'identity')],
    readPublicKey: (source) => readPublicKey(kms, source),
    clock,
  }),
);
const signingKey = outages.watch(
  createSigningKey({
    client: kms,
    sources,
    purpose: 'access',
    readRing: keys.readRing,
    clock,
  }),
);
const rulebook = outages.watch(
  withPublishedKeys(createRulebookStore(dynamo, environment.AUTH_TABLE, clock), keys),
);

const serve = createBufferedHandler(
  outages.around(
    createIssuer({
      rulebook,
      revocations,
      revocationList: createRevocationList(dynamo, environment.AUTH_TABLE, clock),
      records,
      counter,
      audit: createAuditLog(dynamo, {
        table: environment.AUDIT_TABLE,
        retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
        randomId: randomUUID,
      }),
      secrets,
      edgeSecret: environment.EDGE_SECRET,
      signingKey,
      keys,
      keyRing,
      confirmKey: keys.confirm,
      policies: createPolicyStore(dynamo, environment.AUTH_TABLE),
      ingress: createIngress({ rulebook, revocations, foreignKeys, clock }),
      upstream,
      foreignKeys,
      clientDocuments: outages.watch(
        createClientDocuments({ upstream, records, counter, now: Date.now, log }),
      ),
      sealer: createSealerSource(secrets, environment.SEALING_SECRET),
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      stage: environment.SALLYPORT_STAGE,
      now: Date.now,
      delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      randomId: randomUUID,
      randomBytes,
      log: outages.log,
    }),
  ),
);

const sealAuditLog = createCheckpointer({
  rulebook,
  reader: createAuditReader(dynamo, environment.AUDIT_TABLE),
  checkpoints: createCheckpointStore(dynamo, environment.AUDIT_TABLE),
  witness: createCheckpointWitness(dynamo, environment.AUTH_TABLE),
  signingKey,
  keys,
  retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
  now: Date.now,
  log,
});

export async function handler(event: APIGatewayProxyEvent | CheckpointEvent | SetupEvent): Promise<unknown> {
  if (isSetupEvent(event)) {
    return checkSetup({ keys, signingKey, rulebook, secrets, stage: environment.SALLYPORT_STAGE });
  }
  return isCheckpointEvent(event) ? sealAuditLog() : serve(event);
}
