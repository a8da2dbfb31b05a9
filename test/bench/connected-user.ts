import { createHash, randomBytes } from 'node:crypto';
import type { startCarrier } from '../../local/demo/carrier.ts';
import type { startCompany } from '../../local/demo/company.ts';
import { BrowserAgent } from '../support/browser-agent.ts';

const CALLBACK = 'http://127.0.0.1/callback';

/** Where the user logs in and connects: the demo's own company and carrier. */
export type UserPlaces = {
  readonly company: Awaited<ReturnType<typeof startCompany>>;
  readonly carrier: Awaited<ReturnType<typeof startCarrier>>;
};

/** What a configuration says of those places, and of the client `person` through which the user logs in. */
export function userConfiguration({ company, carrier }: UserPlaces) {
  return {
    clients: {
      person: {
        auth: 'none',
        grants: ['authorization_code'],
        redirect_uris: [CALLBACK],
        audience: 'gateway',
        scopes: ['all/execute'],
      },
    },
    idps: {
      company: {
        enabled: true,
        client_id: 'sallyport',
        issuer: company.origin,
        auth_url: `${company.origin}/authorize`,
        token_url: `${company.origin}/token`,
        jwks_url: `${company.origin}/keys`,
        private: true,
        scopes: ['openid', 'email'],
        groups_claim: 'groups',
      },
    },
    providers: {
      carrier: {
        client_id: 'sallyport',
        auth_url: `${carrier.origin}/authorize`,
        token_url: `${carrier.origin}/token`,
        user_info_url: `${carrier.origin}/me`,
        issuer: carrier.origin,
        scopes: ['parcels.read'],
        private: true,
      },
    },
  };
}

/** The access token of a user who has logged in, and has connected an account at the carrier. */
export async function connectedUser(origin: string): Promise<string> {
  const browser = new BrowserAgent((url) => url.startsWith(`${CALLBACK}?`));
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'person',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const atCompany = await browser.submit(await browser.open(`${origin}/oauth/authorize?${query}`));
  const back = await browser.submit(atCompany, (text) => text.startsWith('Ada'));
  const issued = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'person',
      code: new URL(back.url).searchParams.get('code') ?? '',
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    }),
  });
  const { access_token: token } = JSON.parse(await issued.text());
  const headers = { authorization: `Bearer ${token}` };
  const begun = await fetch(`${origin}/connections/carrier`, { method: 'POST', headers });
  const page = await browser.open(JSON.parse(await begun.text()).url);
  const atCarrier = await browser.submit(page, (text) => text.startsWith('Connect at'));
  const done = await browser.submit(atCarrier, (text) => text.startsWith('Yes'));
  if (!done.text.includes('is connected')) throw new Error(`nothing was connected: ${done.status}`);
  return token;
}
