import { Buffer } from 'node:buffer';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Upstream } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { gatewayWith } from '../support/gateway-app.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

/** `listed` lets its tools and methods be named one by one, `open` lets everything pass that is well-formed. */
export const SERVERS = ['listed', 'open'] as const;
export type ServerName = (typeof SERVERS)[number];

/** What may be called on `listed`, beside pings and notifications. */
export const LISTED = {
  methods: ['initialize', 'tools/list', 'tools/call', 'resources/read'],
  tools: ['read', 'caf\u00e9', 'a\nb'],
} as const;

/** The gateway's own handler, every port of it in memory but the way out. */
export type FrontDoor = {
  knock(server: ServerName, headers: Headers, body: Uint8Array): Promise<Response>;
  readonly records: AuditRecord[];
  /** An access token that opens both servers. */
  readonly token: string;
};

/** Opens the gateway for one client; calls leave by `upstream` for `urlOf` their server. */
export function createFrontDoor(
  upstream: Upstream,
  urlOf: (server: ServerName) => string = (server) => `https://${server}.example.com/mcp`,
): FrontDoor {
  const issuer = new TestIssuer();
  const servers = SERVERS.map((name) => serverEntry(name, { url: urlOf(name), private: true }));
  const policy = policyOf({
    scopes: [['all', [scopeRule('listed', LISTED.methods, LISTED.tools), scopeRule('open', ['*'], ['*'])]]],
    servers,
    clients: [clientEntry('courier', { scopes: ['all'] })],
  });
  const records: AuditRecord[] = [];
  const never = () => Promise.reject(new Error('nothing is signed or read here'));
  const gateway = gatewayWith({
    ingress: ingressOver({ policy, keys: issuer.keys }),
    audit: {
      async write(record) {
        records.push(record);
        return ok(undefined);
      },
    },
    credentials: createCredentials({
      ...NO_CONNECTIONS,
      ...NO_TOKEN_ENDPOINT,
      secrets: { read: never },
      identityKey: { publicKey: never, sign: never },
      stage: 'fuzz',
      now: () => NOW_SECONDS * 1000,
    }),
    upstream,
  });
  const token = issuer.accessToken({ scope: 'all' });
  return {
    records,
    token,
    async knock(server, headers, body) {
      const request = new Request(`${ORIGIN}/${server}/mcp`, {
        method: 'POST',
        headers,
        body: Buffer.from(body),
      });
      return gateway.fetch(request, invocationOf());
    },
  };
}
