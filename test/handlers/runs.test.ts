import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { VerifiedRunToken } from '../../functions/core/run-token.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const policy = policyOf({
  clients: [
    clientEntry('coordinator', { scopes: ['runs/issue'], runNamespaces: ['voyage-7', 'atlas'] }),
    clientEntry('rival', { scopes: ['runs/issue'], runNamespaces: ['voyage-7'] }),
    clientEntry('agent', { scopes: ['maps/read'], runNamespaces: ['voyage-7'] }),
    clientEntry('stranger', { org: 'globex', scopes: ['runs/issue'], runNamespaces: ['voyage-7'] }),
  ],
});

let app: IssuerApp;
let ids = 0;

beforeAll(async () => {
  app = await startIssuerApp(policy);
});

afterAll(() => app.close());

beforeEach(() => {
  app.records.length = 0;
  app.revoked.length = 0;
  app.nowSeconds = NOW_SECONDS;
});

const context = { namespace: 'voyage-7', scope_filters: { root_session_id: 's-1' } };

function freshId(): string {
  ids += 1;
  return `run-${ids}`;
}

async function call(
  path: string,
  { as = 'coordinator', body, method = 'POST' }: { as?: string; body?: unknown; method?: string } = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const claims = {
    sub: as,
    client_id: as,
    scope: 'runs/issue maps/read',
    ...(as === 'stranger' ? { org_id: 'globex' } : {}),
    iat: app.nowSeconds,
    exp: app.nowSeconds + 300,
  };
  const headers = {
    authorization: `Bearer ${app.issuer.accessToken(claims)}`,
    'content-type': 'application/json',
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await app.fetch(path, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const open = (changes: Record<string, unknown> = {}, as = 'coordinator') =>
  call('/runs', { as, body: { agent_name: 'pilot', context, ...changes } });

function claimsOf(token: unknown) {
  const verified = VerifiedRunToken.verify(String(token), {
    issuer: ORIGIN,
    keys: app.issuer.keys,
    nowSeconds: app.nowSeconds,
  });
  return verified.ok ? verified.value.claims : verified.error.detail;
}

/** The claims as a stranger reads them. */
function payloadOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
}

describe('opening a run', () => {
  test('gives a token with the scope of every service', async () => {
    const runId = freshId();
    const services = { charts: { namespace: 'atlas', chart_id: 'c-1' } };
    const opened = await open({ run_id: runId, services, permissions: ['read'], ttl: 600 });
    expect(opened).toMatchObject({ status: 201, body: { run_id: runId, expires_in: 600 } });
    const { service_token: token } = opened.body;
    expect(claimsOf(token)).toMatchObject({
      runId,
      orgId: 'acme',
      clientId: 'coordinator',
      permissions: ['read'],
      expiresAtSeconds: NOW_SECONDS + 600,
    });
    expect(payloadOf(token)).toMatchObject({
      iss: ORIGIN,
      sub: runId,
      aud: ['context-store', 'charts'],
      token_kind: 'run',
      services: { 'context-store': context, charts: services.charts },
    });
  });

  test('gives a split run one token for each service, and no service sees another’s scope', async () => {
    const services = { charts: { namespace: 'atlas', chart_id: 'c-1' } };
    const opened = await open({ services, split: true });
    const tokens = Object(opened.body['service_tokens']);
    expect(Object.keys(tokens)).toEqual(['context-store', 'charts']);
    expect(payloadOf(tokens.charts)).toMatchObject({ aud: 'charts', ...services.charts });
    expect(JSON.stringify(payloadOf(tokens.charts))).not.toContain('voyage-7');
    expect(payloadOf(tokens['context-store'])).toMatchObject({ aud: 'context-store', ...context });
  });

  test('makes an id where none is given', async () => {
    const [first, second] = [await open(), await open()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body['run_id']).not.toBe(second.body['run_id']);
  });

  test('is recorded before the token exists, with who and which run', async () => {
    const runId = freshId();
    await open({ run_id: runId });
    expect(app.records).toMatchObject([
      { area: 'token', decision: 'allow', client_id: 'coordinator', name: runId, method: 'run_token' },
    ]);
  });

  test('under an id that is taken is a conflict, in this organisation alone', async () => {
    const runId = freshId();
    const statuses = [];
    for (const as of ['coordinator', 'coordinator', 'rival', 'stranger']) {
      statuses.push((await open({ run_id: runId }, as)).status);
    }
    expect(statuses).toEqual([201, 409, 409, 201]);
  });

  test('of fifty at once under one id, exactly one', async () => {
    const runId = freshId();
    const answers = await Promise.all(Array.from({ length: 50 }, () => open({ run_id: runId })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    // Who finds the table too busy to answer is told so, and has no run either.
    expect(answers.filter(({ status }) => status !== 201 && status !== 409 && status !== 503)).toEqual([]);
  });

  test.for([
    ['for a namespace that is not the client’s', { context: { namespace: 'voyage-8' } }, 'coordinator', 403],
    ['for one such service', { services: { charts: { namespace: 'voyage-8' } } }, 'coordinator', 403],
    ['without the scope', {}, 'agent', 403],
    ['with an unknown member', { scope_filters: {} }, 'coordinator', 400],
  ] as const)('%s is refused', async ([, changes, as, status]) => {
    const answer = await open(changes, as);
    expect([answer.status, answer.body['service_token']]).toEqual([status, undefined]);
  });

  test('with a body that is no strict JSON is refused', async () => {
    const headers = {
      authorization: `Bearer ${app.issuer.accessToken({ sub: 'coordinator', client_id: 'coordinator', scope: 'runs/issue' })}`,
    };
    for (const body of ['', '{', '{"agent_name":"a","agent_name":"b"}', '\ufeff{}']) {
      expect((await app.fetch('/runs', { method: 'POST', headers, body })).status).toBe(400);
    }
  });

  test('without a token is 401', async () => {
    expect((await app.fetch('/runs', { method: 'POST', body: '{}' })).status).toBe(401);
  });
});

describe('a run', () => {
  test('is seen by its own client alone', async () => {
    const runId = freshId();
    await open({ run_id: runId });
    const seen = await call(`/runs/${runId}`, { method: 'GET' });
    expect(seen).toMatchObject({
      status: 200,
      body: { run_id: runId, status: 'open', agent_name: 'pilot', services: ['context-store'] },
    });
    for (const as of ['rival', 'stranger']) {
      for (const [path, method] of [
        [`/runs/${runId}`, 'GET'],
        [`/runs/${runId}/token`, 'POST'],
        [`/runs/${runId}/complete`, 'POST'],
      ] as const) {
        expect([as, path, (await call(path, { as, method })).status]).toEqual([as, path, 404]);
      }
    }
    expect((await call(`/runs/${runId}`, { as: 'agent', method: 'GET' })).status).toBe(403);
  });

  test('that does not exist, or cannot, is 404', async () => {
    for (const id of ['no-such-run', 'a%3Ab', `${'x'.repeat(200)}`]) {
      expect((await call(`/runs/${id}`, { method: 'GET' })).status).toBe(404);
    }
  });

  test('that is open gives fresh tokens', async () => {
    const opened = await open({ run_id: freshId(), ttl: 60 });
    app.nowSeconds += 50;
    const refreshed = await call(`/runs/${opened.body['run_id']}/token`);
    expect(refreshed).toMatchObject({ status: 200, body: { expires_in: 60 } });
    expect(claimsOf(refreshed.body['service_token'])).toMatchObject({ expiresAtSeconds: NOW_SECONDS + 110 });
    expect(payloadOf(refreshed.body['service_token'])['jti']).not.toBe(
      payloadOf(opened.body['service_token'])['jti'],
    );
  });

  test('that is completed gives none, and those that are out are revoked', async () => {
    const runId = freshId();
    await open({ run_id: runId });
    app.nowSeconds += 5;
    expect(await call(`/runs/${runId}/complete`)).toMatchObject({
      status: 200,
      body: { status: 'completed' },
    });
    expect(app.revoked).toMatchObject([
      { orgId: 'acme', kind: 'run', id: runId, beforeSeconds: NOW_SECONDS + 5 + 3600 },
    ]);
    expect((await call(`/runs/${runId}/token`)).status).toBe(409);
    expect((await call(`/runs/${runId}`, { method: 'GET' })).body).toMatchObject({
      status: 'completed',
      completed_at: NOW_SECONDS + 5,
    });
  });

  test('that is completed twice is revoked twice and keeps its first time', async () => {
    const runId = freshId();
    await open({ run_id: runId });
    await call(`/runs/${runId}/complete`);
    app.nowSeconds += 9;
    const again = await call(`/runs/${runId}/complete`);
    expect(again).toMatchObject({ status: 200, body: { completed_at: NOW_SECONDS } });
    expect(app.revoked).toHaveLength(2);
  });

  test('that is completed while it is refreshed fifty times leaves no token that is younger', async () => {
    const runId = freshId();
    await open({ run_id: runId });
    const refreshes = Array.from({ length: 50 }, () => call(`/runs/${runId}/token`));
    const completed = await call(`/runs/${runId}/complete`);
    const answers = await Promise.all(refreshes);
    const youngest = answers.flatMap(({ body }) =>
      body['service_token'] === undefined ? [] : [Number(payloadOf(body['service_token'])['iat'])],
    );
    const revokedBefore = app.revoked.map(({ beforeSeconds }) => beforeSeconds);
    if (completed.status === 200)
      expect(Math.max(0, ...youngest)).toBeLessThanOrEqual(Math.max(...revokedBefore));
    expect([200, 409]).toContain(completed.status);
    expect((await call(`/runs/${runId}/complete`)).status).toBe(200);
    expect((await call(`/runs/${runId}/token`)).status).toBe(409);
  });
});
