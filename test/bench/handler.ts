import { ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const CALLS = 10_000;
const WARM_UP = 2_000;
const ANSWER = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"42"}]}}');
const CALL =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"latest","arguments":{"ticker":"AAPL"}}}';

/**
 * The gateway's handler alone, its ports answering from memory: what a request costs in CPU before AWS and the network, and
 * how much of it remains when the token is new each time.
 */
export async function measureHandler(): Promise<void> {
  const issuer = new TestIssuer();
  const gateway = createBenchGateway(issuer);
  const tokens = Array.from({ length: 1_000 }, (_, index) =>
    issuer.accessToken({ jti: `j-${index}`, scope: 'prices/execute' }),
  );
  const known = await measure(gateway, () => tokens[0] ?? '');
  const fresh = await measure(
    createBenchGateway(issuer),
    (call) => tokens[call % tokens.length] ?? '',
    1_000,
    0,
  );
  console.log('\ngateway handler alone, tools/call with a service account   CPU µs per request');
  console.log(`token seen before                                          ${known.toFixed(0).padStart(6)}`);
  console.log(`token seen for the first time                              ${fresh.toFixed(0).padStart(6)}`);
}

async function measure(
  gateway: ReturnType<typeof gatewayWith>,
  tokenOf: (call: number) => string,
  calls = CALLS,
  warmUp = WARM_UP,
): Promise<number> {
  for (let call = 0; call < warmUp; call += 1) await once(gateway, tokenOf(call));
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) await once(gateway, tokenOf(call));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function once(gateway: ReturnType<typeof gatewayWith>, token: string): Promise<void> {
  const request = new Request(`${ORIGIN}/prices/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: CALL,
  });
  const { signal } = new AbortController();
  const response = await gateway.fetch(request, invocationOf({ signal }));
  const text = await response.text();
  if (!text.includes('"42"')) throw new Error(`unexpected answer: ${response.status} ${text}`);
}

function createBenchGateway(issuer: TestIssuer): ReturnType<typeof gatewayWith> {
  const policy = policyOf({
    scopes: [['prices/execute', [scopeRule('prices', ['tools/call'], ['latest'])]]],
    servers: [
      serverEntry('prices', { egress: { mode: 'service_account', key: 'client', fallback: 'none' } }),
    ],
    clients: [clientEntry('courier', { scopes: ['prices/execute'] })],
  });
  const unused = () => Promise.reject(new Error('not measured here'));
  const secret = { value: new Secret('{"type":"bearer","token":"upstream-key"}'), versionId: '1' };
  return gatewayWith({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    credentials: createCredentials({
      ...NO_CONNECTIONS,
      ...NO_TOKEN_ENDPOINT,
      secrets: { read: () => Promise.resolve(ok(secret)) },
      identityKey: { publicKey: unused, sign: unused },
      stage: 'bench',
      now: () => NOW_SECONDS * 1000,
    }),
    upstream: {
      send: () => {
        const headers = new Map([['content-type', 'application/json']]);
        return Promise.resolve(ok({ status: 200, headers, body: new Blob([ANSWER]).stream() }));
      },
    },
    now: Date.now,
  });
}
