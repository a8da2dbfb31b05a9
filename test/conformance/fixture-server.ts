import { randomBytes } from 'node:crypto';
import {
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import { listenWeb, type WebListener } from '../support/web-listener.ts';
import type { RoundState } from './fixture/input-tools.ts';
import { createFixture } from './fixture/mcp-server.ts';
import { createSessions } from './fixture/sessions.ts';

/** Starts the fixture on loopback, SDK 2.x: both eras on one endpoint, for callers by a loopback name alone. */
export async function startFixtureServer(): Promise<WebListener> {
  const codec = createRequestStateCodec<RoundState>({ key: randomBytes(32) });
  const createServer = () => createFixture({ codec, notifier });
  const stateless = createMcpHandler(createServer, { legacy: 'reject' });
  function notifier(): ServerNotifier {
    return stateless.notify;
  }
  const serveSession = createSessions(createServer);
  const listener = await listenWeb(async (request) => {
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refused !== undefined) return refused;
    if (!(await isLegacyRequest(request))) return stateless.fetch(request);
    const text = request.method === 'POST' ? await request.clone().text() : '';
    return serveSession(request, toJson(text));
  });
  return {
    ...listener,
    async close() {
      await stateless.close();
      await listener.close();
    },
  };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
