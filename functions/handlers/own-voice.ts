import type { Message } from '../core/action.ts';
import { RPC_UPSTREAM } from '../core/denial-wire.ts';
import { EventSieve } from '../core/event-sieve.ts';
import { mediaTypeOf } from '../core/forward.ts';
import { impersonates, mayImpersonate } from '../core/impersonation.ts';
import type { Invocation } from '../core/invocation.ts';
import { rpcError } from '../core/mcp-denial.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { type BodyFilter, filteredBody } from './filtered-body.ts';

/** What asks somebody something, or is an error, is a few hundred bytes; what is larger is an answer, and passes as it comes. */
const MAX_LOOKED_AT_BYTES = 65_536;
const REFUSAL = 'the server behind spoke in the name of the gateway';

/** Whose answer it is, and to what. */
export type SpokenBy = {
  readonly server: string;
  readonly message: Message | undefined;
  readonly invocation: Invocation;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/**
 * The answer of a server behind, which may not speak in the gateway's name: what does is answered by an error in its place, or ends the
 * event stream that it is in, and is in the log. Looks at messages of 64 KB at most.
 */
export function withoutOurVoice(response: UpstreamResponse, by: SpokenBy): UpstreamResponse {
  const mediaType = mediaTypeOf(response.headers.get('content-type'));
  const isSpoken = (text: string): boolean => {
    const spoken = impersonates(text, by.invocation.origin);
    if (spoken) {
      const { requestId: request_id } = by.invocation;
      by.log({ level: 'error', event: 'upstream_impersonates', server: by.server, request_id });
    }
    return spoken;
  };
  if (mediaType === 'text/event-stream') {
    const rewrite = (data: string): string => {
      if (isSpoken(data)) throw new TypeError(REFUSAL);
      return data;
    };
    const sieve = new EventSieve({ mayHide: mayImpersonate, rewrite }, MAX_LOOKED_AT_BYTES);
    return { ...response, body: filteredBody(response.body, sieve) };
  }
  if (mediaType !== 'application/json') return response;
  const refusal = rpcError(by.message?.id, RPC_UPSTREAM, REFUSAL, { request_id: by.invocation.requestId });
  return { ...response, body: filteredBody(response.body, new WholeBody(isSpoken, refusal)) };
}

/** Holds a small body back until it is whole and was looked at. */
class WholeBody implements BodyFilter {
  readonly #isRefused: (text: string) => boolean;
  readonly #refusal: string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(isRefused: (text: string) => boolean, refusal: string) {
    this.#isRefused = isRefused;
    this.#refusal = refusal;
  }

  push(chunk: Uint8Array): Uint8Array {
    if (this.#heldBytes > MAX_LOOKED_AT_BYTES) return chunk;
    this.#held.push(chunk);
    this.#heldBytes += chunk.byteLength;
    return this.#heldBytes > MAX_LOOKED_AT_BYTES ? this.#take() : new Uint8Array();
  }

  end(): Uint8Array {
    const bytes = this.#take();
    const isRefused = mayImpersonate(bytes) && this.#isRefused(bytes.toString());
    return isRefused ? Buffer.from(this.#refusal) : bytes;
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    return bytes;
  }
}
