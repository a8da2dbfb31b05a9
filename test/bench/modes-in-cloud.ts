import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressMode } from '../../functions/core/policy.ts';
import { startLocalCloud } from '../../local/cloud.ts';
import { startCarrier } from '../../local/demo/carrier.ts';
import { startCompany } from '../../local/demo/company.ts';
import { startToolServers } from '../support/tool-server.ts';
import { connectedUser, type UserPlaces, userConfiguration } from './connected-user.ts';

/** In the last two a user calls who has connected an account, in the others an agent. */
const MODES = ['none', 'passthrough', 'identity', 'service_account', 'user_oauth', 'hybrid'] as const;
const OF_USERS: ReadonlySet<EgressMode> = new Set(['user_oauth', 'hybrid']);
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
  const tools = Object.fromEntries(MODES.map((mode) => [nameOf(mode), ['latest']]));
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
  const { origin: gateway } = cloud;
  const company = await startCompany({ port: 0, gateway });
  const carrier = await startCarrier({ port: 0, gateway });
  try {
    const files = configurationFor((name) => upstream.urlOf(name), { company, carrier });
    await cloud.invoke('control', { apply: { source: 'dev', files } });
    const agent = await getToken(gateway);
    const user = await connectedUser(gateway);
    const figures = new Map<EgressMode, number[]>(MODES.map((mode) => [mode, []]));
    for (let call = -WARM_UP; call < CALLS_THROUGH_CLOUD; call += 1) {
      for (const [mode, elapsedMs] of figures) {
        const startedAt = performance.now();
        await callCloud(`${gateway}/${nameOf(mode)}/mcp`, OF_USERS.has(mode) ? user : agent);
        if (call >= 0) elapsedMs.push(performance.now() - startedAt);
      }
    }
    return figures;
  } finally {
    await cloud.close();
    await Promise.all([upstream.close(), company.close(), carrier.close()]);
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

function configurationFor(urlOf: (name: string) => string, places: UserPlaces): Record<string, string> {
  const names = MODES.map(nameOf);
  const servers = MODES.map((mode) => {
    const name = nameOf(mode);
    const egress = { mode, ...(OF_USERS.has(mode) ? { provider: 'carrier' } : {}) };
    return [name, { url: urlOf(name), private: true, egress }] as const;
  });
  const { clients, idps, providers } = userConfiguration(places);
  return {
    'scopes.yml': JSON.stringify({
      group_mappings: { analysts: ['all/execute'] },
      'all/execute': names.map((server) => ({ server, methods: ['tools/call'], tools: ['latest'] })),
    }),
    'servers.yml': JSON.stringify({ servers: Object.fromEntries(servers) }),
    'idps.yml': JSON.stringify({ providers: idps }),
    'providers.yml': JSON.stringify({ providers }),
    'clients.yml': JSON.stringify({
      clients: {
        ...clients,
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
