import type { Writable } from 'node:stream';

/**
 * Writes a body to a stream and ends it. Nothing is read while the stream is full, and a body that fails meanwhile is not waited
 * for. When `gone` aborts, the body is cancelled and nothing more is written.
 * @throws what the body failed with; the stream is then left as it is, for the runtime to cut short
 */
export async function pump(
  body: ReadableStream<Uint8Array> | null,
  out: Writable,
  gone: AbortSignal,
): Promise<void> {
  const reader = body?.getReader();
  const over = new AbortController();
  reader?.closed.catch(() => over.abort());
  const leave = () => {
    over.abort();
    void reader?.cancel().catch(() => {});
  };
  gone.addEventListener('abort', leave, { once: true });
  try {
    while (reader && !gone.aborted) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!out.write(value)) await drained(out, over.signal);
    }
    if (!out.destroyed) out.end();
  } finally {
    gone.removeEventListener('abort', leave);
  }
}

function drained(out: Writable, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      out.off('drain', settle);
      over.removeEventListener('abort', settle);
      resolve();
    };
    out.once('drain', settle);
    over.addEventListener('abort', settle, { once: true });
    if (over.aborted) settle();
  });
}
