import { join } from 'node:path';
import { CustomResource, Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { configurationFiles, contentHash } from './configuration.ts';
import { SallyportFunction } from './function.ts';
import { allowSecrets, appendAudit, readAudit, readAuth, readSecret, writeAuth } from './rights.ts';
import { allowSecretAdministration } from './secret-administration.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/**
 * Administration, the pages on which users connect accounts, and the one writer of the policy. It carries `config/` in its bundle; a
 * deploy whose content differs from the last one's makes it apply that content.
 */
export function createControl(scope: Construct, settings: Settings, storage: Storage): SallyportFunction {
  const files = configurationFiles(join(import.meta.dirname, '..', 'config'));
  const control = new SallyportFunction(scope, 'Control', {
    entry: 'control',
    description: 'Sallyport: administration and policy',
    memoryMb: 512,
    timeoutSeconds: 29,
    responseMode: 'buffered',
    environment: {
      SALLYPORT_STAGE: settings.stage,
      AUTH_TABLE: storage.authTable.tableName,
      AUDIT_TABLE: storage.auditTable.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays),
      CONNECTION_KEY_ARN: storage.connectionKey.arn,
      SEALING_SECRET: storage.sealingSecretName,
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
    },
    rights: [
      readAuth(
        storage.authTable,
        'POLICY',
        'KEYS',
        'REVOCATION#*',
        'SESSION#*',
        'CONNECTION#*',
        'CONNECT#*',
        'WITNESS#*',
      ),
      writeAuth(storage.authTable, 'POLICY', 'CONNECTION#*', 'CONNECT#*'),
      appendAudit(storage.auditTable, 'RECORD#*'),
      readAudit(storage.auditTable),
      readSecret(storage.sealingSecret),
      storage.connectionKey.useRight(),
    ],
    files,
  });
  allowSecrets(control, settings.stage, 'providers', 'Providers are configured without a deploy.');
  storage.connectionKey.allowUseBy(control);
  allowSecretAdministration(control, settings.stage, ['credentials', 'providers']);
  new CustomResource(scope, 'Configuration', {
    resourceType: 'Custom::SallyportConfiguration',
    serviceToken: control.functionArn,
    serviceTimeout: Duration.minutes(5),
    properties: { action: 'apply', contentHash: contentHash(files) },
  });
  return control;
}
