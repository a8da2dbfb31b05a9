/** How a relayed stream ended. */
export type RelayEnd = 'complete' | 'failed' | 'abandoned';

/** What happens to a stream on its way to the client. */
export type RelayOptions = {
  /** Rewrites text as it passes; throwing ends the stream as failed. */
  readonly filter?: { push(text: string): string; end(): string };
  /** Sent when nothing has come for `keepAliveMs`, and only between two events. */
  readonly keepAlive?: { readonly text: string; readonly afterMs: number };
  /** For event streams: sent when the source fails between two events. Where it is absent, the relayed stream fails too. */
  readonly onFailure?: string;
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
 * has 5 s to hear of the failure.
 */
export function relay(source: ReadableStream<Uint8Array>, options: RelayOptions): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let tail = '\n\n';
  let ended = false;
  let pending: Promise<Awaited<ReturnType<typeof reader.read>>> | undefined;

  let unheard: NodeJS.Timeout | undefined;
  const finish = (end: RelayEnd, error?: unknown) => {
    if (ended) return;
    clearTimeout(unheard);
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

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
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
              if (isBetweenEvents() && send(controller, encoder.encode(options.keepAlive?.text ?? '')))
                return;
              continue;
            }
            pending = undefined;
            if (read.done) {
              send(controller, encoder.encode(options.filter?.end() ?? ''));
              controller.close();
              finish('complete');
              return;
            }
            const chunk = options.filter
              ? encoder.encode(options.filter.push(decoder.decode(read.value, { stream: true })))
              : read.value;
            if (send(controller, chunk)) return;
          }
        } catch (error) {
          finish('failed', error);
          if (options.onFailure === undefined) {
            controller.error(error);
          } else {
            if (isBetweenEvents()) send(controller, encoder.encode(options.onFailure));
            controller.close();
          }
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
