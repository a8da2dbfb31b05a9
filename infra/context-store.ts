import type { Construct } from 'constructs';
import { SallyportFunction } from './function.ts';
import { appendAudit, countAuth, readAuth, readSecret, useContext } from './rights.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** Serves documents by namespace, over REST and MCP. */
export function createContextStore(
  scope: Construct,
  settings: Settings,
  storage: Storage,
): SallyportFunction {
  return new SallyportFunction(scope, 'ContextStore', {
    entry: 'context-store',
    description: 'Sallyport: context store',
    memoryMb: 1024,
    timeoutSeconds: 60,
    responseMode: 'streamed',
    environment: {
      SALLYPORT_STAGE: settings.stage,
      AUTH_TABLE: storage.authTable.tableName,
      AUDIT_TABLE: storage.auditTable.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays),
      CONTEXT_TABLE: storage.contextTable.tableName,
      SEALING_SECRET: storage.sealingSecretName,
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
    },
    rights: [
      readAuth(storage.authTable, 'POLICY', 'KEYS', 'REVOCATION#*'),
      countAuth(storage.authTable, 'LIMIT#*'),
      appendAudit(storage.auditTable, 'RECORD#*'),
      useContext(storage.contextTable),
      readSecret(storage.sealingSecret),
    ],
  });
}
