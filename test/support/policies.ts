import { Caller } from '../../functions/core/caller.ts';
import { type ClientEntry, Policy, type ServerEntry, type Snapshot } from '../../functions/core/policy.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import type { TestIssuer } from './test-issuer.ts';

/** A server of every organisation, with the defaults of `servers.yml`. */
export function serverEntry(name: string, changes: Partial<ServerEntry> = {}): ServerEntry {
  return {
    name,
    url: `https://${name}.internal.example.com/mcp`,
    org: undefined,
    private: false,
    egress: { mode: 'none', key: 'client', fallback: 'none' },
    headers: [],
    timeout: { connectMs: 5_000, firstByteMs: 30_000, silenceMs: 240_000, callMs: 300_000 },
    getStream: false,
    tokenTtlMaxSeconds: undefined,
    visibility: 'org',
    ...changes,
  };
}

/** A client of `acme` with no scopes. */
export function clientEntry(id: string, changes: Partial<ClientEntry> = {}): ClientEntry {
  return {
    id,
    org: 'acme',
    displayName: undefined,
    auth: 'client_secret_basic',
    secretName: `sallyport/{stage}/clients/${id}`,
    grants: ['client_credentials'],
    scopes: [],
    groups: [],
    audience: 'gateway',
    tokenTtlSeconds: 600,
    namespace: undefined,
    scopeFilters: undefined,
    server: undefined,
    redirectUris: [],
    runNamespaces: [],
    jwks: [],
    jwksUri: undefined,
    jwksUriPrivate: false,
    exchangeFrom: [],
    disabled: false,
    ...changes,
  };
}

/** One rule of a scope. */
export function scopeRule(
  server: string,
  methods: readonly string[],
  tools: readonly string[] = [],
): ScopeRule {
  return { server, methods, tools, at: 'scopes.yml:1' };
}

/** What a configuration of the parts that a test names is compiled to. */
export function snapshotOf(parts: Partial<Omit<Snapshot, 'format'>> = {}): Snapshot {
  const empty = { scopes: [], uiScopes: [], groups: [], servers: [], services: [], clients: [], orgs: [] };
  return { format: 1, ...empty, ...parts };
}

/** The policy of those parts. */
export function policyOf(parts: Partial<Omit<Snapshot, 'format'>> = {}): Policy {
  return new Policy(snapshotOf(parts), 1);
}

/** The caller of a fresh token of `courier` with these scopes, under a policy that knows the client. */
export function callerOf(issuer: TestIssuer, policy: Policy, scopes: readonly string[]): Caller {
  const caller = Caller.fromToken(issuer.verified({ scope: scopes.join(' ') }), policy);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  return caller.value;
}
