import { randomBytes } from 'node:crypto';
import type { Hono } from 'hono';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import type { PolicyPointer, PolicyStore } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { createAdminAudit } from '../../functions/handlers/admin-audit.ts';
import { createModule, type ModuleEnv } from '../../functions/handlers/module.ts';
import { AuditWorld } from './audit-world.ts';
import { ingressOver } from './ingress.ts';
import { clientEntry } from './policies.ts';
import { ORIGIN, TestIssuer, type TestKey } from './test-issuer.ts';

const issuer = new TestIssuer();
const SEALER = new Sealer(['0'.repeat(64)]);

/** The platform's own organisation is the first; each has an auditor. `acme-other` has other scopes too. */
const SNAPSHOT: Snapshot = {
  format: 1,
  scopes: [],
  uiScopes: [
    ['auditor', [['read_audit', ['all']]]],
    ['steward', [['manage_policy', ['all']]]],
    ['narrow', [['read_audit', ['maps']]]],
  ],
  groups: [],
  servers: [],
  services: [],
  clients: [
    ...['platform', 'acme', 'beta'].map((org) => clientEntry(`${org}-auditor`, { org, scopes: ['auditor'] })),
    clientEntry('acme-other', { org: 'acme', scopes: ['auditor', 'steward', 'narrow'] }),
  ],
  orgs: ['platform', 'acme', 'beta', 'idle'].map((id) => ({ id, suspended: false })),
};

/** The audit door over the log of `acme`, which a test can tamper with. */
export class AuditApp {
  readonly world: AuditWorld;
  /** What was recorded of those who read. */
  readonly written: AuditRecord[] = [];
  canRecord = true;
  hasSecret = true;
  readonly #app: Hono<ModuleEnv>;

  constructor(key: TestKey) {
    this.world = new AuditWorld('acme', key);
    const policy = new Policy(SNAPSHOT, 3);
    const pointer: PolicyPointer = {
      version: 3,
      source: 'dev',
      contentHash: 'h',
      chunks: 1,
      deployedHash: undefined,
    };
    const policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'> = {
      readPointer: async () => ok(pointer),
      readSnapshot: async () => ok(SNAPSHOT),
    };
    const ports = {
      ingress: ingressOver({ policy, keys: issuer.keys }, () => Math.floor(this.world.nowMs / 1000)),
      audit: {
        write: async (record: AuditRecord) => {
          if (!this.canRecord) return err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
          this.written.push(record);
          return ok(undefined);
        },
      },
      policies,
      auditTrail: {
        reader: this.world.reader,
        checkpoints: this.world.store,
        witness: this.world.memory,
        sealer: async () => (this.hasSecret ? SEALER : undefined),
        randomBytes: (size: number) => randomBytes(size),
      },
      allowedOrigins: [],
      now: () => this.world.nowMs,
      log: () => {},
    };
    this.#app = createModule(ports).route('/', createAdminAudit(ports));
  }

  /** A token of a client for the whole gateway, good for five minutes. */
  token(clientId: string, scope = 'auditor'): string {
    const nowSeconds = Math.floor(this.world.nowMs / 1000);
    const [orgId] = clientId.split('-');
    const times = { iat: nowSeconds, exp: nowSeconds + 300 };
    return issuer.accessToken({ sub: clientId, client_id: clientId, org_id: orgId, scope, ...times });
  }

  /** Answers a request, and with the published keys whoever asks for them. */
  async fetch(pathAndQuery: string, headers: ConstructorParameters<typeof Headers>[0]): Promise<Response> {
    if (pathAndQuery.startsWith('/.well-known/jwks.json')) {
      const keys = this.world.keys.map(({ published: { keyId, n, e } }) => ({ kid: keyId, n, e }));
      return Response.json({ keys });
    }
    const invocation: Invocation = {
      requestId: 'r-9',
      origin: ORIGIN,
      sourceIp: '192.0.2.1',
      signal: new AbortController().signal,
      waitUntil: () => {},
    };
    return this.#app.fetch(new Request(`${ORIGIN}${pathAndQuery}`, { headers }), invocation);
  }
}
