import type http from 'node:http';
import type { UpstreamRequest } from '../core/ports.ts';

const MAX_POOLS = 200;
/**
 * An idle connection is not used again after this time by the wall clock: a frozen environment wakes with sockets that the
 * other side closed long ago, and a POST must not be sent twice to find out. Servers commonly keep them for 5 s.
 */
const IDLE_SOCKET_MS = 3_000;

type Pool = { readonly agent: http.Agent; readonly usedAtMs: number };

/** Connections to upstreams, kept alive for a moment and shared only within one isolation key and origin. */
export class UpstreamPools {
  readonly #pools = new Map<string, Pool>();

  /** The agent whose connections the request may use. */
  agentFor(request: UpstreamRequest): http.Agent {
    const { isolationKey, url, allowPrivate, privateNetworks, refusesLoopback } = request;
    const key = JSON.stringify([isolationKey, url.origin, allowPrivate, privateNetworks, refusesLoopback]);
    const usedAtMs = Date.now();
    const known = this.#pools.get(key);
    const isIdle = known !== undefined && usedAtMs - known.usedAtMs >= IDLE_SOCKET_MS;
    const agent = known === undefined || isIdle ? createAgent(request.url) : known.agent;
    this.#pools.delete(key);
    this.#pools.set(key, { agent, usedAtMs });
    for (const [oldest, pool] of this.#pools) {
      if (this.#pools.size <= MAX_POOLS) break;
      this.#pools.delete(oldest);
      closeIdle(pool.agent);
    }
    if (isIdle) closeIdle(known.agent);
    return agent;
  }
}

/**
 * Node's client for a URL. Loaded when it is first needed: that takes longer than all else that a function does when it starts, and
 * the authorizer rarely needs it.
 */
export function moduleFor(url: URL): Pick<typeof http, 'request' | 'Agent'> {
  return url.protocol === 'https:'
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
}

/** Closes what nobody uses; a stream that still runs on the pool keeps its own socket. */
function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

function createAgent(url: URL): http.Agent {
  const options = {
    keepAlive: true,
    timeout: IDLE_SOCKET_MS,
    maxFreeSockets: 4,
    scheduling: 'lifo' as const,
    // Said, so that no variable of the environment can say otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  const { Agent } = moduleFor(url);
  return new Agent(options);
}
