import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** A carrier: a third party with accounts of its own, at which users connect. Its authorization server is a certified one. */
export type Carrier = {
  readonly origin: string;
  /** Opens it for a gateway. */
  open(gateway: string): void;
  /** Every token that it has given, and how often it was asked for what. */
  readonly given: string[];
  readonly refreshes: { ok: number; refused: number };
  readonly revoked: string[];
  /** Ends the grants of an account, as its holder does at the carrier. */
  endGrantsOf(accountId: string): Promise<void>;
  close(): Promise<void>;
};

export const CARRIER_CLIENT = 'gateway-at-carrier';
export const CARRIER_SECRET = 'carrier-client-secret-0123456789abc';
/** So that every test sees refreshes. */
const ACCESS_SECONDS = 4;

/** Its entry in `providers.yml`. */
export function carrierEntry(origin: string) {
  return {
    display_name: 'Carrier',
    client_id: CARRIER_CLIENT,
    client_secret: { ref: 'sallyport/{stage}/providers/carrier' },
    auth_url: `${origin}/auth`,
    token_url: `${origin}/token`,
    user_info_url: `${origin}/me`,
    revocation_url: `${origin}/token/revocation`,
    issuer: origin,
    scopes: ['openid', 'offline_access', 'parcels.read'],
    additional_params: { prompt: 'consent' },
    private: true,
  };
}

/** Starts one. Anybody logs in with any password; `parcels` are the accounts' own. Refresh tokens rotate, and reuse ends the grant. */
export async function startCarrier(
  parcels: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Carrier> {
  let answer = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end();
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const given: string[] = [];
  const revoked: string[] = [];
  const refreshes = { ok: 0, refused: 0 };
  const grants = new Map<string, Set<string>>();
  let provider: Provider | undefined;

  const showParcel = async (request: IncomingMessage, response: ServerResponse, parcel: string) => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    const found = await provider?.AccessToken.find(token);
    const isGood = found?.isValid === true && found.scope?.split(' ').includes('parcels.read');
    const status = parcels[found?.accountId ?? '']?.[parcel];
    if (!isGood) response.writeHead(401).end();
    else if (status === undefined) response.writeHead(404).end();
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ parcel, status }));
  };

  return {
    origin,
    given,
    refreshes,
    revoked,
    open(gateway) {
      provider = new Provider(origin, {
        clients: [
          {
            client_id: CARRIER_CLIENT,
            client_secret: CARRIER_SECRET,
            redirect_uris: [`${gateway}/connect/carrier/callback`],
            grant_types: ['authorization_code', 'refresh_token'],
            token_endpoint_auth_method: 'client_secret_post',
          },
        ],
        scopes: ['openid', 'offline_access', 'parcels.read', 'parcels.write'],
        findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
        pkce: { required: () => true },
        rotateRefreshToken: true,
        issueRefreshToken: () => true,
        cookies: { keys: ['only-for-tests'] },
        jwks: { keys: [{ ...signingKey, kid: 'carrier-1', use: 'sig', alg: 'RS256' }] },
        ttl: {
          AccessToken: ACCESS_SECONDS,
          AuthorizationCode: 60,
          Grant: 600,
          IdToken: 60,
          Interaction: 600,
          RefreshToken: 600,
          Session: 600,
        },
        features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
      });
      provider.on('access_token.saved', ({ jti, accountId, grantId }) => {
        given.push(jti);
        if (accountId === undefined || grantId === undefined) return;
        grants.set(accountId, (grants.get(accountId) ?? new Set()).add(grantId));
      });
      provider.on('refresh_token.saved', ({ jti }) => given.push(jti));
      provider.on('refresh_token.destroyed', ({ jti }) => revoked.push(jti));
      provider.on('grant.revoked', (_, grantId) => revoked.push(grantId));
      provider.on('grant.success', ({ oidc }) => {
        if (oidc.params?.['grant_type'] === 'refresh_token') refreshes.ok += 1;
      });
      provider.on('grant.error', ({ oidc }) => {
        if (oidc.params?.['grant_type'] === 'refresh_token') refreshes.refused += 1;
      });
      const serve = provider.callback();
      answer = (request, response) => {
        const [, parcel] = /^\/api\/parcels\/([^/?]+)$/.exec(request.url ?? '') ?? [];
        if (parcel === undefined) serve(request, response);
        else void showParcel(request, response, decodeURIComponent(parcel));
      };
    },
    async endGrantsOf(accountId) {
      for (const grantId of grants.get(accountId) ?? []) {
        await provider?.RefreshToken.revokeByGrantId(grantId);
        await provider?.AccessToken.revokeByGrantId(grantId);
      }
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
