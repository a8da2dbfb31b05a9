import { createHash } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCarrier } from '../../local/demo/carrier.ts';

const GATEWAY = 'http://127.0.0.1:1';
const REDIRECT = `${GATEWAY}/connect/carrier/callback`;
const VERIFIER = 'v'.repeat(43);

let carrier: Awaited<ReturnType<typeof startCarrier>>;
beforeAll(async () => {
  carrier = await startCarrier({ port: 0, gateway: GATEWAY });
});
afterAll(() => carrier.close());

function ask(changes: Readonly<Record<string, string>> = {}): Promise<Response> {
  const query = new URLSearchParams({
    client_id: 'sallyport',
    response_type: 'code',
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    state: 's',
    ...changes,
  });
  return fetch(`${carrier.origin}/authorize?${query}`, { redirect: 'manual' });
}

async function answerTo(account: string): Promise<URLSearchParams> {
  return new URL((await ask({ account })).headers.get('location') ?? '').searchParams;
}

async function post(path: string, form: Readonly<Record<string, string>>) {
  const answer = await fetch(carrier.origin + path, { method: 'POST', body: new URLSearchParams(form) });
  const text = await answer.text();
  return { status: answer.status, tokens: text === '' ? {} : JSON.parse(text) };
}

async function connect(account = 'home') {
  const code = (await answerTo(account)).get('code') ?? '';
  return post('/token', {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    client_id: 'sallyport',
    code_verifier: VERIFIER,
  });
}

const refresh = (token: string) =>
  post('/token', { grant_type: 'refresh_token', refresh_token: token, client_id: 'sallyport' });

const me = (token: string) =>
  fetch(`${carrier.origin}/me`, { headers: { authorization: `Bearer ${token}` } });

test('asks which account, and sends nobody anywhere but to the gateway', async () => {
  expect(await (await ask()).text()).toContain('Yes, as ada@home.example');
  for (const [name, value] of [
    ['redirect_uri', `${GATEWAY}/elsewhere`],
    ['client_id', 'other'],
  ] as const) {
    const answer = await ask({ account: 'home', [name]: value });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  }
});

test('says with its name whether one agreed', async () => {
  expect(Object.fromEntries(await answerTo('home'))).toEqual({
    code: expect.any(String),
    state: 's',
    iss: carrier.origin,
  });
  expect(Object.fromEntries(await answerTo(''))).toMatchObject({ error: 'access_denied', state: 's' });
});

describe('a grant', () => {
  test('is of one account; its refresh token is good for one refresh', async () => {
    const { tokens } = await connect('work');
    expect(await (await me(tokens.access_token)).json()).toEqual({ id: 'work', login: 'desk@work.example' });
    const next = await refresh(tokens.refresh_token);
    expect((await me(next.tokens.access_token)).status).toBe(200);
    expect(await refresh(tokens.refresh_token)).toMatchObject({
      status: 400,
      tokens: { error: 'invalid_grant' },
    });
  });

  test('ends with all of its tokens when it is revoked', async () => {
    const { tokens } = await connect();
    expect((await post('/revoke', { token: tokens.refresh_token })).status).toBe(200);
    expect((await me(tokens.access_token)).status).toBe(401);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
  });

  test('is none of a code that was used, or of no refresh token', async () => {
    expect((await refresh('')).status).toBe(400);
    expect((await post('/token', { client_id: 'sallyport', code: 'x' })).status).toBe(400);
  });
});

test('its server lists its tools to anybody, and shows each account its own parcels', async () => {
  const call = async (token?: string) => {
    const client = new Client({ name: 'test', version: '1' });
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(carrier.url), { requestInit: { headers } }),
    );
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['my_parcels']);
    const result = await client.callTool({ name: 'my_parcels', arguments: {} });
    await client.close();
    return result;
  };
  expect(await call()).toMatchObject({ isError: true });
  const { tokens } = await connect();
  expect(JSON.stringify((await call(tokens.access_token)).content)).toContain('at the door');
  await expect(call('nobody')).rejects.toThrow();
});
