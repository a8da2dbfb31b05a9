import type { Construct } from 'constructs';
import { SallyportFunction } from './function.ts';
import { appendAudit, readAuth } from './rights.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** Decides on the headers of every request with a token, before its function runs. */
export function createAuthorizer(scope: Construct, settings: Settings, storage: Storage): SallyportFunction {
  return new SallyportFunction(scope, 'Authorizer', {
    entry: 'authorizer',
    description: 'Sallyport: verifies tokens and decides on headers',
    memoryMb: 512,
    timeoutSeconds: 10,
    responseMode: 'buffered',
    environment: {
      SALLYPORT_STAGE: settings.stage,
      AUTH_TABLE: storage.authTable.tableName,
      AUDIT_TABLE: storage.auditTable.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays),
    },
    rights: [
      readAuth(storage.authTable, 'POLICY', 'KEYS', 'REVOCATION#*'),
      appendAudit(storage.auditTable, 'RECORD#*'),
    ],
  });
}
