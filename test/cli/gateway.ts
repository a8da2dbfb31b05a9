import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { serveOnLoopback } from '../../local/demo/loopback.ts';

/** A plan that changes nothing, over version 6. */
export const EMPTY_PLAN = { over: 6, changes: [], warnings: [] };

/** One request that the gateway got: its form or JSON body as text. */
export type Seen = {
  readonly path: string;
  readonly authorization: string | null;
  readonly ifMatch: string | null;
  readonly body: string;
};

/**
 * What the command talks to: a token endpoint that knows the client `analyst`, a policy that wants the token
 * `admin-token`, and one MCP server, `tools`, that wants `mcp-token`.
 */
export async function startGateway() {
  const seen: Seen[] = [];
  const planAnswer: { status: number; body: object } = { status: 200, body: EMPTY_PLAN };
  const policyAnswer: { status: number; body: object } = { status: 200, body: { version: 7 } };
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'tools', version: '1.2.3' });
    server.registerTool(
      'echo',
      { description: 'Says it again.', inputSchema: z.object({ text: z.string() }) },
      ({ text }) => ({
        content: [{ type: 'text', text }],
      }),
    );
    server.registerTool('deny', { inputSchema: z.object({}) }, () => ({
      content: [{ type: 'text', text: 'Denied: this client may not call `deny`.' }],
      isError: true,
    }));
    return server;
  });
  const server = await serveOnLoopback(0, async (request) => {
    const { pathname } = new URL(request.url);
    const authorization = request.headers.get('authorization');
    if (pathname === '/tools/mcp') {
      if (authorization !== 'Bearer mcp-token') {
        return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
      }
      return mcp.fetch(request);
    }
    if (pathname === '/down/mcp') {
      const data = { reason: 'upstream_error', request_id: 'r-7' };
      const error = { code: -31003, message: 'the server behind could not be reached', data };
      return Response.json({ jsonrpc: '2.0', id: 1, error }, { status: 502 });
    }
    if (pathname === '/guarded/mcp') {
      const challenge = 'Bearer error="insufficient_scope", scope="tools/read"';
      return new Response(null, { status: 403, headers: { 'www-authenticate': challenge } });
    }
    if (pathname === '/broken/mcp') {
      return Response.json({ title: 'Unavailable', detail: 'no credential store' }, { status: 503 });
    }
    const body = await request.text();
    seen.push({ path: pathname, authorization, ifMatch: request.headers.get('if-match'), body });
    if (pathname === '/oauth/token') return answerToken(authorization, new URLSearchParams(body));
    if (pathname === '/admin/policy/plan' && authorization === 'Bearer admin-token') {
      return Response.json(planAnswer.body, { status: planAnswer.status });
    }
    if (pathname.startsWith('/admin/policy')) {
      return authorization === 'Bearer admin-token'
        ? Response.json(policyAnswer.body, { status: policyAnswer.status })
        : Response.json(
            {
              title: 'Forbidden',
              detail: 'manage_policy is missing',
              code: 'permission_denied',
              request_id: 'r-1',
            },
            { status: 403 },
          );
    }
    return new Response(null, { status: 404 });
  });
  return { ...server, seen, policyAnswer, planAnswer };
}

function answerToken(authorization: string | null, form: URLSearchParams): Response {
  const posted = `${form.get('client_id')}:${form.get('client_secret')}`;
  const given = authorization === null ? posted : atob(authorization.replace('Basic ', ''));
  if (given !== 'analyst:s3cret%2B%2F' && given !== 'analyst:s3cret+/') {
    return Response.json(
      { error: 'invalid_client', error_description: 'unknown client or secret' },
      { status: 401 },
    );
  }
  if (form.get('scope') === 'of-one-server' && !form.has('resource')) {
    return Response.json({ error: 'invalid_target', error_description: 'name the server' }, { status: 400 });
  }
  const isMcp = form.get('resource')?.endsWith('/tools/mcp') === true;
  return Response.json({
    access_token: isMcp ? 'mcp-token' : 'any-token',
    token_type: 'Bearer',
    expires_in: 600,
    scope: form.get('scope') ?? 'all',
  });
}
