import { randomBytes, sign } from 'node:crypto';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { LimitCounter, UpstreamRequest, UpstreamResponse } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { createGateway, type GatewayPorts } from '../../functions/handlers/gateway.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { UNASKED } from './counters.ts';
import { NO_FOREIGN_KEYS } from './foreign-issuer.ts';
import { invocationOf } from './invocation.ts';
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

/** The gateway's app over these ports. What is not named: a record is lost, nothing is counted, and what is sealed no other gateway opens. */
export function gatewayWith(
  ports: Pick<GatewayPorts, 'ingress' | 'credentials' | 'upstream'> & Partial<GatewayPorts>,
): ReturnType<typeof createGateway> {
  const sealer = new Sealer([randomBytes(32).toString('hex')]);
  return createGateway({
    audit: { write: async () => ok(undefined) },
    sealer: async () => sealer,
    nonce: () => randomBytes(12),
    counter: UNASKED,
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1000,
    log: () => {},
    ...ports,
  });
}

/** Starts one. Its upstream answers `{"jsonrpc":"2.0","id":1,"result":{}}` until it is told otherwise. */
export function startGatewayApp(
  issuer: TestIssuer,
  policy: Policy,
  counter: LimitCounter = UNASKED,
): GatewayApp {
  const rulebook = { read: async () => ok({ policy: app.policy, keys: issuer.keys }) };
  const revocations = { isRevoked: async () => ok(false), revoke: async () => ok(undefined) };
  const gateway = gatewayWith({
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
    counter,
  });
  const app: GatewayApp = {
    policy,
    secrets: new Map(),
    answer: () => answerOf('{"jsonrpc":"2.0","id":1,"result":{}}'),
    sent: [],
    records: [],
    fetch(path, init) {
      const invocation: Invocation = invocationOf();
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
