import { lookup as resolveName } from 'node:dns';
import type http from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { classifyAddress, isLoopback, mayConnect } from '../core/perimeter.ts';
import { isInNetworks } from '../core/perimeter-list.ts';
import type { Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { moduleFor, UpstreamPools } from './upstream-pools.ts';

const MAX_HEADER_BYTES = 32_768;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 305, 307, 308]);

class RefusedAddress extends Error {}

/**
 * The guarded way out over `node:http(s)`. The name is resolved once, every address is checked, and the connection goes to the
 * address that was checked, with TLS verified for the name. Redirects are refused. Proxy variables are not read. Bodies stay
 * encoded as they came, and are read no faster than somebody asks for them. Connections are kept alive only within one isolation key.
 * Bounds: connect, first byte, silence, call. Silence is time for which a reader waits; a reader that does not ask is bounded by the call.
 */
export function createUpstream(): Upstream {
  const pools = new UpstreamPools();
  return {
    send(request) {
      const agent = pools.agentFor(request);
      return new Promise((resolve) => start(request, agent, resolve));
    },
  };
}

function start(
  request: UpstreamRequest,
  agent: http.Agent,
  resolve: (answer: Result<UpstreamResponse, UpstreamFailure>) => void,
): void {
  const fail = (reason: UpstreamFailure['reason'], detail: string) => resolve(err({ reason, detail }));
  const host = request.url.hostname.replace(/^\[|\]$/g, '');
  const isAllowed = (address: string) => mayReach(request, address);
  if (isIP(host) !== 0 && !isAllowed(host)) {
    fail('refused_address', `${host} is not allowed`);
    return;
  }
  const outgoing = openRequest(request, agent, checkedLookup(isAllowed));
  if (outgoing === undefined) {
    fail(
      'unreachable',
      'the request cannot be written: a method or header has characters that none may have',
    );
    return;
  }
  const closed = () => bounds.stop(new Error('the connection closed without an answer'));
  const bounds = new Bounds(outgoing, request, (error) => {
    if (error instanceof RefusedAddress) fail('refused_address', error.message);
    else if (error instanceof TimedOut) fail('timeout', error.message);
    else fail('unreachable', toldOf(error));
  });
  outgoing.once('socket', (socket) => bounds.watchConnect(socket));
  outgoing.on('error', (error) => bounds.stop(error));
  outgoing.once('close', closed);
  const switched = (_: http.IncomingMessage, socket: Duplex) => {
    // Without an error: nobody listens to this socket any more, not even Node.
    socket.destroy();
    bounds.stop(new Error('the upstream switches protocols'));
  };
  outgoing.once('upgrade', switched).once('connect', switched);
  outgoing.once('response', (incoming) => {
    const status = incoming.statusCode ?? 0;
    outgoing.off('close', closed);
    if (REDIRECTS.has(status)) {
      fail('redirect', `status ${status}`);
      bounds.stop(new Error('a redirect'));
      return;
    }
    if (status < 200 || status > 599) {
      bounds.stop(new Error(`status ${status}`));
      return;
    }
    bounds.watchBody(incoming);
    resolve(ok({ status, headers: joinHeaders(incoming), body: bodyOf(incoming, bounds) }));
  });
  outgoing.end(request.body);
}

/** What went wrong, in no words of the upstream's: Node's own tell every name that is in its certificate. */
function toldOf(error: Error): string {
  const isForAnother = 'code' in error && error.code === 'ERR_TLS_CERT_ALTNAME_INVALID';
  return isForAnother ? 'its certificate is for another host' : error.message;
}

/** Undefined where a header of the caller's is none that HTTP can carry. */
function openRequest(
  request: UpstreamRequest,
  agent: http.Agent,
  lookup: LookupFunction,
): http.ClientRequest | undefined {
  const { request: open } = moduleFor(request.url);
  try {
    return open(request.url, {
      method: request.method,
      headers: {
        ...Object.fromEntries(request.headers),
        ...(request.body === undefined ? {} : { 'content-length': String(request.body.byteLength) }),
      },
      agent,
      lookup,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

class TimedOut extends Error {}

/** The four time bounds of one call, and the caller's abort. Each ends the call: it fails, and its socket is destroyed. */
class Bounds {
  readonly #request: UpstreamRequest;
  readonly #fail: (error: Error) => void;
  readonly #abort = () => this.stop(new Error('the caller is gone'));
  #target: http.ClientRequest | http.IncomingMessage;
  #phase: NodeJS.Timeout;
  readonly #call: NodeJS.Timeout;

  constructor(outgoing: http.ClientRequest, request: UpstreamRequest, fail: (error: Error) => void) {
    this.#target = outgoing;
    this.#request = request;
    this.#fail = fail;
    this.#call = this.#after(request.timeout.callMs, 'the call took too long');
    this.#phase = this.#after(request.timeout.firstByteMs, 'no answer in time');
    request.signal.addEventListener('abort', this.#abort, { once: true });
    if (request.signal.aborted) this.#abort();
  }

  watchConnect(socket: import('node:net').Socket): void {
    if (!socket.connecting) return;
    const timer = this.#after(this.#request.timeout.connectMs, 'no connection in time');
    const settle = () => clearTimeout(timer);
    socket.once('connect', settle).once('close', settle).once('error', settle);
  }

  watchBody(incoming: http.IncomingMessage): void {
    clearTimeout(this.#phase);
    this.#target = incoming;
    incoming.once('close', () => this.#end());
  }

  /** Waits for the next of the body, and no longer than the upstream may be silent. */
  async listen<T>(next: Promise<T>): Promise<T> {
    this.#phase = this.#after(this.#request.timeout.silenceMs, 'the upstream fell silent');
    try {
      return await next;
    } finally {
      clearTimeout(this.#phase);
    }
  }

  /** Ends the call: without an answer it has failed, and an answer that has begun fails in its body. */
  stop(error: Error): void {
    this.#end();
    this.#fail(error);
    this.#target.destroy(error);
  }

  #end(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#call);
    this.#request.signal.removeEventListener('abort', this.#abort);
  }

  #after(ms: number, message: string): NodeJS.Timeout {
    return setTimeout(() => this.stop(new TimedOut(message)), ms);
  }
}

/**
 * A body as its reader asks for it: what has arrived by then comes as one chunk, and nothing is read ahead of that but what Node's own
 * buffers hold. A failure is there at once, whether or not somebody is reading.
 */
function bodyOf(incoming: http.IncomingMessage, bounds: Bounds): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array, unknown> = incoming.iterator();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming.once('error', (error) => controller.error(error));
      },
      async pull(controller) {
        const next = await bounds.listen(chunks.next());
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel() {
        incoming.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

/** May this request connect to an address: of a class that it may, and of the private ones in a network that it may? */
function mayReach(
  { url, allowPrivate, privateNetworks, refusesLoopback = false }: UpstreamRequest,
  address: string,
): boolean {
  if (refusesLoopback && isLoopback(address)) return false;
  if (!mayConnect(address, allowPrivate, url.protocol === 'https:')) return false;
  const isFree = privateNetworks === undefined || classifyAddress(address) === 'public';
  return isFree || isInNetworks(privateNetworks, address);
}

/** Resolves like the system does, and gives only addresses that may be connected to: one refused address refuses the name. */
function checkedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`no address for ${hostname}`), '');
      } else if (!addresses.every(({ address }) => isAllowed(address))) {
        callback(new RefusedAddress(`${hostname} resolves to an address that is not allowed`), '');
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

function joinHeaders(incoming: http.IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    if (values !== undefined) headers.set(name, values.join(', '));
  }
  return headers;
}
