import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { companyBrowser, type LoginCloud, logInAs, startLoginCloud } from '../support/login-cloud.ts';
import { type RawResponse, sendRaw } from '../support/raw-request.ts';
import { secretOf } from '../support/sallyport.ts';

/** As long as a redirect URI may be. */
const LONG_REDIRECT = `https://app.example.com/${'r'.repeat(1_976)}`;
/** As long as a state may be. */
const LONG_STATE = 's'.repeat(2_000);
const VERIFIER = 'v'.repeat(128);
const FORM = ['content-type', 'application/x-www-form-urlencoded'] as const;
const GRANT = 'grant_type=client_credentials';

let running: LoginCloud;

beforeAll(async () => {
  running = await startLoginCloud({
    clients: {
      'long-app': {
        org: 'acme',
        auth: 'none',
        grants: ['authorization_code'],
        scopes: ['desk/read', 'desk/execute'],
        redirect_uris: [LONG_REDIRECT],
      },
    },
    secretClients: {
      agent: {
        org: 'acme',
        grants: ['client_credentials'],
        scopes: ['desk/read'],
        audience: 'gateway',
        secret: { ref: 'sallyport/{stage}/clients/agent' },
      },
    },
  });
});
afterAll(() => running?.close());

const basic = (secret = secretOf('agent')) => ['authorization', `Basic ${btoa(`agent:${secret}`)}`] as const;

function ask(
  headers: readonly (readonly [string, string])[],
  body: string,
  target = '/oauth/token',
): Promise<RawResponse> {
  return sendRaw(running.cloud.origin, { method: 'POST', target, headers: [FORM, ...headers], body });
}

describe('through the API as it is deployed', () => {
  test('an honest request gets a token', async () => {
    expect((await ask([basic()], GRANT)).status).toBe(200);
  });

  test.for<readonly [string, readonly (readonly [string, string])[]]>([
    ['two Authorization headers', [basic(), basic()]],
    ['two Authorization headers, one bad', [basic('x'), basic()]],
    ['two Authorization headers, in two cases', [['Authorization', basic()[1]], basic()]],
    ['credentials of the ingress', [['x-authorization', basic()[1]]]],
    ['a bearer beside them', [['authorization', `${basic()[1]}, Bearer x`]]],
  ])('%s are no credentials', async ([, headers]) => {
    const answer = await ask(headers, GRANT);
    expect([answer.status, JSON.parse(answer.body).error]).toEqual([401, 'invalid_client']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test.for([
    '//oauth/token',
    '/OAUTH/token',
    '/oauth/token/',
    '/oauth%2ftoken',
    '/oauth/./token',
    '/oauth/token;x=y',
    '/oauth/token%00',
    '/./oauth/token',
    '/x/../oauth/token',
  ])('the token endpoint has one spelling, which is not %s', async (target) => {
    const answer = await ask([basic()], GRANT, target);
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toContain('access_token');
  });

  test.for([
    ['a form of 16 KB', 16_385],
    ['a body of more than API Gateway takes', 4_600_000],
  ] as const)('%s is too much', async ([, bytes]) => {
    const answer = await ask([basic()], `x=${'y'.repeat(bytes - 2)}`);
    expect(answer.status).toBe(413);
    expect(() => JSON.parse(answer.body)).not.toThrow();
  });

  test('a query of 11 KB is too much, and leads nowhere', async () => {
    const target = `/oauth/authorize?client_id=desk-app&state=${'s'.repeat(11_000)}`;
    const answer = await sendRaw(running.cloud.origin, { target });
    expect([answer.status, answer.headers.get('location')]).toEqual([413, undefined]);
  });
});

test('the longest request there may be goes all the way: consent, provider, code, token', async () => {
  const { origin } = running.cloud;
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'long-app',
    redirect_uri: LONG_REDIRECT,
    state: LONG_STATE,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${origin}/prices/mcp`,
  });
  const end = await logInAs(companyBrowser(LONG_REDIRECT), 'ada', `${origin}/oauth/authorize?${query}`);
  const answer = new URL(end.url);
  expect(answer.searchParams.get('state')).toBe(LONG_STATE);
  const redeemed = await ask(
    [],
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'long-app',
      code: answer.searchParams.get('code') ?? '',
      redirect_uri: LONG_REDIRECT,
      code_verifier: VERIFIER,
    }).toString(),
  );
  expect([redeemed.status, JSON.parse(redeemed.body)]).toMatchObject([
    200,
    { scope: 'desk/read desk/execute' },
  ]);
  expect(JSON.parse(redeemed.body)).not.toHaveProperty('refresh_token');
});

test('no log and no record holds a secret, a state or a verifier that was sent', () => {
  const written = JSON.stringify(running.cloud.audit()) + running.cloud.logOf('issuer');
  expect(running.cloud.audit().length).toBeGreaterThan(5);
  for (const secret of [
    secretOf('agent'),
    basic()[1].slice(6),
    LONG_STATE.slice(0, 64),
    VERIFIER.slice(0, 64),
  ]) {
    expect(written).not.toContain(secret);
  }
});
