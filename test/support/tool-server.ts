import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** One request as a server behind the gateway saw it. */
export type SeenRequest = {
  readonly server: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** Real MCP servers on loopback, at `/{name}`: every name offers its tools, a prompt and a resource. */
export type ToolServers = {
  urlOf(name: string): string;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
};

/** SDK 2.x, both eras, stateless: each tool answers `{server}/{tool}`; `slow` reports progress first. */
export async function startToolServers(
  tools: Readonly<Record<string, readonly string[]>>,
): Promise<ToolServers> {
  const handlers = new Map(
    Object.entries(tools).map(([name, names]) => [
      name,
      createMcpHandler(() => createToolServer(name, names)),
    ]),
  );
  return listen(async (name, incoming, respond) => {
    const handler = handlers.get(name);
    if (handler === undefined) return respond(new Response(null, { status: 404 }));
    const url = `http://127.0.0.1/${name}`;
    const headers = new Headers();
    for (const [header, value] of Object.entries(incoming.headers)) headers.set(header, String(value));
    const hasBody = incoming.method === 'POST';
    const init = { method: incoming.method, headers, ...(hasBody ? { body: incoming.body } : {}) };
    return respond(await handler.fetch(new Request(url, init)));
  });
}

function createToolServer(name: string, tools: readonly string[]): McpServer {
  const server = new McpServer({ name, version: '1.0.0' });
  for (const tool of tools) {
    server.registerTool(
      tool,
      { description: `${tool} of ${name}`, inputSchema: z.object({ text: z.string().optional() }) },
      async ({ text }, { mcpReq }) => {
        if (tool === 'slow') {
          for (let progress = 1; progress <= 3; progress += 1) {
            await mcpReq.notify({
              method: 'notifications/progress',
              params: { progressToken: mcpReq._meta?.progressToken ?? 'none', progress, total: 3 },
            });
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        }
        return {
          content: [{ type: 'text', text: `${name}/${tool}${text === undefined ? '' : `:${text}`}` }],
        };
      },
    );
  }
  server.registerPrompt('greet', { description: 'greets' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }],
  }));
  server.registerResource('readme', 'doc://readme', { description: 'reads' }, () => ({
    contents: [{ uri: 'doc://readme', text: 'read me' }],
  }));
  return server;
}

/** SDK 1.x with sessions, as servers of the `initialize` era are: one transport per session. */
export async function startSessionServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const id = incoming.headers['mcp-session-id'];
      const known = typeof id === 'string' ? transports.get(id) : undefined;
      if (known !== undefined) return known.handleRequest(incoming, outgoing);
      if (typeof id === 'string') return void outgoing.writeHead(404).end();
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => `upstream-${randomUUID()}`,
        onsessioninitialized: (session) => void transports.set(session, transport),
      });
      const mcp = new McpServerV1({ name: 'sessions', version: '1.0.0' });
      mcp.registerTool('whoami', { description: 'names the session' }, ({ sessionId }) => ({
        content: [{ type: 'text', text: sessionId ?? 'none' }],
      }));
      await mcp.connect(transport);
      return transport.handleRequest(incoming, outgoing);
    })();
  });
  const port = await open(server);
  return { url: `http://127.0.0.1:${port}/mcp`, close: () => shut(server) };
}

type Incoming = { readonly method: string; readonly headers: IncomingHttpHeaders; readonly body: string };

async function listen(
  serve: (name: string, incoming: Incoming, respond: (response: Response) => Promise<void>) => Promise<void>,
): Promise<ToolServers> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const name = (incoming.url ?? '').slice(1);
      const request = {
        method: incoming.method ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push({ server: name, ...request });
      await serve(name, request, async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        for await (const chunk of response.body ?? []) outgoing.write(chunk);
        outgoing.end();
      });
    })().catch(() => outgoing.destroy());
  });
  const port = await open(server);
  return { urlOf: (name) => `http://127.0.0.1:${port}/${name}`, seen, close: () => shut(server) };
}

async function open(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  return (server.address() as AddressInfo).port;
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
