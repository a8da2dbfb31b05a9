import type { Hono } from 'hono';
import { stringList } from '../core/compact-jws.ts';
import type { Denial } from '../core/denial.ts';
import { dropMessageHeaders, mcpRequestHeaders } from '../core/forward.ts';
import { parseJsonText } from '../core/json.ts';
import type { ServerEntry } from '../core/policy.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { isPreparation } from '../core/preparation.ts';
import { err, ok, type Result } from '../core/result.ts';
import { authorizationForUpstream } from '../core/upstream-token.ts';
import { type AppEnv, createApp } from './app.ts';
import { discard } from './body.ts';
import { type AskingPorts, askForConnections } from './connect/asking-backend.ts';
import { type EgressPorts, serveEgress } from './egress.ts';
import { type McpBackend, type McpCall, type McpPorts, serveMcp } from './mcp.ts';
import { withoutOurVoice } from './own-voice.ts';
import { callUpstream, type OutboundPorts } from './upstream-call.ts';

/** The ports of the gateway. */
export type GatewayPorts = Omit<McpPorts, 'backend'> & OutboundPorts & EgressPorts & AskingPorts;

/** The gateway: MCP servers at `/{server}/mcp`, and the egress gateway for those servers at `/egress/{service}/…`. */
export function createGateway(ports: GatewayPorts): Hono<AppEnv> {
  const app = createApp(ports.log, ports.allowedOrigins);
  const backend = askForConnections(ports, createUpstreamBackend(ports));
  app.all('/:server/mcp', (c) => serveMcp({ ...ports, backend }, c.req.raw, c.req.param('server'), c.env));
  app.all('/egress/:service/*', (c) => serveEgress(ports, c.req.raw, c.req.param('service'), c.env));
  return app;
}

/**
 * MCP servers behind the gateway. A legacy session id is sealed over the server's own, the caller and its scopes there: another caller's is
 * unknown, and so is a wider token's to a narrower one.
 */
function createUpstreamBackend(ports: GatewayPorts): McpBackend {
  return {
    accepts: (policy, server, httpMethod) =>
      httpMethod !== 'GET' || policy.servers.get(server)?.getStream === true,

    async send(call) {
      const target = call.policy.servers.get(call.server);
      if (target === undefined) return err({ reason: 'unknown_server', obtainable: [] });
      const headers = mcpRequestHeaders(call.headers, target.headers);
      if (call.body !== undefined) headers.set('content-type', 'application/json');
      const session = await openSession(ports, call);
      if (!session.ok) return session;
      if (session.value !== undefined) headers.set('mcp-session-id', session.value);
      // They describe a message; where there is none, nothing holds them to what was decided.
      if (call.body === undefined) dropMessageHeaders(headers);
      // A stream is resumed within the caller's own session, or not at all.
      if (call.httpMethod !== 'GET' || session.value === undefined) headers.delete('last-event-id');
      const answer = await callUpstream(ports, {
        caller: call.caller,
        target,
        provider: call.policy.providerFor(target.egress, call.caller.orgId),
        perimeter: call.policy.perimeter,
        method: call.httpMethod,
        url: new URL(target.url),
        headers,
        body: call.body,
        origin: call.invocation.origin,
        callerAuthorization: authorizationForUpstream(call),
        isPreparation: isPreparation(call.message),
        signal: call.invocation.signal,
        waitUntil: call.invocation.waitUntil,
        stillHolds: call.stillHolds,
      });
      if (!answer.ok) return answer;
      const refused = await refuseUnusable(answer.value, target);
      if (refused !== undefined) return err(refused);
      const response = withoutOurVoice(answer.value, { ...call, log: ports.log });
      return sealSession(ports, call, response);
    },
  };
}

/**
 * A server that refuses the credential which the gateway put on is a server that cannot be used; its 401 is not the client's, which would
 * take it for one of the gate. Where the credential is the caller's own, the caller is told so in words.
 */
async function refuseUnusable(
  response: UpstreamResponse,
  { egress }: ServerEntry,
): Promise<Denial | undefined> {
  if (response.status !== 401 && response.status !== 407) return undefined;
  await discard(response.body);
  const isOfCaller = egress.mode === 'passthrough' && response.status === 401;
  const reason = isOfCaller ? 'refused_upstream_token' : 'refused_credential';
  return { reason, detail: `the upstream answered ${response.status}` };
}

/** The server's own session id; undefined where the client sent none, or in the stateless era, which ignores it. */
async function openSession(ports: GatewayPorts, call: McpCall): Promise<Result<string | undefined, Denial>> {
  const sealed = call.headers.get('mcp-session-id');
  if (sealed === null || call.era === 'modern') return ok(undefined);
  const sealer = await ports.sealer();
  if (sealer === undefined)
    return err({ reason: 'unavailable', detail: 'the sealing secret cannot be read' });
  const opened = sealer.open('session', sessionContext(call), sealed);
  const [session, ...scopes] = opened === undefined ? [] : readSession(opened);
  // What was answered to a wider token of the same caller is not for a narrower one to resume.
  const isWithin = scopes.every((scope) => call.caller.scopes.includes(scope));
  return session === undefined || !isWithin ? err({ reason: 'unknown_session' }) : ok(session);
}

async function sealSession(
  ports: GatewayPorts,
  call: McpCall,
  response: UpstreamResponse,
): Promise<Result<{ readonly response: UpstreamResponse; readonly sessionId?: string }, Denial>> {
  const session = response.headers.get('mcp-session-id');
  if (session === undefined || call.era === 'modern') return ok({ response });
  const sealer = await ports.sealer();
  if (sealer === undefined) {
    await discard(response.body);
    return err({ reason: 'unavailable', detail: 'the sealing secret cannot be read' });
  }
  const text = JSON.stringify([session, ...scopesThere(call)]);
  return ok({ response, sessionId: sealer.seal('session', sessionContext(call), text, ports.nonce()) });
}

/** The server's own id, and the scopes of the token that it was opened with; nothing of what another release has sealed. */
function readSession(text: string): readonly string[] {
  const parsed = parseJsonText(text);
  return parsed.ok ? (stringList(parsed.value) ?? []) : [];
}

/** The caller's scopes that open anything on this server. */
function scopesThere({ policy, caller, server }: McpCall): readonly string[] {
  return caller.scopes.filter((scope) => policy.rules(scope, server).length > 0);
}

function sessionContext(call: McpCall): string {
  return JSON.stringify([call.caller.key, call.server]);
}
