import { createPolicyHistory } from '../../functions/aws/policy-history.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import type { Connection, ConnectionOwner } from '../../functions/core/connection.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Provider } from '../../functions/core/provider.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { ConnectPorts } from '../../functions/handlers/connect/connect-ports.ts';
import type {
  ConnectFailure,
  Connections,
  ConnectRequest,
} from '../../functions/handlers/connections/connections.ts';
import { createControl } from '../../functions/handlers/control.ts';
import { NO_AUDIT_TRAIL } from './audit-trail.ts';
import { startAuthTable } from './auth-table.ts';
import { BrowserAgent, type Shown } from './browser-agent.ts';
import { invocationOf } from './invocation.ts';
import { type LoginApp, loginClient, startLoginApp } from './login-app.ts';
import { NO_SECRET_ADMINISTRATION } from './no-secret-administration.ts';
import { serverEntry } from './policies.ts';
import { type Changes, NOW_SECONDS, ORIGIN } from './test-issuer.ts';

/** The connect pages beside the issuer, which signs users in for them, over one table; and everything that a test looks at or changes. */
export type ConnectApp = {
  readonly login: LoginApp;
  readonly ports: ConnectPorts;
  /** What the vault was asked for. */
  readonly connected: { readonly owner: ConnectionOwner; readonly request: ConnectRequest }[];
  readonly disconnected: ConnectionOwner[];
  /** Connections by owner and provider. */
  readonly vault: Map<string, Connection>;
  /** What connecting fails with; undefined: it works. */
  failure: ConnectFailure | undefined;
  /** Is the vault out of reach? */
  isDown: boolean;
  /** Is there a connection everywhere that does not open? */
  isUnreadable: boolean;
  /** A browser of both functions, that stops at whatever is not ours. */
  agent(): BrowserAgent;
  /** Signs a user of the provider `company` in. */
  signIn(browser: BrowserAgent, userId?: string): Promise<void>;
  /** Calls the control plane with a token; of a user of `company`, unless the claims say otherwise. */
  call(path: string, init?: RequestInit, claims?: Changes): Promise<Response>;
  close(): Promise<void>;
};

/** A provider as it is compiled. */
export function providerEntry(name: string, changes: Partial<Provider> = {}): Provider {
  return {
    name,
    displayName: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    org: undefined,
    private: false,
    clientId: `${name}-client`,
    clientSecretName: `sallyport/{stage}/providers/${name}`,
    tokenAuth: 'client_secret_post',
    authUrl: `https://${name}.example.net/authorize`,
    tokenUrl: `https://${name}.example.net/token`,
    scopes: ['offline_access', 'read:orders'],
    scopeSeparator: ' ',
    authParams: [],
    tokenHeaders: [],
    pkce: true,
    ...changes,
  };
}

/** An active connection. */
export function connectionOf(provider: string, changes: Partial<Connection> = {}): Connection {
  return {
    provider,
    account: { id: 'a-1', name: 'ada@track.example' },
    scopes: ['offline_access', 'read:orders'],
    status: 'active',
    connectedAtSeconds: NOW_SECONDS,
    refreshedAtSeconds: NOW_SECONDS,
    ...changes,
  };
}

/** Names a connection in {@link ConnectApp.vault}. */
export function placeOf(owner: ConnectionOwner, provider: string): string {
  return JSON.stringify([owner.orgId, owner.subject, provider]);
}

