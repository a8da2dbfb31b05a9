import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordStore } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { startLocalCloud } from '../../local/cloud.ts';
import { basic, type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { clientEntry, policyOf, scopeRule } from '../support/policies.ts';

const TOKENS = 1_000;
const WARM_UP = 100;
/** Each of them is an environment of its own in the local cloud. */
const AT_ONCE = 2;
const FORM = 'grant_type=client_credentials';

/** What a token of `client_credentials` costs: the issuer's handler alone, without and with a signature, and the whole local cloud. */
export async function measureIssuer(assemblyDirectory: string): Promise<void> {
  console.log(`\nclient_credentials, ${TOKENS} tokens                 tokens/s   CPU µs per token`);
  console.log(`handler alone, signature given            ${await measureHandlerAlone(false)}`);
  console.log(`handler alone, signed here (RSA-2048)     ${await measureHandlerAlone(true)}`);
  console.log(`the local cloud, KMS and stores included  ${await measureCloud(assemblyDirectory)}`);
}

/** The ports answer from memory: what is left is the issuer's own work. */
async function measureHandlerAlone(isSigned: boolean): Promise<string> {
  const nothing: RecordStore = {
    create: () => Promise.resolve(ok(undefined)),
    read: () => Promise.resolve(ok(undefined)),
    replace: () => Promise.resolve(ok(undefined)),
  };
  const policy = policyOf({
    scopes: [['maps/read', [scopeRule('*', ['initialize'])]]],
    clients: [clientEntry('courier', { scopes: ['maps/read'] })],
  });
  const audit = { write: () => Promise.resolve(ok(undefined)) };
  const counter = { count: () => Promise.resolve(ok(undefined)), read: () => Promise.resolve(ok(0)) };
  let app: IssuerApp = await startIssuerApp(policy, { records: nothing, counter, audit });
  if (!isSigned) {
    const { publicKey } = app.ports.signingKey;
    const given = await app.ports.signingKey.sign('x', app.issuer.access.published.keyId);
    const signingKey = { publicKey, sign: () => Promise.resolve(given) };
    await app.close();
    app = await startIssuerApp(policy, { records: nothing, counter, audit, signingKey });
  }
  try {
    return await measure(() => app.post('/oauth/token', FORM, basic('courier')));
  } finally {
    await app.close();
  }
}

async function measureCloud(assemblyDirectory: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const cloud = await startLocalCloud({
    assemblyDir: assemblyDirectory,
    dataDir: directory,
    port: 0,
    secrets: new Map([['sallyport/local/clients/courier', 'courier-secret']]),
    log: () => {},
  });
  try {
    const client = {
      grants: ['client_credentials'],
      scopes: ['maps/read'],
      audience: 'gateway',
      secret: { ref: 'sallyport/{stage}/clients/courier' },
    };
    const files = {
      'scopes.yml': 'maps/read: [{ server: "*", methods: [initialize] }]',
      'servers.yml': 'servers: {}',
      'clients.yml': JSON.stringify({ clients: { courier: client } }),
    };
    await cloud.invoke('control', { apply: { source: 'dev', files } });
    const headers = {
      authorization: basic('courier'),
      'content-type': 'application/x-www-form-urlencoded',
    };
    return await measure(() => fetch(`${cloud.origin}/oauth/token`, { method: 'POST', headers, body: FORM }));
  } finally {
    await cloud.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(ask: () => Promise<Response>): Promise<string> {
  await askMany(ask, WARM_UP);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await askMany(ask, TOKENS);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  const perSecond = (TOKENS / seconds).toFixed(0);
  return `${perSecond.padStart(8)}   ${((user + system) / TOKENS).toFixed(0).padStart(16)}`;
}

/** Some at once, as clients come. An answer without a token is no figure. */
async function askMany(ask: () => Promise<Response>, count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await ask();
      const text = await answer.text();
      if (!text.includes('"access_token"')) throw new Error(`no token: ${answer.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
