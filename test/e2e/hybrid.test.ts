import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Order, startOrders } from '../../local/demo/orders.ts';
import { BrowserAgent, type Shown } from '../support/browser-agent.ts';
import { COMPANY_SECRET, type CompanyIdp, companyEntry, startCompanyIdp } from '../support/idp-oidc.ts';
import { APP_REDIRECT, logInAs } from '../support/login-cloud.ts';
import { CARRIER_SECRET, type Carrier, carrierEntry, startCarrier } from '../support/oidc-carrier.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

/** Two users of the company; each has an account of another name at the carrier. */
const ORDERS: Readonly<Record<string, Order>> = {
  'o-1': { customer: 'company:ada', item: 'a lathe', parcel: 'p-1' },
  'o-2': { customer: 'company:bob', item: 'a lamp', parcel: 'p-2' },
};
const PARCELS = { 'ada@home': { 'p-1': 'on the road' }, 'bob@home': { 'p-2': 'delivered' } };
const PORT = 0;

let cloud: Sallyport;
let idp: CompanyIdp;
let carrier: Carrier;
let orders: Awaited<ReturnType<typeof startOrders>>;
let origin = '';

beforeAll(async () => {
  idp = await startCompanyIdp({ ada: ['staff'], bob: ['staff'] });
  carrier = await startCarrier(PARCELS);
  // It learns the gateway's origin when that is known; the gateway has to know its address before.
  orders = await startOrders({
    get origin() {
      return origin;
    },
    port: PORT,
    carrierUrl: `${carrier.origin}/api`,
    orders: ORDERS,
  });
  const app = {
    org: 'acme',
    auth: 'none',
    grants: ['authorization_code'],
    scopes: ['orders/use'],
    audience: 'gateway',
    redirect_uris: [APP_REDIRECT],
  };
  cloud = await startSallyport({
    clients: ['robot'],
    credentials: {
      'sallyport/{stage}/env/COMPANY_IDP_SECRET': COMPANY_SECRET,
      'sallyport/{stage}/providers/carrier': CARRIER_SECRET,
    },
    config: {
      'orgs.yml': JSON.stringify({ orgs: { acme: {} } }),
      'scopes.yml': JSON.stringify({
        group_mappings: { staff: ['orders/use'] },
        'orders/use': [
          { server: 'orders', methods: ['initialize', 'tools/list', 'tools/call'], tools: ['track_order'] },
        ],
      }),
      'servers.yml': JSON.stringify({
        servers: {
          orders: { url: orders.url, private: true, egress: { mode: 'hybrid', provider: 'carrier' } },
        },
      }),
      'providers.yml': JSON.stringify({ providers: { carrier: carrierEntry(carrier.origin) } }),
      'clients.yml': JSON.stringify({
        clients: {
          desk: app,
          robot: {
            org: 'acme',
            secret: { ref: 'sallyport/{stage}/clients/robot' },
            grants: ['client_credentials'],
            scopes: ['orders/use'],
            audience: 'gateway',
          },
        },
      }),
      'idps.yml': JSON.stringify({ providers: { company: companyEntry(idp.issuer) } }),
    },
  });
  origin = cloud.origin;
  idp.open(origin);
  carrier.open(origin);
});

afterAll(async () => {
  await cloud?.close();
  await Promise.all([orders?.close(), carrier?.close(), idp?.close()]);
});

/** Somebody at a browser, and the token of the client that acts for them. */
type Person = { readonly browser: BrowserAgent; readonly token: string };

async function signIn(user: string): Promise<Person> {
  const browser = new BrowserAgent((url) => url.startsWith(APP_REDIRECT));
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'desk',
    redirect_uri: APP_REDIRECT,
    state: 's',
    scope: 'orders/use',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const end = await logInAs(browser, user, `${origin}/oauth/authorize?${query}`);
  const code = new URL(end.url).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', client_id: 'desk', code, redirect_uri: APP_REDIRECT };
  const answer = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...form, code_verifier: verifier }),
  });
  const { access_token: token } = JSON.parse(await answer.text());
  return { browser, token };
}

type Answer = {
  readonly result?: {
    readonly structuredContent?: unknown;
    readonly isError?: boolean;
    readonly content?: unknown;
  };
  readonly error?: {
    readonly code: number;
    readonly data?: { readonly elicitations?: readonly { readonly url: string }[] };
  };
};

