import { randomUUID } from 'node:crypto';
import { createAuditLog } from './aws/audit-log.ts';
import { createAuthorizerHandler } from './aws/authorizer-event.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { numberOf, readEnvironment } from './aws/environment.ts';
import { log } from './aws/log.ts';
import { createOutages } from './aws/outages.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createUpstream } from './aws/upstream.ts';
import { createAuthorizer } from './handlers/authorizer.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';

const environment = readEnvironment('SALLYPORT_STAGE', 'AUTH_TABLE', 'AUDIT_TABLE', 'AUDIT_RETENTION_DAYS');
const outages = createOutages(log);
const dynamo = outages.watch(createDynamo());
const clock = () => Math.floor(Date.now() / 1000);

export const handler = createAuthorizerHandler(
  outages.aroundAuthorizer(
    createAuthorizer({
      rulebook: outages.watch(createRulebookStore(dynamo, environment.AUTH_TABLE, clock)),
      revocations: createRevocationStore(dynamo, environment.AUTH_TABLE, clock),
      foreignKeys: outages.watch(createForeignKeys({ upstream: createUpstream(), clock })),
      audit: createAuditLog(dynamo, {
        table: environment.AUDIT_TABLE,
        retentionDays: numberOf(environment.AUDIT_RETENTION_DAYS),
        randomId: randomUUID,
      }),
      now: Date.now,
      log: outages.log,
    }),
  ),
);
