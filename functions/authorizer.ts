import { randomUUID } from 'node:crypto';
import { createAuditLog } from './aws/audit-log.ts';
import { createAuthorizerHandler } from './aws/authorizer-event.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { readEnvironment } from './aws/environment.ts';
import { log } from './aws/log.ts';
import { createRevocationStore } from './aws/revocations.ts';
import { createRulebookStore } from './aws/rulebook.ts';
import { createUpstream } from './aws/upstream.ts';
import { createAuthorizer } from './handlers/authorizer.ts';
import { createForeignKeys } from './handlers/foreign-keys.ts';

const environment = readEnvironment('SALLYPORT_STAGE', 'AUTH_TABLE', 'AUDIT_TABLE');
const dynamo = createDynamo();
const clock = () => Math.floor(Date.now() / 1000);

export const handler = createAuthorizerHandler(
  createAuthorizer({
    rulebook: createRulebookStore(dynamo, environment.AUTH_TABLE, clock),
    revocations: createRevocationStore(dynamo, environment.AUTH_TABLE, clock),
    foreignKeys: createForeignKeys({ upstream: createUpstream(), clock }),
    audit: createAuditLog(dynamo, environment.AUDIT_TABLE, randomUUID),
    now: Date.now,
    log,
  }),
);
