import { describe, expect, test } from 'vitest';
import type { Perimeter } from '../../functions/core/perimeter-list.ts';
import { startGatewayApp } from '../support/gateway-app.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const FIN = serverEntry('fin');

/** The gateway under a perimeter: a server, and an API that it calls. */
function startUnder(perimeter: Perimeter | undefined) {
  const { timeout, egress } = FIN;
  const policy = policyOf({
    scopes: [['fin/use', [scopeRule('fin', ['tools/call'], ['all'])]]],
    servers: [FIN],
    services: [
      {
        name: 'api',
        url: 'https://api.example.com',
        org: undefined,
        private: false,
        egress,
        headers: [],
        timeout,
        usedBy: ['fin'],
        allow: [{ method: 'GET', path: '/**' }],
      },
    ],
    clients: [clientEntry('fin-server', { server: 'fin' }), clientEntry('courier', { scopes: ['fin/use'] })],
    ...(perimeter === undefined ? {} : { perimeter }),
  });
  return startGatewayApp(issuer, policy);
}

const callServer = (app: ReturnType<typeof startUnder>) =>
  app.fetch('/fin/mcp', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.accessToken({ scope: 'fin/use' })}`,
      'content-type': 'application/json',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}',
  });

const callApi = (app: ReturnType<typeof startUnder>) =>
  app.fetch('/egress/api/v1/x', {
    headers: {
      authorization: `Bearer ${issuer.accessToken({ sub: 'fin-server', client_id: 'fin-server' })}`,
      'x-delegation': issuer.identityToken({ aud: FIN.url, scope: 'fin/use', exp: NOW_SECONDS + 300 }),
    },
  });

describe.for([
  ['a server', callServer, new URL(FIN.url).hostname],
  ['an API', callApi, 'api.example.com'],
] as const)('a call to %s', ([, call, host]) => {
  test('that is on the perimeter is made, with its networks', async () => {
    const app = startUnder({ hosts: [host], networks: ['10.20.0.0/16'] });
    expect((await call(app)).status).toBe(200);
    expect(app.sent.map(({ url, privateNetworks }) => [url.hostname, privateNetworks])).toEqual([
      [host, ['10.20.0.0/16']],
    ]);
  });

  test('that is outside is not, says so, and is recorded', async () => {
    const app = startUnder({ hosts: ['elsewhere.example.com'], networks: [] });
    const answer = await call(app);
    expect([answer.status, await answer.text()]).toEqual([
      502,
      expect.stringContaining('outside the enterprise perimeter'),
    ]);
    expect(app.sent).toEqual([]);
    expect(app.records.at(-1)).toMatchObject({
      decision: 'deny',
      reason: `outside_perimeter: ${host} is not on the perimeter of servers.yml`,
    });
  });

  test('without a perimeter is made, wherever addresses allow it', async () => {
    const app = startUnder(undefined);
    expect((await call(app)).status).toBe(200);
    expect(app.sent.map((request) => 'privateNetworks' in request)).toEqual([false]);
  });
});

test('the perimeter of a policy is looked at anew with each call', async () => {
  const app = startUnder(undefined);
  expect((await callServer(app)).status).toBe(200);
  app.policy = policyOf({
    scopes: [['fin/use', [scopeRule('fin', ['tools/call'], ['all'])]]],
    servers: [FIN],
    clients: [clientEntry('courier', { scopes: ['fin/use'] })],
    perimeter: { hosts: [`*.${new URL(ORIGIN).hostname}`], networks: [] },
  });
  expect((await callServer(app)).status).toBe(502);
});
