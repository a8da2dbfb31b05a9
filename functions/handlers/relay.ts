import type { Denial } from '../core/denial.ts';
import type { Result } from '../core/result.ts';

/** How a relayed stream ended. */
export type RelayEnd = 'complete' | 'failed' | 'abandoned' | 'withdrawn';

/** Does what was decided when a call began still hold? Everything is looked at again: token, revocation, policy. */
export type StillHolds = () => Promise<Result<unknown, Denial>>;

/** A revocation shows in a look within 3 s; with this it ends a stream within the 5 s of contract §4. */
export const LOOK_AGAIN_MS = 1_500;

/** What happens to a stream on its way to the client. */
export type RelayOptions = {
  /** Rewrites what passes; throwing ends the stream as failed. */
  readonly filter?: { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array };
  /** Sent when nothing has come for `keepAliveMs`, and only between two events. */
  readonly keepAlive?: { readonly text: string; readonly afterMs: number };
  /** For event streams: sent when the source fails between two events. Where it is absent, the relayed stream fails too. */
  readonly onFailure?: string;
  /** Looked at every 1.5 s while the stream lives; where it does not hold, or cannot be known to, the stream ends. */
  readonly stillHolds?: StillHolds;
  /** For event streams: sent, as `onFailure` is, when it does not hold. */
  readonly onWithdrawal?: string;
  /** Called once, when the stream has ended in any way. */
  readonly onEnd: (end: RelayEnd, error?: unknown) => void;
};

/** How long a client that is behind may take to hear of a failure, before its stream is cut. */
const HEAR_FAILURE_MS = 5_000;

/** The last of an event: a line ending and a blank line, in any mixture of the three line endings (HTML §9.2.6). */
const BLANK_LINE = /(?:\n\n|\r\r|\n\r|\n\r\n|\r\r\n)$/;

/**
 * Relays a stream chunk for chunk, pulled by the client: nothing is read ahead of its demand. The client's cancel reaches the source.
 * A source that fails fails the stream, so that no half of it passes for the whole; with `onFailure` it ends in order, and half an
 * event that was sent is left unfinished, which no SSE reader dispatches. A client that reads nothing does not outlast its source: it
 * has 5 s to hear of the failure. A stream whose call would not be admitted any more ends as one that failed does.
 */
export function relay(source: ReadableStream<Uint8Array>, options: RelayOptions): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const encoder = new TextEncoder();
  let tail = '\n\n';
  let ended = false;
  let pending: Promise<Awaited<ReturnType<typeof reader.read>>> | undefined;

  let unheard: NodeJS.Timeout | undefined;
  let nextLook: NodeJS.Timeout | undefined;
  const finish = (end: RelayEnd, error?: unknown) => {
    if (ended) return;
    clearTimeout(unheard);
    clearTimeout(nextLook);
    ended = true;
    options.onEnd(end, error);
  };
  const send = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array) => {
    if (chunk.byteLength === 0) return false;
    tail = (tail + Buffer.from(chunk.subarray(-3)).toString('latin1')).slice(-3);
    controller.enqueue(chunk);
    return true;
  };
  const isBetweenEvents = () => BLANK_LINE.test(tail);
  const tell = (
    controller: ReadableStreamDefaultController<Uint8Array>,
    event: string | undefined,
    error: unknown,
  ) => {
    if (event === undefined) {
      controller.error(error);
      return;
    }
    if (isBetweenEvents()) send(controller, encoder.encode(event));
    controller.close();
  };
  const lookAgain = async (
    controller: ReadableStreamDefaultController<Uint8Array>,
    stillHolds: StillHolds,
  ): Promise<void> => {
    const held = await stillHolds().catch((error: unknown) => ({ ok: false as const, error }));
    if (ended) return;
    if (held.ok) {
      lookLater(controller, stillHolds);
      return;
    }
    const error = new Error(`withdrawn: ${reasonOf(held.error)}`);
    finish('withdrawn', error);
    tell(controller, options.onWithdrawal, error);
    // Who reads nothing is not told, and is not waited for.
    setTimeout(() => controller.error(error), HEAR_FAILURE_MS).unref();
    await reader.cancel(error).catch(() => {});
  };
  const lookLater = (controller: ReadableStreamDefaultController<Uint8Array>, stillHolds: StillHolds) => {
    nextLook = setTimeout(() => void lookAgain(controller, stillHolds), LOOK_AGAIN_MS).unref();
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (options.stillHolds !== undefined) lookLater(controller, options.stillHolds);
        reader.closed.catch((error) => {
          if (ended) return;
          unheard = setTimeout(() => {
            finish('failed', error);
            controller.error(error);
          }, HEAR_FAILURE_MS);
        });
      },
      async pull(controller) {
        try {
          for (;;) {
            pending ??= reader.read();
            const read = await orKeepAlive(pending, options.keepAlive?.afterMs);
            if (read === 'silent') {
              if (ended) return;
              if (isBetweenEvents() && send(controller, encoder.encode(options.keepAlive?.text ?? '')))
                return;
              continue;
            }
            pending = undefined;
            if (ended) return;
            if (read.done) {
              if (options.filter !== undefined) send(controller, options.filter.end());
              controller.close();
              finish('complete');
              return;
            }
            if (send(controller, options.filter?.push(read.value) ?? read.value)) return;
          }
        } catch (error) {
          if (ended) return;
          finish('failed', error);
          tell(controller, options.onFailure, error);
          await reader.cancel().catch(() => {});
        }
      },
      async cancel(reason) {
        finish('abandoned');
        await reader.cancel(reason).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}

async function orKeepAlive<T>(read: Promise<T>, afterMs: number | undefined): Promise<T | 'silent'> {
  if (afterMs === undefined) return read;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<'silent'>((resolve) => {
    timer = setTimeout(() => resolve('silent'), afterMs);
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  const isDenial = typeof error === 'object' && error !== null && 'reason' in error;
  return isDenial ? String(error.reason) : String(error);
}
