import type { Construct } from 'constructs';
import { SallyportFunction } from './function.ts';
import { allowSecrets, appendAudit, countAuth, readAuth, readSecret, writeAuth } from './rights.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** Decides on bodies, puts credentials on and calls upstreams; alone in reading credentials and signing identities. */
export function createGateway(scope: Construct, settings: Settings, storage: Storage): SallyportFunction {
  const gateway = new SallyportFunction(scope, 'Gateway', {
    entry: 'gateway',
    description: 'Sallyport: MCP and egress gateway',
    memoryMb: 1024,
    // A call may take 840 s (contract §13); the rest is for its beginning and its audit record.
    timeoutSeconds: 870,
    responseMode: 'streamed',
    environment: {
      SALLYPORT_STAGE: settings.stage,
      AUTH_TABLE: storage.authTable.tableName,
      AUDIT_TABLE: storage.auditTable.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays),
      IDENTITY_KEY_ARNS: storage.identityKey.arns,
      CONNECTION_KEY_ARN: storage.connectionKey.arn,
      SEALING_SECRET: storage.sealingSecretName,
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
    },
    rights: [
      readAuth(storage.authTable, 'POLICY', 'KEYS', 'REVOCATION#*', 'CONNECTION#*'),
      writeAuth(storage.authTable, 'CONNECTION#*'),
      countAuth(storage.authTable, 'LIMIT#*'),
      appendAudit(storage.auditTable, 'RECORD#*'),
      readSecret(storage.sealingSecret),
      storage.identityKey.signRight(),
      storage.connectionKey.useRight(),
    ],
  });
  allowSecrets(
    gateway,
    settings.stage,
    'credentials',
    'Credentials are stored per client, without a deploy.',
  );
  allowSecrets(gateway, settings.stage, 'providers', 'Providers are configured without a deploy.');
  storage.identityKey.allowSigningBy(gateway);
  storage.connectionKey.allowUseBy(gateway);
  return gateway;
}
