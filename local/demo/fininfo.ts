import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createEgressClient, type EgressAnswer, type EgressClientOptions } from './egress-client.ts';
import { createIdentityVerifier } from './identity.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';
import { StockAggregates, StockQuery, toPath, toTable } from './stock-query.ts';

/**
 * `origin` is the gateway's. `url` is this server's own, as `servers.yml` names it; without it, the address that it
 * listens on. `clientId` and `clientSecret` are this server's registration at the issuer. There is no API key here.
 */
export type FininfoOptions = EgressClientOptions & { readonly port: number; readonly url?: string };

/**
 * Starts the stock data server: MCP at `/mcp`, both protocol eras. Every request must carry an identity token of the
 * gateway; the data is asked for through `/egress/polygon` on behalf of that caller, so the key of the verified
 * client is chosen and put on by the gateway, and this server never sees it.
 */
export async function startFininfo(options: FininfoOptions): Promise<LoopbackServer & { url: string }> {
  const egress = createEgressClient(options);
  const handler = createMcpHandler(({ authInfo }) =>
    createFininfo((query, signal) => egress.get('polygon', toPath(query), authInfo?.token ?? '', signal)),
  );
  let verify: ReturnType<typeof createIdentityVerifier> | undefined;
  const server = await serveOnLoopback(options.port, async (request) => {
    if (new URL(request.url).pathname !== '/mcp') return new Response(null, { status: 404 });
    const identity = await verify?.(request.headers.get('authorization'));
    if (identity === undefined || (!identity.ok && identity.reason === 'unavailable')) {
      return new Response(null, { status: 503, headers: { 'retry-after': '5' } });
    }
    if (!identity.ok) {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
      return Response.json({ error: 'invalid_token' }, { status: 401, headers });
    }
    const { token, clientId, scopes, expiresAtSeconds } = identity.value;
    return handler.fetch(request, {
      authInfo: { token, clientId, scopes: [...scopes], expiresAt: expiresAtSeconds },
    });
  });
  const url = options.url ?? `${server.origin}/mcp`;
  verify = createIdentityVerifier({ origin: options.origin, audience: url });
  return {
    ...server,
    url,
    async close() {
      await handler.close();
      await server.close();
    },
  };
}

type Ask = (query: Parameters<typeof toPath>[0], signal: AbortSignal) => Promise<EgressAnswer>;

function createFininfo(ask: Ask): McpServer {
  const server = new McpServer({ name: 'fininfo', version: '1.0.0' });
  const load = async (...request: Parameters<Ask>) => {
    const answer = await ask(...request);
    if (!answer.ok) return { ok: false, message: answer.message } as const;
    const parsed = StockAggregates.safeParse(answer.body);
    if (!parsed.success) return { ok: false, message: 'polygon answered in an unknown shape' } as const;
    return { ok: true, data: parsed.data } as const;
  };
  const failure = (message: string) => ({
    content: [{ type: 'text' as const, text: message }],
    isError: true,
  });
  server.registerTool(
    'get_stock_aggregates',
    {
      title: 'Stock aggregates',
      description: 'Open, high, low, close and volume of a stock over a range of dates.',
      inputSchema: StockQuery,
      outputSchema: StockAggregates,
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async (query, { mcpReq }) => {
      const loaded = await load(query, mcpReq.signal);
      if (!loaded.ok) return failure(loaded.message);
      return {
        content: [{ type: 'text', text: JSON.stringify(loaded.data) }],
        structuredContent: loaded.data,
      };
    },
  );
  server.registerTool(
    'print_stock_data',
    {
      title: 'Stock table',
      description: 'The same data as a table to read.',
      inputSchema: StockQuery,
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async (query, { mcpReq }) => {
      const loaded = await load(query, mcpReq.signal);
      return loaded.ok
        ? { content: [{ type: 'text', text: toTable(loaded.data) }] }
        : failure(loaded.message);
    },
  );
  return server;
}
