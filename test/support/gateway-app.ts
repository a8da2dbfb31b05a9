import { randomBytes, sign } from 'node:crypto';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { Counter, UpstreamRequest, UpstreamResponse } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { createGateway } from '../../functions/handlers/gateway.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { UNASKED } from './counters.ts';
import { NO_FOREIGN_KEYS } from './foreign-issuer.ts';
import { NO_CONNECTIONS } from './no-connections.ts';
import { NOW_SECONDS, ORIGIN, type TestIssuer } from './test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from './token-ports.ts';

/** The gateway's app over a scripted upstream, and everything that a test looks at or changes. */
export type GatewayApp = {
  policy: Policy;
  /** Full name → text. */
  readonly secrets: Map<string, string>;
  /** What the upstream answers; a test changes it. */
  answer: () => UpstreamResponse;
  readonly sent: UpstreamRequest[];
  readonly records: AuditRecord[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
};

/** Starts one. Its upstream answers `{"jsonrpc":"2.0","id":1,"result":{}}` until it is told otherwise. */
export function startGatewayApp(issuer: TestIssuer, policy: Policy, counter: Counter = UNASKED): GatewayApp {
  const rulebook = { read: () => Promise.resolve(ok({ policy: app.policy, keys: issuer.keys })) };
  const revocations = {
    isRevoked: () => Promise.resolve(ok(false)),
    revoke: () => Promise.resolve(ok(undefined)),
  };
  const gateway = createGateway({
    ingress: createIngress({ rulebook, revocations, foreignKeys: NO_FOREIGN_KEYS, clock: () => NOW_SECONDS }),
    audit: {
      write(record) {
        app.records.push(record);
        return Promise.resolve(ok(undefined));
      },
    },
    credentials: createCredentials({
      ...NO_CONNECTIONS,
      ...NO_TOKEN_ENDPOINT,
      secrets: {
        read(name) {
          const text = app.secrets.get(name);
          return Promise.resolve(
            text === undefined
              ? err({ reason: 'missing', detail: name })
              : ok({ value: new Secret(text), versionId: '1' }),
          );
        },
      },
      identityKey: {
        publicKey: () => Promise.resolve(ok(issuer.identity.published)),
        sign: (input) =>
          Promise.resolve(
            ok(sign('RSA-SHA256', Buffer.from(input), issuer.identity.privateKey).toString('base64url')),
          ),
      },
      stage: 'prod',
      now: () => NOW_SECONDS * 1000,
    }),
    upstream: {
      send(request) {
        app.sent.push(request);
        return Promise.resolve(ok(app.answer()));
      },
    },
    sealer: () => Promise.resolve(new Sealer(['0'.repeat(64)])),
    nonce: () => randomBytes(12),
    counter,
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1000,
    log: () => {},
  });
  const app: GatewayApp = {
    policy,
    secrets: new Map(),
    answer: () => answerOf('{"jsonrpc":"2.0","id":1,"result":{}}'),
    sent: [],
    records: [],
    fetch(path, init) {
      const invocation: Invocation = {
        requestId: 'r-1',
        origin: ORIGIN,
        sourceIp: '192.0.2.1',
        signal: new AbortController().signal,
        waitUntil: () => {},
      };
      return Promise.resolve(gateway.fetch(new Request(ORIGIN + path, init), invocation));
    },
  };
  return app;
}

/** An answer of an upstream; JSON where nothing else is said. */
export function answerOf(
  body: string,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): UpstreamResponse {
  return {
    status,
    headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })),
    body: new Blob([body]).stream(),
  };
}
