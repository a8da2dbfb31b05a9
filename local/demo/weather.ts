import { setTimeout as wait } from 'node:timers/promises';
import { createMcpHandler, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type ApiKeys, createKeyring, numberFrom } from './api-key.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';

/** `port` 0 takes a free one. `keys` are all that it accepts in `X-Api-Key`: key → account. */
export type WeatherOptions = { readonly port: number; readonly keys: ApiKeys };

const City = z
  .string()
  .regex(/^[\p{L}][\p{L} '.-]{0,63}$/u)
  .describe('For example Lisbon');

/**
 * Starts the weather server: MCP at `/mcp`, both protocol eras. It knows nothing of Sallyport: it wants its API key in
 * `X-Api-Key`, which the gateway puts on, and answers for the account of that key.
 */
export async function startWeather({
  port,
  keys,
}: WeatherOptions): Promise<LoopbackServer & { url: string }> {
  const accountOf = createKeyring(keys);
  const handler = createMcpHandler(({ authInfo }) => createWeather(authInfo?.clientId ?? ''));
  const server = await serveOnLoopback(port, async (request) => {
    if (new URL(request.url).pathname !== '/mcp') return new Response(null, { status: 404 });
    const account = accountOf(request.headers.get('x-api-key') ?? undefined);
    if (account === undefined) return Response.json({ error: 'unknown API key' }, { status: 401 });
    return handler.fetch(request, { authInfo: { token: '', clientId: account, scopes: [] } });
  });
  return {
    ...server,
    url: `${server.origin}/mcp`,
    async close() {
      await handler.close();
      await server.close();
    },
  };
}

function createWeather(account: string): McpServer {
  const server = new McpServer({ name: 'weather', version: '1.0.0' });
  const annotations = { readOnlyHint: true };
  server.registerTool(
    'current_weather',
    { description: 'The weather in a city now.', inputSchema: z.object({ city: City }), annotations },
    ({ city }) => text({ account, city, ...weatherOf(account, city, 0) }),
  );
  server.registerTool(
    'forecast',
    {
      description: 'The weather in a city on the next days.',
      inputSchema: z.object({ city: City, days: z.int().min(1).max(7).default(3) }),
      annotations,
    },
    ({ city, days }) =>
      text({
        account,
        city,
        days: Array.from({ length: days }, (_, day) => ({
          day: day + 1,
          ...weatherOf(account, city, day + 1),
        })),
      }),
  );
  server.registerTool(
    'watch_weather',
    {
      description: 'Watches a city for a while and reports each observation as progress.',
      inputSchema: z.object({
        city: City,
        observations: z.int().min(1).max(30).default(5),
        interval_ms: z.int().min(0).max(10_000).default(1000),
      }),
      annotations,
    },
    async ({ city, observations, interval_ms: intervalMs }, { mcpReq }) => {
      const seen = [];
      for (let i = 1; i <= observations; i += 1) {
        await wait(intervalMs, undefined, { signal: mcpReq.signal });
        const weather = weatherOf(account, city, i);
        seen.push(weather);
        await report(mcpReq, i, observations, `${city}: ${weather.sky}, ${weather.celsius} °C`);
      }
      return text({ account, city, observations: seen });
    },
  );
  return server;
}

async function report(mcpReq: ServerContext['mcpReq'], progress: number, total: number, message: string) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress, total, message },
  });
}

function weatherOf(account: string, city: string, moment: number) {
  const skies = ['clear', 'cloudy', 'rain', 'wind', 'fog'];
  return {
    sky: skies[Math.floor(skies.length * numberFrom(account, city, moment, 'sky'))],
    celsius: Math.round(-5 + 35 * numberFrom(account, city, moment, 'celsius')),
  };
}

function text(value: object) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(value) }] };
}
