import { randomBytes, randomUUID, sign } from 'node:crypto';
import { createCounter } from '../../functions/aws/counter.ts';
import { createKeyRingStore } from '../../functions/aws/key-ring.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { createRevocationList } from '../../functions/aws/revocation-list.ts';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { AuditRecord } from '../../functions/core/audit.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { RevocationEntry, SecretFailure, SigningKey } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createClientDocuments } from '../../functions/handlers/client-metadata-document.ts';
import { createForeignKeys } from '../../functions/handlers/foreign-keys.ts';
import { createIngress } from '../../functions/handlers/ingress.ts';
import { createIssuer } from '../../functions/handlers/issuer.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { type EmbeddedTable, startAuthTable } from './auth-table.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from './test-issuer.ts';

/** The issuer's app over an embedded DynamoDB, and everything that a test looks at or changes. */
export type IssuerApp = {
  readonly issuer: TestIssuer;
  readonly ports: IssuerPorts;
  readonly records: AuditRecord[];
  readonly revoked: RevocationEntry[];
  /** Names, stages and freshness of the secrets that were read. */
  readonly secretsRead: string[];
  /** Full name → text; a test may change it. */
  readonly secrets: Map<string, string>;
  /** Makes every read of a secret fail. */
  secretFailure: SecretFailure['reason'] | undefined;
  /** What the app takes for now. */
  nowSeconds: number;
  /** Where requests come from. */
  sourceIp: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Posts a form; `authorization` is the header. */
  post(
    path: string,
    form: string | Readonly<Record<string, string>>,
    authorization?: string,
  ): Promise<Response>;
  close(): Promise<void>;
};

/** Two keys take longer to make than everything else here; no test looks at how they differ. */
const ISSUER = new TestIssuer();

const FORM = 'application/x-www-form-urlencoded';

/** HTTP Basic of a client whose secret is `{id}-secret`, as {@link startIssuerApp} sets it. */
export function basic(id: string, secret = `${id}-secret`): string {
  return `Basic ${btoa(`${id}:${secret}`)}`;
}

/** Starts one for a policy; every client of it has the secret `{id}-secret`. `changes` replace ports. */
export async function startIssuerApp(policy: Policy, changes: Partial<IssuerPorts> = {}): Promise<IssuerApp> {
  const issuer = ISSUER;
  const table: EmbeddedTable = await startAuthTable();
  const records: AuditRecord[] = [];
  const revoked: RevocationEntry[] = [];
  const secretsRead: string[] = [];
  const secrets = new Map(
    [...policy.clients.keys()].map((id) => [`sallyport/prod/clients/${id}`, `${id}-secret`]),
  );
  const clock = () => app.nowSeconds;
  const upstream = createUpstream();
  const issued = createRecordStore(table.dynamo, table.tableName, clock);
  const counter = createCounter(table.dynamo, table.tableName, 'COUNT');
  const foreignKeys = changes.foreignKeys ?? createForeignKeys({ upstream, clock });
  const store = createRevocationStore(table.dynamo, table.tableName, clock);
  const revocations: IssuerPorts['revocations'] = {
    isRevoked: (token, options) => store.isRevoked(token, options),
    revoke(entry) {
      revoked.push(entry);
      return store.revoke(entry);
    },
  };
  const rulebook: IssuerPorts['rulebook'] = changes.rulebook ?? {
    read: () => Promise.resolve(ok({ policy, keys: issuer.keys })),
  };
  const ports: IssuerPorts = {
    rulebook,
    revocations,
    revocationList: createRevocationList(table.dynamo, table.tableName, clock),
    records: issued,
    counter,
    audit: {
      write(record) {
        records.push(record);
        return Promise.resolve(ok(undefined));
      },
    },
    secrets: {
      read(name, { stage = 'AWSCURRENT', fresh = false } = {}) {
        secretsRead.push(`${name} ${stage} ${fresh}`);
        if (app.secretFailure !== undefined) {
          return Promise.resolve(err({ reason: app.secretFailure, detail: name }));
        }
        const text = stage === 'AWSCURRENT' ? secrets.get(name) : undefined;
        return Promise.resolve(
          text === undefined
            ? err({ reason: 'missing', detail: name })
            : ok({ value: new Secret(text), versionId: 'v' }),
        );
      },
    },
    edgeSecret: '',
    signingKey: signingKeyOf(issuer),
    keys: { publish: () => Promise.resolve(ok([issuer.access.published])) },
    keyRing: createKeyRingStore(table.dynamo, table.tableName),
    confirmKey: () => Promise.resolve(ok(undefined)),
    policies: createPolicyStore(table.dynamo, table.tableName),
    ingress: createIngress({ rulebook, revocations, foreignKeys, clock }),
    upstream,
    foreignKeys,
    clientDocuments: createClientDocuments({
      upstream,
      records: issued,
      counter,
      now: () => clock() * 1000,
      log: () => {},
    }),
    sealer: () => Promise.resolve(new Sealer(['0'.repeat(64)])),
    allowedOrigins: [],
    stage: 'prod',
    now: () => clock() * 1000,
    delay: () => Promise.resolve(),
    randomId: randomUUID,
    randomBytes,
    log: () => {},
    ...changes,
  };
  const hono = createIssuer(ports);
  const app: IssuerApp = {
    issuer,
    ports,
    records,
    revoked,
    secretsRead,
    secrets,
    secretFailure: undefined,
    nowSeconds: NOW_SECONDS,
    sourceIp: '192.0.2.1',
    fetch(path, init) {
      const invocation: Invocation = {
        requestId: 'r-1',
        origin: ORIGIN,
        sourceIp: app.sourceIp,
        signal: new AbortController().signal,
        waitUntil: () => {},
      };
      return Promise.resolve(hono.fetch(new Request(ORIGIN + path, init), invocation));
    },
    post(path, form, authorization) {
      const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
      const headers = { 'content-type': FORM, ...(authorization === undefined ? {} : { authorization }) };
      return app.fetch(path, { method: 'POST', headers, body });
    },
    close: () => table.close(),
  };
  return app;
}

function signingKeyOf(issuer: TestIssuer): SigningKey {
  return {
    publicKey: () => Promise.resolve(ok(issuer.access.published)),
    sign(input) {
      const signature = sign('RSA-SHA256', Buffer.from(input), issuer.access.privateKey);
      return Promise.resolve(ok(signature.toString('base64url')));
    },
  };
}
