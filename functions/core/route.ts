import { CONTEXT_STORE } from './policy.ts';

/** The grammar of server and service names (contract §2). */
export const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** What a path with a token addresses. `gateway` is every route that needs a token for `ORIGIN` itself. */
export type Route =
  | { readonly kind: 'mcp'; readonly server: string }
  | { readonly kind: 'context' }
  | { readonly kind: 'egress' }
  | { readonly kind: 'gateway' };

/** Reads a path, already matched by API Gateway. It is compared exactly: case counts, nothing is decoded. */
export function parseRoute(path: string): Route {
  const server = /^\/([^/]+)\/mcp$/.exec(path)?.[1];
  if (server !== undefined) return { kind: 'mcp', server };
  if (path.startsWith('/context/')) return { kind: 'context' };
  return path.startsWith('/egress/') ? { kind: 'egress' } : { kind: 'gateway' };
}

/** The resources for which a token opens a route (contract §4), `ORIGIN` last. */
export function audiencesOf(route: Route, origin: string): readonly string[] {
  switch (route.kind) {
    case 'mcp':
      return [resourceOf(route.server, origin), origin];
    case 'context':
      return [resourceOf(CONTEXT_STORE, origin), origin];
    case 'egress':
    case 'gateway':
      return [origin];
  }
}

/** The resource identifier of a server (RFC 8707). */
export function resourceOf(server: string, origin: string): string {
  return `${origin}/${server}/mcp`;
}

/** Where a server's protected resource metadata is (RFC 9728 §3.1). */
export function metadataUrlOf(server: string, origin: string): string {
  return `${origin}/.well-known/oauth-protected-resource/${server}/mcp`;
}

/** Is the route one on which a run token may come in `X-Service-Token`? */
export function isContextRoute(route: Route): boolean {
  return route.kind === 'context' || (route.kind === 'mcp' && route.server === CONTEXT_STORE);
}
