import type { Construct } from 'constructs';
import { scheduleCheckpoints } from './checkpoint-schedule.ts';
import type { EdgeSecret } from './edge-secret.ts';
import { SallyportFunction } from './function.ts';
import {
  allowSecrets,
  appendAudit,
  countAuth,
  readAudit,
  readAuth,
  readSecret,
  writeAuth,
} from './rights.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** The kinds of record that the issuer keeps. */
const ISSUER_RECORDS = [
  'CODE#*',
  'REFRESH#*',
  'SESSION#*',
  'ONCE#*',
  'RUN#*',
  'CLIENT#*',
  'WITNESS#*',
] as const;

/** Issues and revokes tokens and publishes the public keys; alone in signing with the issuer's key. */
export function createIssuer(
  scope: Construct,
  settings: Settings,
  storage: Storage,
  edge: EdgeSecret | undefined,
): SallyportFunction {
  const issuer = new SallyportFunction(scope, 'Issuer', {
    entry: 'issuer',
    description: 'Sallyport: login, tokens, runs, discovery, public keys',
    memoryMb: 512,
    timeoutSeconds: 29,
    responseMode: 'buffered',
    environment: {
      SALLYPORT_STAGE: settings.stage,
      AUTH_TABLE: storage.authTable.tableName,
      AUDIT_TABLE: storage.auditTable.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays),
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
      ISSUER_KEY_ARNS: storage.issuerKey.arns,
      IDENTITY_KEY_ARNS: storage.identityKey.arns,
      SEALING_SECRET: storage.sealingSecretName,
      EDGE_SECRET: edge?.name ?? '',
    },
    rights: [
      readAuth(storage.authTable, 'POLICY', 'KEYS', 'REVOCATION#*', ...ISSUER_RECORDS, 'COUNT#*'),
      writeAuth(storage.authTable, 'KEYS', 'REVOCATION#*', ...ISSUER_RECORDS),
      countAuth(storage.authTable, 'COUNT#*'),
      appendAudit(storage.auditTable, 'RECORD#*', 'CHECKPOINT#*'),
      readAudit(storage.auditTable),
      readSecret(storage.sealingSecret),
      ...(edge === undefined ? [] : [readSecret(edge.secret)]),
      storage.issuerKey.signRight(),
      storage.issuerKey.publicKeyRight(),
      storage.identityKey.publicKeyRight(),
    ],
  });
  allowSecrets(issuer, settings.stage, 'clients', 'Clients are registered without a deploy.');
  allowSecrets(issuer, settings.stage, 'env', 'Identity providers are configured without a deploy.');
  storage.issuerKey.allowSigningBy(issuer);
  scheduleCheckpoints(scope, settings, issuer);
  return issuer;
}
