import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KeyStore } from '../../local/kms/key-store.ts';
import { TestIssuer } from '../support/test-issuer.ts';
import { type Blueprint, drawBlueprint } from './isolation/blueprint.ts';
import { CloudRecords } from './isolation/cloud-records.ts';
import { Judge } from './isolation/judge.ts';
import { type IsolationReport, Run } from './isolation/run.ts';
import { createUpstream } from './isolation/upstream.ts';
import { startUpstreamServer } from './isolation/upstream-server.ts';
import { secretText } from './isolation/vault.ts';
import { type Gate, World } from './isolation/world.ts';

/** What a local cloud is started with. Names of secrets have `{stage}` in them; a client's own secret is `{id}-secret`. */
export type CloudSetup = {
  readonly config: Readonly<Record<string, string>>;
  readonly clients: readonly string[];
  readonly credentials: Readonly<Record<string, string>>;
};

/** A local cloud that runs. */
export type RunningCloud = {
  readonly origin: string;
  readonly dataDirectory: string;
  close(): Promise<void>;
};

/** What a run is made of. */
export type CloudIsolationOptions = {
  readonly requests: number;
  readonly seed: number;
  /** Organisations, each with 12 callers. */
  readonly orgs: number;
  /** Requests under way at any time. One that calls out through the gateway is two. */
  readonly concurrency: number;
  readonly start: (setup: CloudSetup) => Promise<RunningCloud>;
  readonly onProgress?: (done: number) => void;
};

const SETTLE_ATTEMPTS = 100;
const SETTLE_MS = 100;

/**
 * The same callers, requests and upstreams as at handler level, through the whole local cloud over HTTP: authorizer and gateway from their
 * bundles, in environments that are used again and again, over tables, secrets and keys. Audit records and logs are read at the end.
 */
export async function runCloudIsolation(options: CloudIsolationOptions): Promise<IsolationReport> {
  const { requests, seed, orgs, concurrency, onProgress } = options;
  const judge = new Judge();
  const records = new CloudRecords(judge);
  const upstreams = await startUpstreamServer(
    createUpstream(judge, (within, identityToken) => run.serveWithin(within, identityToken)),
    (traceparent) => records.findByTrace(traceparent),
    ({ method, url }) => judge.leak(undefined, `${method} ${url} upstream is nobody's`),
  );
  const blueprint = drawBlueprint(seed, orgs, upstreams.origin);
  const cloud = await options.start(toSetup(blueprint));
  const world = new World(blueprint, await openGate(cloud, blueprint), seed);
  const send = async (exchange: Parameters<typeof records.begin>[0], request: Request) => {
    records.begin(exchange);
    const response = await fetch(request);
    records.answered(exchange, response);
    return response;
  };
  const run = new Run(world, judge, send, () => {});
  try {
    for (const [{ clientId }, { compact }] of world.revoked) await revoke(cloud.origin, clientId, compact);
    await run.serveAll({ requests, seed, concurrency, onProgress });
    const audit = await settledAudit(cloud, records);
    records.judgeAudit(audit);
    const logs = join(cloud.dataDirectory, 'logs');
    for (const name of readdirSync(logs)) records.judgeLog(readFileSync(join(logs, name), 'utf8'));
  } finally {
    await cloud.close();
    await upstreams.close();
  }
  return { ...run.report(), auditRecords: records.count };
}

function toSetup({ configuration, clients, secrets }: Blueprint): CloudSetup {
  return {
    config: configuration,
    clients: clients.map(({ id }) => id),
    credentials: Object.fromEntries(Array.from(secrets, ([name, slot]) => [name, secretText(slot)])),
  };
}

/** Signs with the issuer's own key, which the local KMS keeps: users have no other way to a token here. */
async function openGate({ origin, dataDirectory }: RunningCloud, { clients }: Blueprint): Promise<Gate> {
  const [client] = clients;
  const issued = await post(origin, '/oauth/token', client?.id ?? '', { grant_type: 'client_credentials' });
  const { access_token: sample } = JSON.parse(await issued.text());
  const [head = ''] = String(sample).split('.');
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
  const { keys } = JSON.parse(await (await fetch(`${origin}/.well-known/jwks.json`)).text());
  const store = new KeyStore(dataDirectory);
  const issuer = new TestIssuer();
  for (const stored of store.all()) {
    const privateKey = store.privateKey(stored);
    const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
    const isIssuers = keys.some((key: Record<string, unknown>) => key['kid'] === kid && key['n'] === n);
    if (!isIssuers) continue;
    const key = { privateKey, published: { keyId: kid, purpose: 'access', n, e } } as const;
    const sign: Gate['sign'] = (claims) => issuer.sign(issuer.header({}, key), JSON.stringify(claims), key);
    return { origin, isDeployed: true, nowMs: Date.now, sign };
  }
  throw new Error("the issuer's key is not where it is kept");
}

async function revoke(origin: string, clientId: string, token: string): Promise<void> {
  const answer = await post(origin, '/oauth/revoke', clientId, { token });
  if (!answer.ok) throw new Error(`revocation: ${answer.status} ${await answer.text()}`);
}

function post(
  origin: string,
  path: string,
  clientId: string,
  form: Readonly<Record<string, string>>,
): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientId}-secret`).toString('base64')}`;
  return fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(form),
  });
}

/** An outcome is written when the client may have its answer already. */
async function settledAudit({ dataDirectory }: RunningCloud, records: CloudRecords): Promise<string> {
  const read = () => readFileSync(join(dataDirectory, 'audit.jsonl'), 'utf8');
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS && !records.isComplete(read()); attempt += 1) {
    await wait(SETTLE_MS);
  }
  return read();
}
