import { createHash } from 'node:crypto';
import type { BrowserAgent, Shown } from './browser-agent.ts';
import { COMPANY_SECRET, type CompanyIdp, companyEntry, startCompanyIdp } from './idp-oidc.ts';
import { APP_REDIRECT, companyBrowser, logInAs } from './login-cloud.ts';
import { CARRIER_SECRET, type Carrier, carrierEntry, startCarrier } from './oidc-carrier.ts';
import { type Sallyport, startSallyport } from './sallyport.ts';
import { startToolServers, type ToolServers } from './tool-server.ts';

/** The whole local cloud with a company's identity provider, a carrier at which its users connect, and the server `parcels` that works there in their name. */
export type ConnectCloud = {
  readonly cloud: Sallyport;
  readonly idp: CompanyIdp;
  readonly carrier: Carrier;
  readonly upstream: ToolServers;
  /** A token of a user, by a login in this browser through `desk-app`, for `parcels` or, without, for the gateway. */
  userToken(browser: BrowserAgent, user: string, resource?: 'parcels'): Promise<string>;
  /** Goes through a sign-in and the carrier's pages as one user, from whatever page of ours is open; where it ends. */
  goThrough(browser: BrowserAgent, page: Shown, user: string): Promise<Shown>;
  close(): Promise<void>;
};

const VERIFIER = 'v'.repeat(43);
const CALLING = ['initialize', 'tools/list', 'tools/call'];

/** What there is beside the server `parcels`, as the files of a configuration have it. `ada` and `bob` may call every tool of the servers. */
export type ConnectCloudMore = {
  readonly servers?: Readonly<Record<string, object>>;
  readonly services?: Readonly<Record<string, object>>;
  readonly clients?: Readonly<Record<string, object>>;
  readonly credentials?: Readonly<Record<string, string>>;
};

/** Starts one. `ada` and `bob` may call `parcels`, and have accounts at the carrier. */
export async function startConnectCloud({
  servers = {},
  services = {},
  clients = {},
  credentials = {},
}: ConnectCloudMore = {}): Promise<ConnectCloud> {
  const upstream = await startToolServers({ parcels: ['track'] });
  const idp = await startCompanyIdp({ ada: ['traders'], bob: ['traders'] });
  const carrier = await startCarrier({ ada: { 'p-1': 'on its way' }, bob: { 'p-2': 'lost' } });
  const app = {
    org: 'acme',
    display_name: 'Desk',
    auth: 'none',
    grants: ['authorization_code', 'refresh_token'],
    scopes: ['desk/use'],
    redirect_uris: [APP_REDIRECT, 'http://127.0.0.1/callback'],
  };
  const cloud = await startSallyport({
    clients: Object.keys(clients),
    credentials: {
      ...credentials,
      'sallyport/{stage}/env/COMPANY_IDP_SECRET': COMPANY_SECRET,
      'sallyport/{stage}/providers/carrier': CARRIER_SECRET,
    },
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {} } }),
      'scopes.yml': JSON.stringify({
        group_mappings: { traders: ['desk/use'] },
        'desk/use': [
          { server: 'parcels', methods: CALLING, tools: ['track'] },
          ...Object.keys(servers).map((server) => ({ server, methods: CALLING, tools: ['all'] })),
        ],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          ...servers,
          parcels: {
            url: upstream.urlOf('parcels'),
            private: true,
            egress: { mode: 'user_oauth', provider: 'carrier' },
          },
        },
      }),
      'services.yml': JSON.stringify({ services }),
      'providers.yml': JSON.stringify({ providers: { carrier: carrierEntry(carrier.origin) } }),
      'clients.yml': JSON.stringify({
        clients: {
          ...clients,
          'desk-app': app,
          cli: { ...app, display_name: 'Command line', audience: 'gateway' },
        },
      }),
      'idps.yml': JSON.stringify({ providers: { company: companyEntry(idp.issuer) } }),
    },
  });
  idp.open(cloud.origin);
  carrier.open(cloud.origin);
  return {
    cloud,
    idp,
    carrier,
    upstream,

    async userToken(browser, user, resource) {
      const clientId = resource === undefined ? 'cli' : 'desk-app';
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: APP_REDIRECT,
        code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
        code_challenge_method: 'S256',
        ...(resource === undefined ? {} : { resource: `${cloud.origin}/${resource}/mcp` }),
      });
      const end = await logInAs(browser, user, `${cloud.origin}/oauth/authorize?${query}`);
      const answer = await fetch(`${cloud.origin}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: clientId,
          code: new URL(end.url).searchParams.get('code') ?? '',
          redirect_uri: APP_REDIRECT,
          code_verifier: VERIFIER,
        }),
      });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`token endpoint: ${answer.status} ${text}`);
      return JSON.parse(text).access_token;
    },

    async goThrough(browser, page, user) {
      let shown = page;
      for (let step = 0; step < 8 && shown.text.includes('<form'); step += 1) {
        if (/ is connected – Sallyport/.test(shown.text)) return shown;
        const isLogin = shown.text.includes('name="login"');
        shown = await browser.submit(shown, () => true, isLogin ? { login: user, password: 'x' } : {});
      }
      return shown;
    },

    async close() {
      await cloud.close();
      await Promise.all([upstream.close(), idp.close(), carrier.close()]);
    },
  };
}

/** A browser of a user, which stops at the application's redirect URI. */
export const userBrowser = companyBrowser;
