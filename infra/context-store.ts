import { Duration, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { SallyportFunction } from './function.ts';
import {
  appendAudit,
  beginTenantSession,
  countAuth,
  readAuth,
  readSecret,
  TENANT_SESSION,
  useTaggedContext,
} from './rights.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/**
 * Serves documents by namespace, over REST and MCP. The function itself has no right to the documents: it begins a session of the data role
 * for the caller's org and namespace, and that role reaches the partition of its session's tags and no other.
 */
export function createContextStore(
  scope: Construct,
  settings: Settings,
  storage: Storage,
): SallyportFunction {
  const store = new SallyportFunction(scope, 'ContextStore', {
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
      readSecret(storage.sealingSecret),
    ],
  });
  const data = createDataRole(scope, store, storage);
  store.addToRolePolicy(beginTenantSession(data.roleArn));
  store.addEnvironment('CONTEXT_ROLE_ARN', data.roleArn);
  return store;
}

/** The role whose sessions reach the documents of one namespace. Only the function takes it on, and only with the tags of a tenant. */
function createDataRole(scope: Construct, store: SallyportFunction, storage: Storage): Role {
  const principal = new ArnPrincipal(store.executionRole.roleArn);
  const role = new Role(scope, 'ContextDataRole', {
    assumedBy: principal.withConditions(TENANT_SESSION),
    description: `Documents of one org and namespace of ${Stack.of(scope).stackName}, by session tags`,
    maxSessionDuration: Duration.hours(1),
  });
  role.assumeRolePolicy?.addStatements(
    new PolicyStatement({ actions: ['sts:TagSession'], principals: [principal], conditions: TENANT_SESSION }),
  );
  role.addToPolicy(useTaggedContext(storage.contextTable));
  return role;
}
