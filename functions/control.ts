import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import {
  type ApplyAnswer,
  type ApplyFiles,
  answerCustomResource,
  isCustomResource,
  isDirectApply,
} from './aws/apply-event.ts';
import { createAuditLog } from './aws/audit-log.ts';
import { createAuditReader } from './aws/audit-reader.ts';
import { createCheckpointWitness } from './aws/checkpoint-witness.ts';
import { createCheckpointStore } from './aws/checkpoints.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createDataKeys } from './aws/data-keys.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { listOf, numberOf, readEnvironment } from './aws/environment.ts';
import { createBufferedHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createPolicyHistory } from './aws/policy-history.ts';
import { createPolicyStore } from './aws/policy-store.ts';
import { createRecordStore } from './aws/records.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSealerSource } from './aws/sealer.ts';
import { createSecretWriter } from './aws/secret-writer.ts';
import { createSecretStore } from './aws/secrets.ts';
import { createUpstream } from './aws/upstream.ts';
import { createConnections } from './handlers/connections/connections.ts';
import { createControl } from './handlers/control.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';
import { createIngress } from './handlers/ingress.ts';
import { type ApplyFailure, applyConfiguration } from './handlers/policy-apply.ts';

const environment = readEnvironment(
  'SALLYPORT_STAGE',
  'AUTH_TABLE',
  'AUDIT_TABLE',
  'AUDIT_RETENTION_DAYS',
  'CONNECTION_KEY_ARN',
  'SEALING_SECRET',
  'ALLOWED_ORIGINS',
);
const configurationDirectory = fileURLToPath(new URL('config/', import.meta.url));
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const clock = () => Math.floor(Date.now() / 1000);
const audit = createAuditLog(dynamo, {
  table: environment.AUDIT_TABLE,
  retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
  randomId: randomUUID,
});
const policies = outages.watch(createPolicyStore(dynamo, environment.AUTH_TABLE));
const rulebook = outages.watch(createRulebookStore(dynamo, environment.AUTH_TABLE, clock));
const revocations = createRevocationStore(dynamo, environment.AUTH_TABLE, clock);
const secretsManager = new SecretsManagerClient(SDK_BOUNDS);
const secrets = outages.watch(createSecretStore(secretsManager, clock));
const upstream = createUpstream();
const foreignKeys = outages.watch(createForeignKeys({ upstream, clock }));
const sealer = createSealerSource(secrets, environment.SEALING_SECRET);
const records = outages.watch(createRecordStore(dynamo, environment.AUTH_TABLE, clock));
const connections = createConnections({
  records,
  dataKeys: outages.watch(
    createDataKeys(new KMSClient(SDK_BOUNDS), environment.CONNECTION_KEY_ARN, Date.now),
  ),
  secrets,
  upstream,
  stage: environment.SALLYPORT_STAGE,
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
  randomBytes,
  log: outages.log,
});

const serve = createBufferedHandler(
  outages.around(
    createControl({
      ingress: createIngress({ rulebook, revocations, foreignKeys, clock }),
      policies,
      policyHistory: createPolicyHistory(dynamo, environment.AUTH_TABLE),
      auditTrail: {
        reader: createAuditReader(dynamo, environment.AUDIT_TABLE),
        checkpoints: createCheckpointStore(dynamo, environment.AUDIT_TABLE),
        witness: createCheckpointWitness(dynamo, environment.AUTH_TABLE),
        sealer,
        randomBytes,
      },
      secretAdministration: createSecretWriter(secretsManager),
      stage: environment.SALLYPORT_STAGE,
      connecting: { rulebook, revocations, records, connections, sealer, randomBytes },
      audit,
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      now: Date.now,
      log: outages.log,
    }),
  ),
);

const apply: ApplyFiles = async (files, source) => {
  const written = await audit.write({
    ts: new Date().toISOString(),
    request_id: randomUUID(),
    event: 'decision',
    area: 'policy',
    decision: 'allow',
    reason: source,
    method: 'apply',
  });
  if (!written.ok) return { ok: false, errors: errorsOf(written.error) };
  const applied = await applyConfiguration(policies, files, source, { written: { atSeconds: clock() } });
  return applied.ok ? { ok: true, ...applied.value } : { ok: false, errors: errorsOf(applied.error) };
};

export async function handler(event: APIGatewayProxyEvent | object): Promise<unknown> {
  if (isDirectApply(event)) return apply(new Map(Object.entries(event.apply.files)), event.apply.source);
  if (isCustomResource(event)) return answerCustomResource(event, configurationDirectory, apply);
  return 'httpMethod' in event ? serve(event) : undefined;
}

function errorsOf(failure: ApplyFailure): Extract<ApplyAnswer, { ok: false }>['errors'] {
  switch (failure.reason) {
    case 'invalid':
      return failure.problems;
    case 'newer_apply':
      return [
        {
          file: 'config',
          line: 1,
          message:
            `version ${failure.version} was applied after the last deploy and differs from this directory; bring its changes into` +
            ' the directory, or run `sallyport apply config`, and deploy again',
        },
      ];
    case 'conflict':
      return [{ file: 'config', line: 1, message: 'another policy was applied meanwhile; apply again' }];
    case 'lockout':
      return [
        { file: 'config', line: 1, message: 'whoever applies this could not apply anything afterwards' },
      ];
    case 'unavailable':
      return [{ file: 'config', line: 1, message: `the policy store cannot be reached: ${failure.detail}` }];
  }
}
