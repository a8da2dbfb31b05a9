import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressMode } from '../../functions/core/policy.ts';
import { startLocalCloud } from '../../local/cloud.ts';
import { startToolServers } from '../support/tool-server.ts';

/** The modes that need no user who has connected an account. */
const OF_AGENTS = ['none', 'passthrough', 'identity', 'service_account'] as const;
const CALLS_THROUGH_CLOUD = 200;
const WARM_UP = 30;
const SECRET = 'bench-secret';
const OWN_TOKEN = 'Bearer token-of-the-provider-0123456789';
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"latest","arguments":{}}}';

/** The name of the server that is called in a mode. */
function nameOf(mode: EgressMode): string {
  return `in-${mode.replace('_', '-')}`;
}

/** Milliseconds of each call through the local cloud, in turns. */
export async function measureModesInCloud(
  assemblyDir: string,
): Promise<ReadonlyMap<EgressMode, readonly number[]>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const tools = Object.fromEntries(OF_AGENTS.map((mode) => [nameOf(mode), ['latest']]));
  const upstream = await startToolServers(tools);
  const credential = `sallyport/local/credentials/default/${nameOf('service_account')}/client.bench`;
  const cloud = await startLocalCloud({
    assemblyDir,
    dataDir,
    port: 0,
    secrets: new Map([
      ['sallyport/local/clients/bench', SECRET],
      [credential, '{"type":"bearer","token":"bench-upstream-key"}'],
    ]),
    log: () => {},
  });
  try {
    const files = configurationFor((name) => upstream.urlOf(name));
    await cloud.invoke('control', { apply: { source: 'dev', files } });
    const token = await getToken(cloud.origin);
    const figures = new Map<EgressMode, number[]>(OF_AGENTS.map((mode) => [mode, []]));
    for (let call = -WARM_UP; call < CALLS_THROUGH_CLOUD; call += 1) {
      for (const [mode, elapsedMs] of figures) {
        const startedAt = performance.now();
        await callCloud(`${cloud.origin}/${nameOf(mode)}/mcp`, token);
        if (call >= 0) elapsedMs.push(performance.now() - startedAt);
      }
    }
    return figures;
  } finally {
    await cloud.close();
    await upstream.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function callCloud(url: string, token: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'x-authorization': `Bearer ${token}`,
      authorization: OWN_TOKEN,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: CALL,
  });
  const text = await response.text();
  if (!text.includes('/latest')) throw new Error(`unexpected answer ${response.status}: ${text}`);
}

async function getToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`bench:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return JSON.parse(await response.text()).access_token;
}

function configurationFor(urlOf: (name: string) => string): Record<string, string> {
  const names = OF_AGENTS.map(nameOf);
  const servers = OF_AGENTS.map((mode) => {
    const name = nameOf(mode);
    return [name, { url: urlOf(name), private: true, egress: { mode } }] as const;
  });
  return {
    'scopes.yml': JSON.stringify({
      'all/execute': names.map((server) => ({ server, methods: ['tools/call'], tools: ['latest'] })),
    }),
    'servers.yml': JSON.stringify({ servers: Object.fromEntries(servers) }),
    'clients.yml': JSON.stringify({
      clients: {
        bench: {
          grants: ['client_credentials'],
          audience: 'gateway',
          scopes: ['all/execute'],
          secret: { ref: 'sallyport/{stage}/clients/bench' },
        },
      },
    }),
  };
}
