import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** A company's identity provider: a certified one, in this process, on loopback. */
export type CompanyIdp = {
  readonly issuer: string;
  /** Opens it for a gateway; before, it answers 503. */
  open(gateway: string): void;
  /** From now on it answers 503 again. */
  shut(): void;
  close(): Promise<void>;
};

/** Who works at the company, and in which groups. */
export type Staff = Readonly<Record<string, readonly string[]>>;

export const COMPANY_CLIENT = 'sallyport';
export const COMPANY_SECRET = 'company-idp-client-secret-0123456789';

/** Its entry in `idps.yml`. */
export function companyEntry(issuer: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    display_name: 'Company',
    client_id: COMPANY_CLIENT,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
    client_secret: '${COMPANY_IDP_SECRET}',
    auth_url: `${issuer}/auth`,
    token_url: `${issuer}/token`,
    jwks_url: `${issuer}/jwks`,
    issuer,
    scopes: ['openid', 'email'],
    username_claim: 'email',
    groups_claim: 'groups',
    private: true,
    ...changes,
  };
}

/** Starts one under the name that its entry has in `idps.yml`. Anybody of the staff logs in with any password. */
export async function startCompanyIdp(staff: Staff, name = 'company'): Promise<CompanyIdp> {
  const unavailable: RequestListener = (_, response) => void response.writeHead(503).end();
  let answer = unavailable;
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  return {
    issuer,
    open(gateway) {
      const provider = new Provider(issuer, {
        clients: [
          {
            client_id: COMPANY_CLIENT,
            client_secret: COMPANY_SECRET,
            redirect_uris: [`${gateway}/oauth/callback/${name}`],
            token_endpoint_auth_method: 'client_secret_post',
          },
        ],
        // What the user is goes into the id token, as companies' providers put it there.
        conformIdTokenClaims: false,
        claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'] },
        findAccount: (_, accountId) => ({
          accountId,
          claims: () => ({
            sub: accountId,
            groups: staff[accountId] ?? [],
            email: `${accountId}@company.example`,
            email_verified: true,
          }),
        }),
        pkce: { required: () => true },
        cookies: { keys: ['only-for-tests'] },
        jwks: { keys: [{ ...signingKey, kid: 'company-1', use: 'sig', alg: 'RS256' }] },
        ttl: {
          AccessToken: 60,
          AuthorizationCode: 60,
          Grant: 600,
          IdToken: 60,
          Interaction: 600,
          Session: 600,
        },
        features: { devInteractions: { enabled: true } },
      });
      answer = provider.callback();
    },
    shut() {
      answer = unavailable;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
