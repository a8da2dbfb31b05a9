import { createPolicyHistory } from '../../functions/aws/policy-history.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import { createRulebookStore } from '../../functions/aws/rulebook.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { PolicyHistory, PolicyStore } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createAdminPolicy } from '../../functions/handlers/admin-policy.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { createModule, type ModulePorts } from '../../functions/handlers/module.ts';
import { applyConfiguration } from '../../functions/handlers/policy-apply.ts';
import { type EmbeddedTable, startAuthTable } from './auth-table.ts';
import { NO_FOREIGN_KEYS } from './foreign-issuer.ts';
import { invocationOf } from './invocation.ts';
import { publishKeys } from './published-keys.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from './test-issuer.ts';

/** The administration of the policy over an embedded DynamoDB, in which {@link configurationOf} runs. */
export type PolicyApp = {
  readonly table: EmbeddedTable;
  readonly policies: PolicyStore;
  readonly policyHistory: PolicyHistory;
  readonly records: AuditRecord[];
  /** Can a record be written? */
  canRecord: boolean;
  nowSeconds: number;
  /** Asks as the client `steward`; a body is sent as JSON, a text as it is. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  /** The version that runs. */
  version(): Promise<number>;
  close(): Promise<void>;
};

const ISSUER = new TestIssuer();

/** A configuration that tells itself apart by the scopes of `agent`; `steward` may manage it. */
export function configurationOf(...scopes: readonly string[]): Readonly<Record<string, string>> {
  const secret = { ref: 'sallyport/{stage}/clients/x' };
  const client = { org: 'acme', grants: ['client_credentials'], audience: 'gateway', secret };
  const rules = scopes.map((scope) => [scope, [{ server: 'fin', methods: ['tools/call'], tools: [scope] }]]);
  return {
    'scopes.yml': JSON.stringify({
      'UI-Scopes': { steward: { manage_policy: ['all'] } },
      ...Object.fromEntries(rules),
    }),
    'servers.yml': JSON.stringify({ servers: { fin: { url: 'https://fin.example.com/mcp' } } }),
    'clients.yml': JSON.stringify({
      clients: { steward: { ...client, scopes: ['steward'] }, agent: { ...client, scopes } },
    }),
  };
}

/** Starts one. */
export async function startPolicyApp(scopes: readonly string[] = ['one']): Promise<PolicyApp> {
  const table = await startAuthTable();
  const { dynamo, tableName } = table;
  const policies = createPolicyStore(dynamo, tableName);
  const policyHistory = createPolicyHistory(dynamo, tableName);
  const written = { atSeconds: NOW_SECONDS };
  const files = new Map(Object.entries(configurationOf(...scopes)));
  const applied = await applyConfiguration(policies, files, 'deploy', { written });
  if (!applied.ok) throw new Error(JSON.stringify(applied.error));
  await publishKeys(dynamo, tableName, [ISSUER.access.published]);
  const clock = () => app.nowSeconds;
  const ports: ModulePorts = {
    ingress: createIngress({
      rulebook: createRulebookStore(dynamo, tableName, clock),
      revocations: createRevocationStore(dynamo, tableName, clock),
      foreignKeys: NO_FOREIGN_KEYS,
      clock,
    }),
    audit: {
      write(record) {
        if (!app.canRecord) return Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' }));
        app.records.push(record);
        return Promise.resolve(ok(undefined));
      },
    },
    allowedOrigins: [],
    now: () => clock() * 1000,
    log: () => {},
  };
  const hono = createModule(ports);
  hono.route('/', createAdminPolicy({ ...ports, policies, policyHistory }));
  const app: PolicyApp = {
    table,
    policies,
    policyHistory,
    records: [],
    canRecord: true,
    nowSeconds: NOW_SECONDS,
    async ask(method, path, body, headers = {}) {
      const times = { iat: app.nowSeconds, exp: app.nowSeconds + 300 };
      const who = { sub: 'steward', client_id: 'steward', scope: 'steward', ...times };
      const pending: Promise<unknown>[] = [];
      const invocation: Invocation = invocationOf({ waitUntil: (work) => void pending.push(work) });
      const sent = typeof body === 'string' ? body : JSON.stringify(body);
      const authorization = `Bearer ${ISSUER.accessToken(who)}`;
      const response = await hono.fetch(
        new Request(`${ORIGIN}/admin/policy${path}`, {
          method,
          headers: { authorization, 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: sent }),
        }),
        invocation,
      );
      await Promise.all(pending);
      return response;
    },
    async version() {
      const pointer = await policies.readPointer();
      if (!pointer.ok || pointer.value === undefined) throw new Error('there is no policy');
      return pointer.value.version;
    },
    close: () => table.close(),
  };
  return app;
}
