import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalCloud } from '../../local/cloud.ts';
import { startToolServers } from '../support/tool-server.ts';
import { median, quantile } from './statistics.ts';

const CALLS = 300;
const WARM_UP = 50;
const SECRET = 'bench-secret';

/** A `tools/call` straight to a server and through the local cloud, taken in turns so that both see the same machine. */
export async function measureLatency(assemblyDirectory: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const upstream = await startToolServers({ prices: ['latest'] });
  const cloud = await startLocalCloud({
    assemblyDir: assemblyDirectory,
    dataDir: directory,
    port: 0,
    secrets: new Map([
      ['sallyport/local/clients/bench', SECRET],
      [
        'sallyport/local/credentials/default/prices/client.bench',
        '{"type":"bearer","token":"bench-upstream-key"}',
      ],
    ]),
    log: () => {},
  });
  try {
    await cloud.invoke('control', {
      apply: { source: 'dev', files: configurationFor(upstream.urlOf('prices')) },
    });
    const headers = { authorization: `Bearer ${await getToken(cloud.origin)}` };
    const direct: number[] = [];
    const through: number[] = [];
    for (let call = 0; call < CALLS + WARM_UP; call += 1) {
      const directMs = await timeCall(upstream.urlOf('prices'), {});
      const throughMs = await timeCall(`${cloud.origin}/prices/mcp`, headers);
      if (call >= WARM_UP) {
        direct.push(directMs);
        through.push(throughMs);
      }
    }
    console.log(`\ntools/call, ${CALLS} calls each, in turns   p50 ms   p99 ms`);
    console.log(`direct                                 ${row(direct)}`);
    console.log(`through the local cloud                ${row(through)}`);
    console.log(`ratio of the medians                   ${(median(through) / median(direct)).toFixed(1)}`);
  } finally {
    await cloud.close();
    await upstream.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function row(figures: readonly number[]): string {
  return `${median(figures).toFixed(2).padStart(6)}   ${quantile(figures, 0.99).toFixed(2).padStart(6)}`;
}

async function timeCall(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"latest","arguments":{}}}',
  });
  const text = await response.text();
  if (!text.includes('prices/latest')) throw new Error(`unexpected answer ${response.status}: ${text}`);
  return performance.now() - startedAt;
}

async function getToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`bench:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${origin}/prices/mcp` }),
  });
  return JSON.parse(await response.text()).access_token;
}

function configurationFor(url: string): Record<string, string> {
  return {
    'scopes.yml': 'prices/execute: [{ server: prices, methods: [tools/call, tools/list], tools: [latest] }]',
    'servers.yml': JSON.stringify({
      servers: { prices: { url, private: true, egress: { mode: 'service_account' } } },
    }),
    'clients.yml': JSON.stringify({
      clients: {
        bench: {
          grants: ['client_credentials'],
          scopes: ['prices/execute'],
          secret: { ref: 'sallyport/{stage}/clients/bench' },
        },
      },
    }),
  };
}