/** Starts one: `track` and `mail` for everybody, `beta-only` for another organisation; the server `orders` needs `write:orders` at `track`. */
export async function startConnectApp(changes: Partial<ConnectPorts> = {}): Promise<ConnectApp> {
  const egress = { mode: 'user_oauth', key: 'user', fallback: 'none', provider: 'track' } as const;
  const login = await startLoginApp(({ company, partner }) => ({
    idps: [company.entry, { ...partner.entry, org: 'beta' }],
    clients: [loginClient('desk', { displayName: 'Desk', audience: 'gateway', groups: [] })],
    providers: [
      providerEntry('track'),
      providerEntry('mail', { issuer: 'https://mail.example.net' }),
      providerEntry('beta-only', { org: 'beta' }),
    ],
    servers: [
      serverEntry('maps'),
      serverEntry('orders', { egress: { ...egress, scopes: ['read:orders', 'write:orders'] } }),
    ],
  }));
  const { ports: issuer } = login.app;
  const table = await startAuthTable();
  const vault = new Map<string, Connection>();
  const down = err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
  const connections: Connections = {
    accessToken: async () => down,
    async find(owner, { name }) {
      if (app.isUnreadable) return err({ ...down.error, isUnreadable: true });
      return app.isDown ? down : ok(vault.get(placeOf(owner, name)));
    },
    async list(owner, providers) {
      if (app.isDown) return down;
      const own = [...vault].filter(([place]) => place.startsWith(placeOf(owner, '').slice(0, -2)));
      const order = (name: string) => [...providers.map((one) => one.name), name].indexOf(name);
      return ok(own.map(([, one]) => one).toSorted((a, b) => order(a.provider) - order(b.provider)));
    },
    async connect(owner, { name }, request) {
      app.connected.push({ owner, request });
      if (app.failure !== undefined) return err(app.failure);
      const connection = connectionOf(name, { scopes: request.scopes });
      vault.set(placeOf(owner, name), connection);
      return ok(connection);
    },
    async disconnect(owner, { name }) {
      if (app.isDown) return down;
      app.disconnected.push(owner);
      vault.delete(placeOf(owner, name));
      return ok({ revoked: name === 'track' });
    },
  };
  const { rulebook, revocations, records, audit, sealer, randomBytes, now, log, ingress } = issuer;
  const ports = {
    rulebook,
    revocations,
    records,
    audit,
    sealer,
    randomBytes,
    now,
    log,
    connections,
    ...changes,
  };
  const control = createControl({
    ...ports,
    ingress,
    policies: createPolicyStore(table.dynamo, table.tableName),
    policyHistory: createPolicyHistory(table.dynamo, table.tableName),
    auditTrail: NO_AUDIT_TRAIL,
    ...NO_SECRET_ADMINISTRATION,
    allowedOrigins: [],
    connecting: ports,
  });
  const invocation: Invocation = invocationOf();
  const fetchControl = (path: string, init?: RequestInit) =>
    Promise.resolve(control.fetch(new Request(ORIGIN + path, init), invocation));
  const app: ConnectApp = {
    login,
    ports,
    connected: [],
    disconnected: [],
    vault,
    failure: undefined,
    isDown: false,
    isUnreadable: false,
    agent: () =>
      new BrowserAgent(
        (url) => !url.startsWith(`${ORIGIN}/`),
        (url, init) => {
          const path = url.slice(ORIGIN.length);
          return path.startsWith('/connect') ? fetchControl(path, init) : login.app.fetch(path, init);
        },
      ),
    async signIn(browser, userId = 'u-1') {
      login.company.claims = { sub: userId, email: `${userId}@example.com` };
      const page = await browser.open(`${ORIGIN}/login?return_to=%2Fconnect`);
      const atIdp = await browser.submit(page, (text) => /company login/.test(text));
      await browser.open(login.company.answerTo(login.company.read(atIdp.url)));
      login.app.records.length = 0;
    },
    call(path, init = {}, claims = {}) {
      const token = login.app.issuer.accessToken({
        sub: 'company:u-1',
        client_id: 'desk',
        groups: ['staff'],
        ...claims,
      });
      return fetchControl(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
    },
    async close() {
      await Promise.all([login.close(), table.close()]);
    },
  };
  return app;
}

/** What a browser was sent to a provider with. */
export function askedAt(shown: Shown): URLSearchParams {
  return new URL(shown.url).searchParams;
}

/** Where an honest provider sends the browser back to. */
export function answerOf(asked: URLSearchParams, changes: Readonly<Record<string, string | undefined>> = {}) {
  const url = new URL(asked.get('redirect_uri') ?? '');
  const honest = { code: 'provider-code', state: asked.get('state') ?? '', ...changes };
  for (const [name, value] of Object.entries(honest)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}
