import { sign } from 'node:crypto';
import type { EgressMode, ServerEntry } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';
import { measureModesInCloud } from './modes-in-cloud.ts';
import { median } from './statistics.ts';

const MODES = ['none', 'passthrough', 'identity', 'service_account', 'user_oauth', 'hybrid'] as const;
const ROUNDS = 25;
const CALLS_PER_ROUND = 200;
const OWN_TOKEN = 'Bearer token-of-the-provider-0123456789';
const CALL =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"latest","arguments":{"text":"x"}}}';
const ANSWER = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"42"}]}}');

/** What each egress mode adds to `none`: CPU and time in the gateway's handler, and time through the local cloud. */
export async function measureModes(assemblyDirectory: string): Promise<void> {
  const handler = await measureHandlers();
  const cloud = await measureModesInCloud(assemblyDirectory);
  console.log(
    '\negress mode, tools/call          CPU µs   of none   handler ms   of none   cloud ms   of none',
  );
  for (const mode of MODES) {
    const { cpuMicros, elapsedMs } = handler.get(mode) ?? { cpuMicros: [], elapsedMs: [] };
    const none = handler.get('none') ?? { cpuMicros: [], elapsedMs: [] };
    const through = cloud.get(mode);
    const cells = [
      ...ratio(cpuMicros, none.cpuMicros, 0),
      ...ratio(elapsedMs, none.elapsedMs, 3),
      ...(through === undefined ? [] : ratio(through, cloud.get('none') ?? [], 2)),
    ];
    console.log(`${mode.padEnd(30)}${cells.map((cell) => cell.padStart(10)).join('')}`);
  }
}

/** The median of some figures, and how many times the other median it is. */
function ratio(figures: readonly number[], others: readonly number[], digits: number): readonly string[] {
  return [median(figures).toFixed(digits), `${(median(figures) / median(others)).toFixed(2)}×`];
}

type Figures = { readonly cpuMicros: number[]; readonly elapsedMs: number[] };

/** In turns, so that every mode sees the same machine. Secrets and connections answer from memory, as they do when they are cached. */
async function measureHandlers(): Promise<ReadonlyMap<EgressMode, Figures>> {
  const issuer = new TestIssuer();
  const gateway = createBenchGateway(issuer);
  const token = issuer.accessToken({ sub: 'corp:ana', groups: ['desk'], scope: 'all/execute' });
  const figures = new Map<EgressMode, Figures>(MODES.map((mode) => [mode, { cpuMicros: [], elapsedMs: [] }]));
  for (let round = -5; round < ROUNDS; round += 1) {
    for (const [mode, { cpuMicros, elapsedMs }] of figures) {
      const before = process.cpuUsage();
      const startedAt = performance.now();
      for (let call = 0; call < CALLS_PER_ROUND; call += 1) await callGateway(gateway, mode, token);
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      cpuMicros.push((user + system) / CALLS_PER_ROUND);
      elapsedMs.push((performance.now() - startedAt) / CALLS_PER_ROUND);
    }
  }
  return figures;
}

async function callGateway(
  gateway: ReturnType<typeof gatewayWith>,
  mode: EgressMode,
  token: string,
): Promise<void> {
  const request = new Request(`${ORIGIN}/${nameOf(mode)}/mcp`, {
    method: 'POST',
    headers: {
      'x-authorization': `Bearer ${token}`,
      authorization: OWN_TOKEN,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: CALL,
  });
  const response = await gateway.fetch(request, invocationOf());
  const text = await response.text();
  if (!text.includes('"42"')) throw new Error(`unexpected answer to ${mode}: ${response.status} ${text}`);
}

/** The name of the server that is called in a mode. */
function nameOf(mode: EgressMode): string {
  return `in-${mode.replace('_', '-')}`;
}

function createBenchGateway(issuer: TestIssuer): ReturnType<typeof gatewayWith> {
  const servers: readonly ServerEntry[] = MODES.map((mode) =>
    serverEntry(nameOf(mode), { egress: { mode, key: 'client', fallback: 'none', provider: 'desk' } }),
  );
  const policy = policyOf({
    scopes: [['all/execute', servers.map(({ name }) => scopeRule(name, ['tools/call'], ['latest']))]],
    servers,
    clients: [clientEntry('courier', { scopes: ['all/execute'] })],
    groups: [['desk', ['all/execute']]],
    idps: [identityProvider('corp')],
    providers: [
      {
        name: 'desk',
        displayName: 'Desk',
        org: undefined,
        private: false,
        clientId: 'gate',
        clientSecretName: undefined,
        tokenAuth: 'client_secret_post',
        authUrl: 'https://desk.example.com/authorize',
        tokenUrl: 'https://desk.example.com/token',
        scopes: ['read'],
        scopeSeparator: ' ',
        authParams: [],
        tokenHeaders: [],
        pkce: true,
      },
    ],
  });
  const secret = { value: new Secret('{"type":"bearer","token":"upstream-key-0123456789"}'), versionId: '1' };
  const connection = { token: new Secret('connection-token-0123456789'), version: 'v1', cloudIds: [] };
  return gatewayWith({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    credentials: createCredentials({
      ...NO_TOKEN_ENDPOINT,
      connections: { accessToken: () => Promise.resolve(ok(connection)) },
      sealer: () => Promise.resolve(undefined),
      secrets: { read: () => Promise.resolve(ok(secret)) },
      identityKey: {
        publicKey: () => Promise.resolve(ok(issuer.identity.published)),
        sign: (input) => {
          const signature = sign('RSA-SHA256', Buffer.from(input), issuer.identity.privateKey);
          return Promise.resolve(ok(signature.toString('base64url')));
        },
      },
      stage: 'bench',
      now: () => NOW_SECONDS * 1000,
    }),
    upstream: {
      send: () => {
        const headers = new Map([['content-type', 'application/json']]);
        return Promise.resolve(ok({ status: 200, headers, body: new Blob([ANSWER]).stream() }));
      },
    },
  });
}
