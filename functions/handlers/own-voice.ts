import type { Message } from '../core/action.ts';
import { RPC_UPSTREAM } from '../core/denial-wire.ts';
import { EventData } from '../core/event-data.ts';
import { mediaTypeOf } from '../core/forward.ts';
import { impersonates, Voice } from '../core/impersonation.ts';
import type { Invocation } from '../core/invocation.ts';
import { LineFeeds } from '../core/line-feeds.ts';
import { rpcError } from '../core/mcp-denial.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { type BodyFilter, filteredBody } from './filtered-body.ts';
import { bufferOf, HeldBytes } from './held-bytes.ts';

/** So much of a message is held back until it is whole, for an answer in order in its place. What is larger is listened to as it passes. */
const MAX_HELD_BYTES = 65_536;
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
 * event stream that it is in, and is in the log. A message of more than 64 KB passes as it comes and is cut where it does, or where it is no JSON.
 * An event stream leaves in lines that end with a line feed, whatever they ended with: every reader finds the same events in it, this one and
 * those that come after it.
 */
export function withoutOurVoice(response: UpstreamResponse, by: SpokenBy): UpstreamResponse {
  const mediaType = mediaTypeOf(response.headers.get('content-type'));
  const { origin, requestId: request_id } = by.invocation;
  const note = () =>
    by.log({ level: 'error', event: 'upstream_impersonates', server: by.server, request_id });
  if (mediaType === 'text/event-stream') {
    return { ...response, body: filteredBody(response.body, new Events(new Voice(origin), note)) };
  }
  if (mediaType !== 'application/json') return response;
  const refusal = rpcError(by.message?.id, RPC_UPSTREAM, REFUSAL, { request_id });
  const whole = new WholeBody(new Voice(origin), note, refusal);
  return { ...response, body: filteredBody(response.body, whole) };
}

/** One message. */
class WholeBody implements BodyFilter {
  readonly #voice: Voice;
  readonly #note: () => void;
  readonly #refusal: string;
  readonly #held = new HeldBytes(MAX_HELD_BYTES);

  constructor(voice: Voice, note: () => void, refusal: string) {
    this.#voice = voice;
    this.#note = note;
    this.#refusal = refusal;
  }

  push(chunk: Uint8Array): Uint8Array {
    const bytes = bufferOf(chunk);
    this.#voice.push(bytes);
    const leaving = this.#held.keep(bytes);
    if (this.#held.isPassing) listen(this.#voice, this.#note);
    return leaving;
  }

  end(): Uint8Array {
    // What passes has left already.
    if (this.#held.isPassing) return new Uint8Array();
    const bytes = this.#held.take();
    if (!impersonates(this.#voice, () => bytes)) return bytes;
    this.#note();
    return Buffer.from(this.#refusal);
  }
}

/** One message in each event. */
class Events implements BodyFilter {
  readonly #voice: Voice;
  readonly #note: () => void;
  readonly #held = new HeldBytes(MAX_HELD_BYTES);
  readonly #lines = new LineFeeds();
  readonly #data: EventData;
  #chunk: Buffer = Buffer.alloc(0);
  /** What was held of the event that ended first in the chunk. */
  #before: Buffer = Buffer.alloc(0);
  /** Where the present event begins in the chunk. */
  #start = 0;

  constructor(voice: Voice, note: () => void) {
    this.#voice = voice;
    this.#note = note;
    this.#data = new EventData({
      data: (piece) => voice.push(piece),
      end: (at) => this.#endEvent(at),
      ambiguous: () => voice.suspect(),
    });
  }

  push(chunk: Uint8Array): Uint8Array {
    this.#chunk = this.#lines.push(chunk);
    this.#start = 0;
    this.#before = Buffer.alloc(0);
    this.#data.push(this.#chunk);
    const ended = this.#chunk.subarray(0, this.#start);
    const rest = this.#held.keep(this.#chunk.subarray(this.#start));
    if (this.#held.isPassing) listen(this.#voice, this.#note);
    if (ended.length === 0) return rest;
    const leaving = rest.length === 0 ? ended : this.#chunk;
    // One piece stays the bytes that it was.
    return this.#before.length === 0 ? leaving : Buffer.concat([this.#before, leaving]);
  }

  end(): Uint8Array {
    if (this.#held.isPassing) return new Uint8Array();
    const bytes = this.#held.take();
    if (impersonates(this.#voice, () => bytes)) refuse(this.#note);
    return bytes;
  }

  #endEvent(at: number): void {
    const isRefused = this.#held.isPassing
      ? this.#voice.end().isBroken || this.#voice.isOurs
      : impersonates(this.#voice, () => this.#held.with(this.#chunk.subarray(this.#start, at)));
    if (isRefused) refuse(this.#note);
    this.#voice.reset();
    const held = this.#held.take();
    if (this.#start === 0) this.#before = held;
    this.#start = at;
  }
}

/** Cuts what speaks in our name, or what nobody can say that of. */
function listen(voice: Voice, note: () => void): void {
  if (voice.isOurs || voice.isUnclear) refuse(note);
}

function refuse(note: () => void): never {
  note();
  throw new TypeError(REFUSAL);
}
