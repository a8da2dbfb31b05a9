/** What the addresses of a well-known provider tell beside themselves. */
export type IdpKind = {
  readonly kind: 'id_token' | 'github';
  readonly issuer?: string;
  readonly jwksUrl?: string;
  /** Why nothing could be told, in words for the author of the file. */
  readonly obstacle?: string;
};

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The issuer and the keys of a provider, as its kind derives them from the address of its login: Google, Entra ID, Okta, Keycloak,
 * Auth0, PingFederate, GitHub. `name` is the entry's key, which tells those apart that no address does. Of others nothing is known.
 */
export function kindOf(name: string, authUrl: string | undefined): IdpKind {
  if (authUrl === undefined) return { kind: 'id_token' };
  const { origin, hostname, pathname } = new URL(authUrl);
  if (pathname === '/login/oauth/authorize') return { kind: 'github' };
  if (hostname === 'accounts.google.com') {
    return {
      kind: 'id_token',
      issuer: 'https://accounts.google.com',
      jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    };
  }
  if (/^login\.microsoftonline\.(?:com|us)$/.test(hostname)) return entra(origin, pathname);
  const [, realm] = /^(.*\/realms\/[^/]+)\/protocol\/openid-connect\/auth$/.exec(pathname) ?? [];
  if (realm !== undefined) {
    const issuer = `${origin}${realm}`;
    return { kind: 'id_token', issuer, jwksUrl: `${issuer}/protocol/openid-connect/certs` };
  }
  const [, server] = /^\/oauth2((?:\/[^/]+)?)\/v1\/authorize$/.exec(pathname) ?? [];
  if (server !== undefined) {
    const issuer = server === '' ? origin : `${origin}/oauth2${server}`;
    return { kind: 'id_token', issuer, jwksUrl: `${origin}/oauth2${server}/v1/keys` };
  }
  if (name === 'auth0' || hostname.endsWith('.auth0.com')) {
    return { kind: 'id_token', issuer: `${origin}/`, jwksUrl: `${origin}/.well-known/jwks.json` };
  }
  if (pathname === '/as/authorization.oauth2') {
    return { kind: 'id_token', issuer: origin, jwksUrl: `${origin}/pf/JWKS` };
  }
  return { kind: 'id_token' };
}

/** Where a Cognito user pool keeps its keys; undefined of another issuer. */
export function cognitoPool(
  issuer: string,
): { readonly jwksUrl: string; readonly domain: string } | undefined {
  const [, poolId] =
    /^https:\/\/cognito-idp\.[a-z0-9-]+\.amazonaws\.com\/([A-Za-z0-9_-]+)$/.exec(issuer) ?? [];
  if (poolId === undefined) return undefined;
  // The domain that the source system takes where none is set.
  return { jwksUrl: `${issuer}/.well-known/jwks.json`, domain: poolId.replaceAll('_', '').toLowerCase() };
}

/** Every tenant has its own issuer, named by its id. */
function entra(origin: string, pathname: string): IdpKind {
  const [, tenant = ''] = /^\/([^/]+)\/oauth2\/v2\.0\/authorize$/.exec(pathname) ?? [];
  if (!GUID.test(tenant)) {
    return { kind: 'id_token', obstacle: 'write the tenant id (a GUID) into the addresses of Entra ID' };
  }
  const issuer = `${origin}/${tenant.toLowerCase()}/v2.0`;
  return { kind: 'id_token', issuer, jwksUrl: `${origin}/${tenant}/discovery/v2.0/keys` };
}
