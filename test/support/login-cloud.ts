import { BrowserAgent, type Shown } from './browser-agent.ts';
import { COMPANY_SECRET, type CompanyIdp, companyEntry, startCompanyIdp } from './idp-oidc.ts';
import { type Sallyport, startSallyport } from './sallyport.ts';
import { startToolServers, type ToolServers } from './tool-server.ts';

/** The whole local cloud with a company's identity provider, a server `prices` behind it, and the public client `desk-app`. */
export type LoginCloud = {
  readonly cloud: Sallyport;
  readonly idp: CompanyIdp;
  close(): Promise<void>;
};

/** Where the client `desk-app` is registered to get its codes. */
export const APP_REDIRECT = 'http://127.0.0.1:9/callback';

/** Starts one. `ada` trades, `bob` reads, `eve` is in no group that means anything. */
export async function startLoginCloud(
  more: {
    /** Clients beside `desk-app`; those of `secretClients` have the secret `{id}-secret`. */
    readonly clients?: Readonly<Record<string, unknown>>;
    readonly secretClients?: Readonly<Record<string, unknown>>;
    /** Who may be a client without an entry; as where nothing is said. */
    readonly registration?: unknown;
    /** Identity providers after `company`. */
    readonly idps?: Readonly<Record<string, unknown>>;
    /** As {@link startSallyport} understands it. */
    readonly hasOwnClock?: boolean;
  } = {},
): Promise<LoginCloud> {
  const upstream: ToolServers = await startToolServers({ prices: ['latest'] });
  const idp = await startCompanyIdp({ ada: ['traders'], bob: ['readers'], eve: ['visitors'] });
  const app = {
    org: 'acme',
    auth: 'none',
    grants: ['authorization_code', 'refresh_token'],
    scopes: ['desk/read', 'desk/execute'],
    redirect_uris: [APP_REDIRECT],
  };
  const look = ['initialize', 'tools/list'];
  const cloud = await startSallyport({
    hasOwnClock: more.hasOwnClock ?? false,
    clients: Object.keys(more.secretClients ?? {}),
    credentials: { 'sallyport/{stage}/env/COMPANY_IDP_SECRET': COMPANY_SECRET },
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {} } }),
      'scopes.yml': JSON.stringify({
        group_mappings: { traders: ['desk/read', 'desk/execute'], readers: ['desk/read'] },
        'desk/read': [{ server: 'prices', methods: look }],
        'desk/execute': [{ server: 'prices', methods: [...look, 'tools/call'], tools: ['latest'] }],
      }),
      'servers.yml': JSON.stringify({
        servers: { prices: { url: upstream.urlOf('prices'), private: true } },
      }),
      'clients.yml': JSON.stringify({
        clients: { 'desk-app': app, ...more.clients, ...more.secretClients },
        ...(more.registration === undefined ? {} : { registration: more.registration }),
      }),
      'idps.yml': JSON.stringify({ providers: { company: companyEntry(idp.issuer), ...more.idps } }),
    },
  });
  idp.open(cloud.origin);
  return {
    cloud,
    idp,
    async close() {
      await cloud.close();
      await Promise.all([upstream.close(), idp.close()]);
    },
  };
}

/** A browser that stops at a client's redirect URI. */
export function companyBrowser(redirectUri = APP_REDIRECT): BrowserAgent {
  return new BrowserAgent((url) => url.startsWith(redirectUri));
}

/** Goes through consent, login as `user`, and the provider's own consent; where it ends. */
export async function logInAs(browser: BrowserAgent, user: string, authorizeUrl: string): Promise<Shown> {
  let page = await browser.open(authorizeUrl);
  for (let step = 0; step < 4 && page.status === 200; step += 1) {
    page = await browser.submit(
      page,
      () => true,
      page.text.includes('name="login"') ? { login: user, password: 'x' } : {},
    );
  }
  return page;
}
