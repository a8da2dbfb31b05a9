import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { UpstreamRequest, UpstreamResponse } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { Connections } from '../../functions/handlers/connections/connections.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { CARRIER } from '../support/carrier.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { identityProvider } from '../support/logins.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const issuer = new TestIssuer();
const AUDIENCE = 'https://fin.internal.example.com/mcp';

type Mode = 'none' | 'service_account' | 'user_oauth';

/** The egress gateway over an API that answers `answers` in their order, and what came of one request to it. */
async function ask(
  method: string,
  answers: readonly Partial<UpstreamResponse>[],
  {
    mode = 'none',
    keys = ['key-0'],
    visibility,
    teams,
    behind = {},
    accessToken = NO_CONNECTIONS.connections.accessToken,
  }: {
    mode?: Mode;
    keys?: readonly string[];
    visibility?: string;
    teams?: readonly string[];
    /** Claims of whoever called the server. */
    behind?: Readonly<Record<string, unknown>>;
    accessToken?: Connections['accessToken'];
  } = {},
) {
  const { timeout } = serverEntry('fin');
  const policy = policyOf({
    scopes: [['fin/use', [scopeRule('fin', ['tools/call'], ['all'])]]],
    servers: [serverEntry('fin')],
    services: [
      {
        name: 'api',
        url: 'https://api.example.com',
        org: undefined,
        private: false,
        egress: { mode, key: 'client', fallback: 'none', provider: 'carrier' },
        headers: [],
        timeout,
        usedBy: ['fin'],
        allow: [{ method: '*', path: '/**' }],
        ...(visibility === undefined ? {} : { visibility }),
      },
    ],
    clients: [clientEntry('fin-server', { server: 'fin' }), clientEntry('courier', { scopes: ['fin/use'] })],
    groups: [['staff', ['fin/use']]],
    idps: [identityProvider('corp')],
    providers: [CARRIER],
    teams: [
      { org: 'acme', name: 'desk', members: ['courier'], groups: [], parent: undefined, inherit: false },
    ],
  });
  const sent: UpstreamRequest[] = [];
  const records: AuditRecord[] = [];
  const pending: Promise<unknown>[] = [];
  const waiting = [...answers];
  const secrets = [...keys];
  const gateway = gatewayWith({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    audit: {
      async write(record) {
        records.push(record);
        return ok(undefined);
      },
    },
    credentials: createCredentials({
      connections: { accessToken },
      sealer: async () => new Sealer([randomBytes(32).toString('hex')]),
      ...NO_TOKEN_ENDPOINT,
      secrets: {
        async read() {
          const token = secrets.length > 1 ? secrets.shift() : secrets[0];
          return ok({
            value: new Secret(JSON.stringify({ type: 'bearer', token })),
            versionId: String(token),
          });
        },
      },
      identityKey: {
        publicKey: async () => ok(issuer.identity.published),
        sign: () => Promise.reject(new Error('nothing is signed here')),
      },
      stage: 'test',
      now: () => NOW_SECONDS * 1000,
    }),
    upstream: {
      async send(request) {
        sent.push(request);
        return ok({ status: 200, headers: new Map(), body: failed(), ...waiting.shift() });
      },
    },
  });
  const server = { sub: 'fin-server', client_id: 'fin-server' };
  const delegation = issuer.sign(
    issuer.header({}, issuer.identity),
    issuer.claims({ aud: AUDIENCE, scope: 'fin/use', token_kind: 'identity', teams, ...behind }),
    issuer.identity,
  );
  const headers = { authorization: `Bearer ${issuer.accessToken(server)}`, 'x-delegation': delegation };
  const response = await gateway.fetch(
    new Request(`${ORIGIN}/egress/api/v1/x`, { method, headers }),
    invocationOf({ waitUntil: (work) => void pending.push(work) }),
  );
  const outcomes = async () => {
    await Promise.all(pending);
    return records.filter(({ event }) => event === 'outcome').map(({ reason }) => reason);
  };
  return { response, sent, outcomes };
}

/** A body that has failed before anybody read of it. */
function failed(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.error(new Error('the API broke off')) });
}

