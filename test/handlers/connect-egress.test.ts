import { expect, test } from 'vitest';
import type { AuditRecord } from '../../functions/core/audit.ts';
import { err, ok } from '../../functions/core/result.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { ORIGIN, TestIssuer } from '../support/test-issuer.ts';

test('a server that calls for a user without a connection is told where the user makes one', async () => {
  const issuer = new TestIssuer();
  const fin = serverEntry('fin');
  const policy = policyOf({
    scopes: [['fin/use', [scopeRule('fin', ['tools/call'], ['all'])]]],
    servers: [fin],
    services: [
      {
        name: 'api',
        url: 'https://api.example.com',
        org: undefined,
        private: false,
        egress: { mode: 'user_oauth', key: 'user', fallback: 'none', provider: 'track' },
        headers: [],
        timeout: fin.timeout,
        usedBy: ['fin'],
        allow: [{ method: '*', path: '/**' }],
      },
    ],
    clients: [clientEntry('fin-server', { server: 'fin' }), clientEntry('courier', { scopes: ['fin/use'] })],
  });
  const records: AuditRecord[] = [];
  const url = `${ORIGIN}/connect/track?t=abc`;
  const gateway = gatewayWith({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    audit: {
      async write(record) {
        records.push(record);
        return ok(undefined);
      },
    },
    credentials: {
      put: async () =>
        err({ reason: 'connection_required', url, displayName: 'Track', detail: 'broken at track' }),
    },
    upstream: { send: () => Promise.reject(new Error('nothing is sent')) },
  });
  const delegation = issuer.sign(
    issuer.header({}, issuer.identity),
    issuer.claims({ aud: fin.url, scope: 'fin/use', token_kind: 'identity' }),
    issuer.identity,
  );
  const token = issuer.accessToken({ sub: 'fin-server', client_id: 'fin-server' });
  const headers = { authorization: `Bearer ${token}`, 'x-delegation': delegation };
  const response = await gateway.fetch(new Request(`${ORIGIN}/egress/api/v1/x`, { headers }), invocationOf());
  expect([response.status, response.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
  expect(await response.json()).toEqual({
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    code: 'failed_precondition',
    detail: `this needs an account at Track: its user connects it at ${url} and then tries again`,
    connect_url: url,
    request_id: 'r-1',
  });
  expect(records.at(-1)).toMatchObject({
    area: 'egress',
    decision: 'deny',
    reason: 'connection_required: broken at track',
    server: 'api',
    subject: 'courier',
  });
});
