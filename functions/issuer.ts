import { randomUUID } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAuditLog } from './aws/audit-log.ts';
import { SDK_BOUNDS } from './aws/clients.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { readEnvironment } from './aws/environment.ts';
import { createIssuerKeys } from './aws/issuer-keys.ts';
import { createBufferedHandler } from './aws/lambda.ts';
import { log } from './aws/log.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createSecretStore } from './aws/secrets.ts';
import { createSigningKeys } from './aws/signing-key.ts';
import { createIssuer } from './handlers/issuer.ts';

const environment = readEnvironment(
  'SALLYPORT_STAGE',
  'AUTH_TABLE',
  'AUDIT_TABLE',
  'ISSUER_KEY_ARNS',
  'IDENTITY_KEY_ARNS',
);
const dynamo = createDynamo();
const kms = new KMSClient(SDK_BOUNDS);
const clock = () => Math.floor(Date.now() / 1000);
const [signingKey, ...retiring] = createSigningKeys(kms, environment.ISSUER_KEY_ARNS, 'access');
const identityKeys = createSigningKeys(kms, environment.IDENTITY_KEY_ARNS, 'identity');

export const handler = createBufferedHandler(
  createIssuer({
    rulebook: createRulebookStore(dynamo, environment.AUTH_TABLE, clock),
    revocations: createRevocationStore(dynamo, environment.AUTH_TABLE, clock),
    audit: createAuditLog(dynamo, environment.AUDIT_TABLE, randomUUID),
    secrets: createSecretStore(new SecretsManagerClient(SDK_BOUNDS), clock),
    signingKey,
    keys: createIssuerKeys(dynamo, environment.AUTH_TABLE, [signingKey, ...retiring, ...identityKeys]),
    stage: environment.SALLYPORT_STAGE,
    now: Date.now,
    randomId: randomUUID,
    log,
  }),
);
