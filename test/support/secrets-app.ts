import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll } from 'vitest';
import { createSecretWriter } from '../../functions/aws/secret-writer.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createAdminSecrets } from '../../functions/handlers/admin-secrets.ts';
import { createModule } from '../../functions/handlers/module.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';
import { ingressOver } from './ingress.ts';
import { invocationOf } from './invocation.ts';
import { clientEntry, serverEntry } from './policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from './test-issuer.ts';

const egress = { mode: 'service_account', key: 'client', fallback: 'none' } as const;

/** Two organisations, of which `platform` is the first, each with an administrator of secrets, and one of `maps` alone. */
const SNAPSHOT: Snapshot = {
  format: 1,
  scopes: [],
  uiScopes: [
    ['keeper', [['manage_secrets', ['all']]]],
    ['narrow', [['manage_secrets', ['maps']]]],
    ['steward', [['manage_policy', ['all']]]],
  ],
  groups: [],
  servers: [
    serverEntry('maps', { egress }),
    serverEntry('mail', { egress: { ...egress, key: 'user', fallback: 'default' } }),
    serverEntry('plain'),
    serverEntry('of-acme', { org: 'acme', egress }),
  ],
  services: [],
  clients: ['platform', 'acme', 'beta'].map((org) =>
    clientEntry(`${org}-admin`, { org, scopes: ['keeper', 'narrow', 'steward'] }),
  ),
  orgs: ['platform', 'acme', 'beta'].map((id) => ({ id, suspended: false })),
  perimeter: { hosts: ['*.example.com'], networks: [] },
};

/** The administration of secrets over the local Secrets Manager. */
export type SecretsApp = {
  readonly records: AuditRecord[];
  readonly logged: unknown[];
  readonly faults: Faults;
  canRecord: boolean;
  fetch(request: Request): Promise<Response>;
  /** A token of `{org}-admin` with a UI scope. */
  token(org?: string, scope?: string): string;
  /** Asks as `{org}-admin` with a UI scope; a body is sent as JSON, a text as it is. */
  ask(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly org?: string; readonly scope?: string },
  ): Promise<Response>;
  /** The value of a stage; undefined where there is none. */
  value(name: string, stage?: string): Promise<string | undefined>;
  /** The stages of every version, oldest first. */
  stages(name: string): Promise<readonly (readonly string[])[]>;
  readonly client: SecretsManagerClient;
  close(): Promise<void>;
};

/** Starts one. */
export async function startSecretsApp(changes: Partial<Snapshot> = {}): Promise<SecretsApp> {
  const issuer = new TestIssuer();
  const snapshot = { ...SNAPSHOT, ...changes };
  const policy = new Policy(snapshot, 1);
  const faults = new Faults([]);
  const server = await startSecretsManager(
    new SecretsManager(new SecretStore(temporaryDirectory(afterAll))),
    faults,
  );
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  const pointer = { version: 1, source: 'dev', contentHash: '', chunks: 1, deployedHash: undefined } as const;
  const ports = {
    ingress: ingressOver({ policy, keys: issuer.keys }),
    audit: {
      async write(record: AuditRecord) {
        if (!app.canRecord) return err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
        app.records.push(record);
        return ok(undefined);
      },
    },
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1000,
    log: (entry: unknown) => void app.logged.push(entry),
  };
  const hono = createModule(ports);
  const policies = { readPointer: async () => ok(pointer), readSnapshot: async () => ok(snapshot) };
  const secretAdministration = createSecretWriter(client);
  hono.route('/', createAdminSecrets({ ...ports, policies, secretAdministration, stage: 'prod' }));
  const app: SecretsApp = {
    records: [],
    logged: [],
    faults,
    canRecord: true,
    client,
    token: (org = 'acme', scope = 'keeper') =>
      issuer.accessToken({ sub: `${org}-admin`, client_id: `${org}-admin`, org_id: org, scope }),
    async fetch(request) {
      const pending: Promise<unknown>[] = [];
      const response = await hono.fetch(
        request,
        invocationOf({ waitUntil: (work: Promise<unknown>) => void pending.push(work) }),
      );
      await Promise.all(pending);
      return response;
    },
    ask(method, path, { body, org, scope } = {}) {
      const headers = {
        authorization: `Bearer ${app.token(org, scope)}`,
        'content-type': 'application/json',
      };
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const init = { method, headers, ...(body === undefined ? {} : { body: text }) };
      return app.fetch(new Request(`${ORIGIN}/admin/secrets${path}`, init));
    },
    async value(name, stage = 'AWSCURRENT') {
      const command = new GetSecretValueCommand({ SecretId: name, VersionStage: stage });
      return client.send(command).then(
        ({ SecretString }) => SecretString,
        () => undefined,
      );
    },
    async stages(name) {
      const command = new ListSecretVersionIdsCommand({ SecretId: name, IncludeDeprecated: true });
      const { Versions = [] } = await client.send(command);
      return Versions.map(({ VersionStages = [] }) => VersionStages);
    },
    async close() {
      client.destroy();
      await server.close();
    },
  };
  return app;
}
