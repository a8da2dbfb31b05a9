import { assertionForm } from '../support/assertions.ts';
import { type ForeignTestKey, signForeign } from '../support/foreign-issuer.ts';
import { basic } from '../support/issuer-app.ts';
import { agentOf, authorizeUrl } from '../support/login-app.ts';
import { codeForm, putCode, REDIRECT_URI } from '../support/logins.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';
import type { World } from './world.ts';

/** What is to be used once, as it crosses between processes: a form to post, or a URL to open with a cookie. */
export type Prize = {
  readonly form?: Readonly<Record<string, string>>;
  readonly authorization?: string;
  readonly url?: string;
  readonly cookie?: string;
  readonly idToken?: string;
};

/** How one attempt ended; `outage` is an answer about a dependency. */
export type Ending = 'won' | 'lost' | 'outage';

/** A kind of thing that is used once: how one is made, honestly, for a round. */
export type Kind = {
  readonly name: string;
  prepare(world: World, key: ForeignTestKey): Promise<Prize>;
};

const IDP = 'https://corp.example.com';

const code: Kind = {
  name: 'codes',
  prepare: async ({ app }) => ({
    form: codeForm(await putCode({ records: app.ports.records, nowSeconds: NOW_SECONDS })),
    authorization: basic('desk'),
  }),
};

const refreshToken: Kind = {
  name: 'refresh-tokens',
  async prepare(world, key) {
    const { form = {}, authorization = '' } = await code.prepare(world, key);
    const response = await world.app.post('/oauth/token', form, authorization);
    const { refresh_token = '' } = JSON.parse(await response.text());
    return { form: { grant_type: 'refresh_token', refresh_token }, authorization };
  },
};

const clientAssertion: Kind = {
  name: 'client-assertions',
  prepare: (_, key) =>
    Promise.resolve({
      form: {
        grant_type: 'client_credentials',
        resource: `${ORIGIN}/maps/mcp`,
        ...assertionForm(key, 'signer'),
      },
    }),
};

const identityAssertion: Kind = {
  name: 'identity-assertions',
  prepare: (_, key) => {
    const claims = {
      iss: IDP,
      sub: 'sam',
      aud: ORIGIN,
      client_id: 'desk',
      jti: crypto.randomUUID(),
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      resource: `${ORIGIN}/maps/mcp`,
      groups: ['drivers'],
    };
    const assertion = signForeign(key, claims, { typ: 'oauth-id-jag+jwt' });
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    return Promise.resolve({ form: { grant_type, assertion }, authorization: basic('desk') });
  },
};

const loginState: Kind = {
  name: 'login-states',
  async prepare({ app }, key) {
    const browser = agentOf(app);
    const page = await browser.open(authorizeUrl({ redirect_uri: REDIRECT_URI }));
    const asked = new URL((await browser.submit(page)).url).searchParams;
    const claims = {
      iss: IDP,
      sub: 'sam',
      aud: 'sallyport',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      nonce: asked.get('nonce'),
      groups: ['drivers'],
    };
    const answer = new URLSearchParams({ state: asked.get('state') ?? '', code: 'idp-code' });
    return {
      url: `/oauth/callback/corp?${answer}`,
      cookie: Array.from(browser.cookies(ORIGIN), ([name, value]) => `${name}=${value}`).join('; '),
      idToken: signForeign(key, claims),
    };
  },
};

/** Everything that is redeemed exactly once. */
export const KINDS: readonly Kind[] = [code, refreshToken, clientAssertion, identityAssertion, loginState];

/** One attempt, from an address of its own: nobody's failures count against another's. */
export async function attempt(world: World, prize: Prize): Promise<Ending> {
  const { app } = world;
  const { form = {}, authorization, url, cookie = '', idToken = '' } = prize;
  world.idToken = idToken;
  app.sourceIp = crypto.randomUUID();
  const response = await (url === undefined
    ? app.post('/oauth/token', form, authorization)
    : app.fetch(url, { headers: { cookie } }));
  await response.body?.cancel();
  const isCode = new URL(response.headers.get('location') ?? 'x:').searchParams.has('code');
  if (response.status === 200 || isCode) return 'won';
  return response.status === 503 ? 'outage' : 'lost';
}
