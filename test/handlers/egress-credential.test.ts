import { describe, expect, test } from 'vitest';
import { credentialName } from '../../functions/core/credential.ts';
import type { Egress } from '../../functions/core/policy.ts';
import { startGatewayApp } from '../support/gateway-app.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const FIN = serverEntry('fin');
const USER = 'corp:ana';

/** Every secret that a call could be confused with, each with its own name for a value. */
const OWNERS = {
  'of the agent': ['client', { orgId: 'acme', clientId: 'courier', subject: 'courier' }],
  'of the agent as a subject': ['user', { orgId: 'acme', clientId: 'courier', subject: 'courier' }],
  'of the user': ['user', { orgId: 'acme', clientId: 'courier', subject: USER }],
  'of the server': ['client', { orgId: 'acme', clientId: 'fin-server', subject: 'fin-server' }],
  'of another organisation': ['client', { orgId: 'beta', clientId: 'courier', subject: 'courier' }],
} as const;

/** The key that the API sees when the server calls it for whom a delegation names. */
async function keySeen(key: Egress['key'], delegated: Readonly<Record<string, unknown>>, without?: string) {
  const policy = policyOf({
    scopes: [['fin/use', [scopeRule('fin', ['tools/call'], ['all'])]]],
    groups: [['staff', ['fin/use']]],
    idps: [identityProvider('corp')],
    servers: [FIN],
    services: [
      {
        name: 'api',
        url: 'https://api.example.com',
        org: undefined,
        private: false,
        egress: { mode: 'service_account', key, fallback: 'none' },
        headers: [],
        timeout: FIN.timeout,
        usedBy: ['fin'],
        allow: [{ method: 'GET', path: '/**' }],
      },
    ],
    clients: [clientEntry('fin-server', { server: 'fin' }), clientEntry('courier', { scopes: ['fin/use'] })],
  });
  const app = startGatewayApp(issuer, policy);
  for (const [value, [of, owner]] of Object.entries(OWNERS)) {
    if (value === without) continue;
    const secret = JSON.stringify({ type: 'header', name: 'X-Api-Key', value });
    app.secrets.set(credentialName('prod', 'api', of, owner), secret);
  }
  const response = await app.fetch('/egress/api/v1/x', {
    headers: {
      authorization: `Bearer ${issuer.accessToken({ sub: 'fin-server', client_id: 'fin-server' })}`,
      'x-delegation': issuer.identityToken({ aud: FIN.url, scope: 'fin/use', ...delegated }),
      'x-api-key': 'chosen by the caller',
    },
  });
  return app.sent[0]?.headers.get('x-api-key') ?? response.status;
}

describe('an API that a server calls sees the key', () => {
  test.for([
    ['client', {}, 'of the agent'],
    ['client', { sub: USER, groups: ['staff'] }, 'of the agent'],
    ['user', { sub: USER, groups: ['staff'] }, 'of the user'],
    ['user', {}, 'of the agent as a subject'],
  ] as const)('that is by %s, for %j: the one %s', async ([key, delegated, value]) => {
    expect(await keySeen(key, delegated)).toBe(value);
  });

  test.for([
    ['client', {}, 'of the agent'],
    ['user', { sub: USER, groups: ['staff'] }, 'of the user'],
  ] as const)('that is by %s and missing for %j: nobody else’s', async ([key, delegated, value]) => {
    expect(await keySeen(key, delegated, value)).toBe(403);
  });
});
