import { randomBytes, randomUUID } from 'node:crypto';
import { createAuditLog } from '../../../functions/aws/audit-log.ts';
import { createRevocationStore } from '../../../functions/aws/revocations.ts';
import { createRulebookStore } from '../../../functions/aws/rulebook.ts';
import { createSealerSource } from '../../../functions/aws/sealer.ts';
import { createSecretStore } from '../../../functions/aws/secrets.ts';
import type { Upstream } from '../../../functions/core/ports.ts';
import { createCredentials } from '../../../functions/handlers/credentials.ts';
import type { GatewayPorts } from '../../../functions/handlers/gateway.ts';
import { createIngress } from '../../../functions/handlers/ingress.ts';
import { UNASKED } from '../../support/counters.ts';
import { NO_FOREIGN_KEYS } from '../../support/foreign-issuer.ts';
import { NO_CONNECTIONS } from '../../support/no-connections.ts';
import { canary } from '../canary.ts';
import { AUDIT_TABLE, AUTH_TABLE, type Aws, SEALING_SECRET } from './aws.ts';
import { current } from './exchange.ts';
import type { Judge } from './judge.ts';
import { STAGE } from './vault.ts';
import type { World } from './world.ts';

/** What one execution environment of the gateway holds: its own caches over the same services. */
export function createPorts(world: World, judge: Judge, aws: Aws, upstream: Upstream): GatewayPorts {
  const clock = () => world.nowSeconds;
  const { nowMs: now } = world.gate;
  const secrets = createSecretStore(aws.secretsManager, clock);
  return {
    ingress: createIngress({
      rulebook: createRulebookStore(aws.dynamo, AUTH_TABLE, clock),
      revocations: createRevocationStore(aws.dynamo, AUTH_TABLE, clock),
      foreignKeys: NO_FOREIGN_KEYS,
      clock,
    }),
    audit: createAuditLog(aws.dynamo, { table: AUDIT_TABLE, retentionDays: 1, randomId: randomUUID }),
    credentials: createCredentials({
      ...NO_CONNECTIONS,
      secrets,
      identityKey: aws.identityKey,
      stage: STAGE,
      now,
      upstream,
      randomId: randomUUID,
    }),
    upstream: {
      send(request) {
        const exchange = current.getStore();
        if (exchange?.records.includes('decision/allow') !== true) {
          judge.fault(exchange, 'sent before a record was written');
        }
        return upstream.send(request);
      },
    },
    sealer: createSealerSource(secrets, SEALING_SECRET),
    nonce: () => randomBytes(12),
    counter: UNASKED,
    allowedOrigins: [],
    now,
    log: (entry) => {
      const exchange = current.getStore();
      judge.inspect('log', JSON.stringify(entry), exchange);
      const own = exchange === undefined ? undefined : canary('requestId', exchange.plan.number);
      if (entry['request_id'] !== own) judge.leak(exchange, `a log line of ${String(entry['request_id'])}`);
    },
  };
}