/** Asks where an order is, as a client of the `initialize` era; that server keeps no session. */
async function track(token: string, order: string): Promise<Answer> {
  const response = await fetch(`${origin}/orders/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'track_order', arguments: { order } },
    }),
  });
  const text = await response.text();
  const [, event] = /^data: (\{.*\})$/m.exec(text) ?? [];
  return JSON.parse(event ?? text);
}

/** The page on which the caller is asked to connect. */
function askedAt(answer: Answer): string {
  expect(answer.error?.code).toBe(-32042);
  return answer.error?.data?.elicitations?.[0]?.url ?? '';
}

/** Opens the page, agrees, logs in at the carrier as `account` and agrees there; the page at which it ends. */
async function connectAt(browser: BrowserAgent, url: string, account: string): Promise<Shown> {
  let page = await browser.open(url);
  const isOurs = (shown: Shown) => shown.url.startsWith(origin);
  page = await browser.submit(page);
  for (let step = 0; step < 4 && !isOurs(page) && page.status === 200; step += 1) {
    const isLogin = page.text.includes('name="login"');
    page = await browser.submit(page, () => true, isLogin ? { login: account, password: 'x' } : {});
  }
  return page;
}

describe('an order server that needs to know who calls, and the caller’s own account at the carrier', () => {
  let ada: Person;

  test('asks for the account first, and after connecting the same call says where the order is', async () => {
    ada = await signIn('ada');
    const url = askedAt(await track(ada.token, 'o-1'));
    expect(url.startsWith(`${origin}/connect/carrier?`)).toBe(true);
    const end = await connectAt(ada.browser, url, 'ada@home');
    expect(end.status).toBe(200);
    const answer = await track(ada.token, 'o-1');
    expect(answer.result?.structuredContent).toEqual({
      order: 'o-1',
      item: 'a lathe',
      status: 'on the road',
    });
  });

  test('shows nobody the order of somebody else: the identity decides, whatever the carrier would show', async () => {
    const answer = await track(ada.token, 'o-2');
    expect(answer.result).toMatchObject({ isError: true, content: [{ text: 'you have no order o-2' }] });
  });

  test('gives each user the account that is theirs', async () => {
    const bob = await signIn('bob');
    const url = askedAt(await track(bob.token, 'o-2'));
    await connectAt(bob.browser, url, 'bob@home');
    expect((await track(bob.token, 'o-2')).result?.structuredContent).toMatchObject({ status: 'delivered' });
    expect((await track(ada.token, 'o-1')).result?.structuredContent).toMatchObject({
      status: 'on the road',
    });
  });

  test('is called by no agent of its own: it has no account', async () => {
    const robot = await cloud.token('robot');
    const answer = await track(robot, 'o-1');
    expect(answer.result).toMatchObject({ isError: true });
    expect(JSON.stringify(answer)).not.toContain('/connect/');
  });

  test('goes on through any number of refreshes, whose tokens rotate, and no refresh token is used twice', async () => {
    const before = carrier.refreshes.ok;
    await vi.waitFor(
      async () => {
        const answers = await Promise.all(Array.from({ length: 3 }, () => track(ada.token, 'o-1')));
        for (const { result } of answers)
          expect(result?.structuredContent).toMatchObject({ status: 'on the road' });
        expect(carrier.refreshes.ok - before).toBeGreaterThanOrEqual(2);
      },
      { timeout: 90_000, interval: 500 },
    );
    expect(carrier.refreshes.refused).toBe(0);
  }, 120_000);

  test('leaves no token of the carrier’s in records, logs or tables', () => {
    const files = filesOf(cloud.dataDirectory).map((path) => readFileSync(path));
    expect(carrier.given.length).toBeGreaterThan(4);
    expect(files.some((bytes) => bytes.includes('wrappedKey'))).toBe(true);
    for (const token of [...carrier.given, CARRIER_SECRET]) {
      const places = files.filter((bytes) => bytes.includes(token));
      // The client's secret is where it was put: in Secrets Manager.
      expect(places).toHaveLength(token === CARRIER_SECRET ? 1 : 0);
    }
  });

  test('asks again once the account’s holder has ended it at the carrier, and connects again', async () => {
    await carrier.endGrantsOf('ada@home');
    const url = await vi.waitFor(async () => askedAt(await track(ada.token, 'o-1')), {
      timeout: 60_000,
      interval: 500,
    });
    await connectAt(ada.browser, url, 'ada@home');
    expect((await track(ada.token, 'o-1')).result?.structuredContent).toMatchObject({
      status: 'on the road',
    });
  }, 120_000);

  test('asks again after disconnecting, which the carrier hears of', async () => {
    const before = carrier.revoked.length;
    const answer = await fetch(`${origin}/connections/carrier`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ada.token}` },
    });
    expect(await answer.json()).toEqual({ revoked: true });
    expect(carrier.revoked.length).toBeGreaterThan(before);
    askedAt(await track(ada.token, 'o-1'));
  });
});

function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('assembly'))
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}
