import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createIdentityVerifier } from './identity.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';

/** An order in the company's own database. */
export type Order = { readonly customer: string; readonly item: string; readonly parcel: string };

/**
 * `origin` is the gateway's, known by the first request; `carrierUrl` the carrier's API. `orders` is the internal database, by number; its customers are subjects of the
 * gateway's tokens.
 */
export type OrdersOptions = {
  readonly origin: string;
  readonly port: number;
  readonly carrierUrl: string;
  readonly orders: Readonly<Record<string, Order>>;
};

const Parcel = z.object({ parcel: z.string(), status: z.string() });
const Tracked = z.object({ order: z.string(), item: z.string(), status: z.string() });

type Caller = { readonly subject: string; readonly carrierToken: string };

/**
 * Starts the order tracking server, which is registered with `egress: { mode: hybrid }`: MCP at `/mcp`, both protocol eras. Who calls is
 * in the gateway's identity token (`Authorization`), which is verified and decides which orders there are; what the carrier shows, the
 * user's own token decides (`X-Provider-Authorization`), which goes to the carrier and nowhere else. Without both nothing is answered.
 */
export async function startOrders(
  options: OrdersOptions,
): Promise<LoopbackServer & { readonly url: string }> {
  const handler = createMcpHandler(({ authInfo }) => {
    const { subject = '', carrierToken = '' } = authInfo?.extra ?? {};
    return createOrders(options, { subject: String(subject), carrierToken: String(carrierToken) });
  });
  let verify: ReturnType<typeof createIdentityVerifier> | undefined;
  const server = await serveOnLoopback(options.port, async (request) => {
    if (new URL(request.url).pathname !== '/mcp') return new Response(null, { status: 404 });
    verify ??= createIdentityVerifier({ origin: options.origin, audience: `${server.origin}/mcp` });
    const identity = await verify(request.headers.get('authorization'));
    if (!identity.ok && identity.reason === 'unavailable') {
      return new Response(null, { status: 503, headers: { 'retry-after': '5' } });
    }
    const [, carrierToken] =
      /^Bearer (\S+)$/.exec(request.headers.get('x-provider-authorization') ?? '') ?? [];
    if (!identity.ok || carrierToken === undefined) {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
      return Response.json({ error: 'invalid_token' }, { status: 401, headers });
    }
    const { token, clientId, scopes, expiresAtSeconds, subject } = identity.value;
    return handler.fetch(request, {
      authInfo: {
        token,
        clientId,
        scopes: [...scopes],
        expiresAt: expiresAtSeconds,
        extra: { subject, carrierToken },
      },
    });
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

function createOrders({ orders, carrierUrl }: OrdersOptions, { subject, carrierToken }: Caller): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' });
  const failure = (text: string) => ({ content: [{ type: 'text' as const, text }], isError: true });
  server.registerTool(
    'track_order',
    {
      title: 'Where is my order?',
      description: 'What was ordered, and where the carrier has it.',
      inputSchema: z.object({ order: z.string() }),
      outputSchema: Tracked,
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async ({ order }, { mcpReq }) => {
      const found = Object.hasOwn(orders, order) ? orders[order] : undefined;
      // Another customer's order is as good as none.
      if (found === undefined || found.customer !== subject) return failure(`you have no order ${order}`);
      const answer = await fetch(`${carrierUrl}/parcels/${encodeURIComponent(found.parcel)}`, {
        headers: { authorization: `Bearer ${carrierToken}` },
        redirect: 'error',
        signal: mcpReq.signal,
      });
      const parcel = Parcel.safeParse(answer.ok ? await answer.json() : undefined);
      if (!parcel.success) return failure(`the carrier shows you no parcel of order ${order}`);
      const tracked = { order, item: found.item, status: parcel.data.status };
      return { content: [{ type: 'text', text: JSON.stringify(tracked) }], structuredContent: tracked };
    },
  );
  return server;
}