/** A body of these chunks, which then ends as it is told, and remembers whether it was let go. */
function bodyOf(chunks: readonly string[], last: 'end' | 'fail' | 'wait' = 'end') {
  const seen = { isCancelled: false };
  const waiting = chunks.map((chunk) => Buffer.from(chunk));
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = waiting.shift();
        if (chunk !== undefined) controller.enqueue(chunk);
        else if (last === 'end') controller.close();
        else if (last === 'fail') controller.error(new Error('the API broke off'));
        return last === 'wait' && chunk === undefined ? new Promise<void>(() => {}) : undefined;
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

describe('an answer', () => {
  test('is passed on, and its end is recorded', async () => {
    const { response, outcomes } = await ask('GET', [bodyOf(['a', 'b'])]);
    expect([response.status, await response.text()]).toEqual([200, 'ab']);
    expect(await outcomes()).toEqual(['complete']);
  });

  test.for<readonly [string, number]>([
    ['HEAD', 200],
    ['HEAD', 404],
    ['GET', 204],
    ['GET', 304],
    ['POST', 205],
  ])('to %s with %i has no body: what comes is let go, and the end is recorded', async ([method, status]) => {
    const { body, seen } = bodyOf(['what nobody reads'], 'wait');
    const { response, sent, outcomes } = await ask(method, [{ status, body }]);
    expect([response.status, response.body]).toEqual([status, null]);
    expect(sent.map((request) => request.method)).toEqual([method]);
    expect(seen.isCancelled).toBe(true);
    expect(await outcomes()).toEqual(['complete']);
  });

  test('that breaks off does not look complete', async () => {
    const { response, outcomes } = await ask('GET', [bodyOf(['half of'], 'fail')]);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('half of');
    await expect(reader?.read()).rejects.toThrow('the API broke off');
    expect(await outcomes()).toEqual(['failed']);
  });
});

describe('a service that is not for all', () => {
  test.for<readonly [string, readonly string[] | undefined, number]>([
    ['org', undefined, 200],
    ['team:desk', ['desk'], 200],
    ['team:desk', [], 404],
    ['team:desk', undefined, 404],
    ['team:other', ['desk', 'other'], 404],
    ['private:courier', [], 200],
    ['private:courier', undefined, 404],
    ['private:fin-server', ['desk'], 404],
  ])('(%s) is there for a delegation of the teams %j: %i', async ([visibility, teams, status]) => {
    const { response, sent } = await ask('GET', [bodyOf(['a'])], {
      visibility,
      ...(teams === undefined ? {} : { teams }),
    });
    expect([response.status, sent.length]).toEqual([status, status === 200 ? 1 : 0]);
  });
});

describe('a body that has failed already, where nobody reads it,', () => {
  test.for<readonly [string, number]>([
    ['GET', 204],
    ['HEAD', 200],
  ])('leaves %s its %i', async ([method, status]) => {
    const { response } = await ask(method, [{ status }]);
    expect(response.status).toBe(status);
  });

  test('in an encoding that nobody asked for is a 502', async () => {
    const { response } = await ask('GET', [{ headers: new Map([['content-encoding', 'gzip']]) }]);
    expect(response.status).toBe(502);
  });

  test('of a 401 does not stand in the way of the rotated credential', async () => {
    const answers = [{ status: 401 }, bodyOf(['fresh'])];
    const { response, sent } = await ask('GET', answers, {
      mode: 'service_account',
      keys: ['key-old', 'key-new'],
    });
    expect([response.status, await response.text()]).toEqual([200, 'fresh']);
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer key-old',
      'Bearer key-new',
    ]);
  });

  test('of a 401 leaves the second failure as it is', async () => {
    const encoded = { headers: new Map([['content-encoding', 'br']]) };
    const { response } = await ask('GET', [{ status: 401 }, encoded], {
      mode: 'service_account',
      keys: ['key-old', 'key-new'],
    });
    expect(response.status).toBe(502);
  });
});

describe('an API that is called with the account of whoever called the server', () => {
  const ana = { sub: 'corp:ana', groups: ['staff'] };

  test('gets the token of the user of the delegation, and the server never sees it', async () => {
    const owners: unknown[] = [];
    const kept: string[] = [];
    const { response, sent, outcomes } = await ask('GET', [bodyOf(['an echo of ana-token-0123456789'])], {
      mode: 'user_oauth',
      behind: ana,
      async accessToken(owner, { name }, { waitUntil, ...need }) {
        owners.push([owner, name, need]);
        waitUntil?.(Promise.resolve().then(() => kept.push('refreshed')));
        return ok({ token: new Secret('ana-token-0123456789'), version: 'v1', cloudIds: [] });
      },
    });
    expect(owners).toEqual([
      [{ orgId: 'acme', subject: 'corp:ana' }, 'carrier', { scopes: ['parcels.read'], refused: undefined }],
    ]);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer ana-token-0123456789');
    expect(await response.text()).toBe('an echo of [redacted]');
    await outcomes();
    expect(kept).toEqual(['refreshed']);
  });

  test('is not called without one: the server is told where its user connects', async () => {
    const { response, sent } = await ask('GET', [], { mode: 'user_oauth', behind: ana });
    expect(response.status).toBe(403);
    expect(JSON.parse(await response.text())).toMatchObject({
      code: 'failed_precondition',
      connect_url: expect.stringMatching(/^https:.*\/connect\/carrier\?/),
    });
    expect(sent).toEqual([]);
  });

  test('is not called for an agent', async () => {
    const { response, sent } = await ask('GET', [], { mode: 'user_oauth' });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('/connect/');
    expect(sent).toEqual([]);
  });

  test('is asked once more with a fresh token after a 401', async () => {
    const tokens = ['first-token-0123', 'second-token-0123'];
    const { response, sent } = await ask(
      'POST',
      [{ status: 401, body: bodyOf(['']).body }, bodyOf(['done'])],
      {
        mode: 'user_oauth',
        behind: ana,
        accessToken: async (_, __, { refused }) =>
          ok({
            token: new Secret(tokens[refused === 'v1' ? 1 : 0] ?? ''),
            version: refused === 'v1' ? 'v2' : 'v1',
            cloudIds: [],
          }),
      },
    );
    expect(await response.text()).toBe('done');
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(
      tokens.map((one) => `Bearer ${one}`),
    );
  });
});
