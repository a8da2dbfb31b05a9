import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCompany } from '../../local/demo/company.ts';
import type { LoopbackServer } from '../../local/demo/loopback.ts';

const GATEWAY = 'http://127.0.0.1:1';
const REDIRECT = `${GATEWAY}/oauth/callback/company`;
const VERIFIER = 'v'.repeat(43);

let company: LoopbackServer;

beforeAll(async () => {
  company = await startCompany({ port: 0, gateway: GATEWAY });
});
afterAll(() => company.close());

function ask(changes: Readonly<Record<string, string>> = {}): Promise<Response> {
  const query = new URLSearchParams({
    client_id: 'sallyport',
    response_type: 'code',
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    state: 's',
    nonce: 'n',
    ...changes,
  });
  return fetch(`${company.origin}/authorize?${query}`, { redirect: 'manual' });
}

function redeem(code: string, changes: Readonly<Record<string, string>> = {}): Promise<Response> {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    client_id: 'sallyport',
    code_verifier: VERIFIER,
  };
  return fetch(`${company.origin}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...form, ...changes }),
  });
}

async function codeFor(person: string): Promise<string> {
  const answer = new URL((await ask({ person })).headers.get('location') ?? '');
  expect(answer.href.startsWith(`${REDIRECT}?`)).toBe(true);
  expect(answer.searchParams.get('state')).toBe('s');
  return answer.searchParams.get('code') ?? '';
}

test('asks who one is, and keeps what was asked in its buttons', async () => {
  const page = await (await ask({ state: '"><script>' })).text();
  expect(page).toContain('Ada, analyst');
  expect(page).toContain('name="redirect_uri"');
  expect(page).not.toContain('<script>');
});

test('says with a signature who it was, once', async () => {
  const code = await codeFor('ada');
  const { id_token } = JSON.parse(await (await redeem(code)).text());
  const keys = createRemoteJWKSet(new URL(`${company.origin}/keys`));
  const { payload } = await jwtVerify(id_token, keys, { issuer: company.origin, audience: 'sallyport' });
  expect(payload).toMatchObject({
    sub: 'ada',
    nonce: 'n',
    groups: ['analysts', 'customers'],
    email: 'ada@company.example',
  });
  expect((await redeem(code)).status).toBe(400);
});

test.for([
  [{ client_id: 'other' }],
  [{ response_type: 'token' }],
  [{ redirect_uri: 'http://127.0.0.1:1/elsewhere' }],
  [{ code_challenge_method: 'plain' }],
  [{ code_challenge: 'short' }],
] as const)('answers nobody who asks with %j', async ([changes]) => {
  const response = await ask({ person: 'ada', ...changes });
  expect([response.status, response.headers.get('location')]).toEqual([400, null]);
});

test.for([
  [{ code_verifier: 'w'.repeat(43) }],
  [{ client_id: 'other' }],
  [{ redirect_uri: 'http://127.0.0.1:1/elsewhere' }],
  [{ code: 'another' }],
] as const)('gives nothing for %j', async ([changes]) => {
  expect((await redeem(await codeFor('ada'), changes)).status).toBe(400);
});
