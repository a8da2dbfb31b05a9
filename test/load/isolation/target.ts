import { canary } from '../canary.ts';

/** Tools of every server: `t0` … `t9`. */
export const TOOLS: readonly string[] = Array.from({ length: 10 }, (_, index) => `t${index}`);
/** Scopes for the servers of all organisations: `s0` … `s7`, each for two tools. */
export const BASE_SCOPES: readonly string[] = Array.from({ length: 8 }, (_, index) => `s${index}`);

/** A server or service behind the gateway, and what this harness knows of it. */
export type Target = {
  readonly name: string;
  readonly url: string;
  readonly mode: 'none' | 'passthrough' | 'identity' | 'service_account';
  readonly key: 'client' | 'user';
  readonly fallback: 'none' | 'default';
  /** How its secrets are put on. */
  readonly credential: 'bearer' | 'basic' | 'header' | 'query';
  /** The one organisation that has it; undefined: all of them. */
  readonly org: number | undefined;
  readonly kind: 'server' | 'service';
};

/** May a token with these scopes call a tool of a target? What `scopes.yml` says, in other words than the gateway's. */
export function isGranted(scopes: readonly string[], target: Target, tool: string): boolean {
  return scopes.some((scope) => {
    if (target.org !== undefined) return scope === canary('scope', target.org);
    return toolsOf(scope).includes(tool);
  });
}

/** May a token with these scopes do anything on a target? */
export function hasAccess(scopes: readonly string[], target: Target): boolean {
  return TOOLS.some((tool) => isGranted(scopes, target, tool));
}

/** The tools that a base scope grants on every shared server. */
export function toolsOf(scope: string): readonly string[] {
  const number = BASE_SCOPES.indexOf(scope);
  return number < 0 ? [] : [`t${number}`, `t${(number + 3) % TOOLS.length}`];
}

/** Servers of every egress mode for all, and one more for each organisation alone. */
export function makeServers(orgs: number, origin?: string): readonly Target[] {
  const shared: readonly (readonly [name: string, mode: Target['mode'], rest: Partial<Target>])[] = [
    ['plain', 'none', {}],
    ['streams', 'none', {}],
    ['vault-bearer', 'service_account', {}],
    ['vault-header', 'service_account', { credential: 'header', fallback: 'default' }],
    ['vault-basic', 'service_account', { credential: 'basic', key: 'user' }],
    ['vault-query', 'service_account', { credential: 'query', key: 'user' }],
    ['signed', 'identity', {}],
    ['fin', 'identity', {}],
    ['passes', 'passthrough', {}],
  ];
  const modes = ['service_account', 'identity', 'none'] as const;
  const inner = Array.from({ length: orgs }, (_, org) => {
    const mode = modes[org % modes.length] ?? 'none';
    return [canary('server', org), mode, { org, key: org % 2 === 0 ? 'client' : 'user' }] as const;
  });
  return [...shared, ...inner].map(([name, mode, rest]) => ({
    name,
    url: origin === undefined ? `https://${name}.internal.example.com/mcp` : `${origin}/${name}/mcp`,
    mode,
    key: 'client',
    fallback: 'none',
    credential: 'bearer',
    org: undefined,
    kind: 'server',
    ...rest,
  }));
}

/** APIs behind the egress gateway, for the server `fin`. */
export function makeServices(origin?: string): readonly Target[] {
  const services = [
    ['quotes', 'client', 'header'],
    ['ledger', 'user', 'query'],
  ] as const;
  return services.map(([name, key, credential]) => ({
    name,
    url: origin === undefined ? `https://${name}.example.com/base` : `${origin}/${name}/base`,
    mode: 'service_account',
    key,
    fallback: 'none',
    credential,
    org: undefined,
    kind: 'service',
  }));
}

/** Those of a token's scopes that open anything on a target. */
export function scopesAt(scopes: readonly string[], target: Target): readonly string[] {
  return scopes.filter((scope) => hasAccess([scope], target));
}
