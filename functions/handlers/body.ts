/** Contract §13: 4.5 MB. */
export const MAX_BODY_BYTES = 4_500_000;

const FIRST_BUFFER_BYTES = 16_384;

/** Statuses whose answer has no body (Fetch, null body status). */
export const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** Reads a request's body up to a bound; undefined where it is longer. */
export async function readBody(
  request: Request,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<Uint8Array | undefined> {
  return request.body === null ? new Uint8Array() : readStream(request.body, maxBytes);
}

/** Reads a stream up to a bound; undefined, and the stream cancelled, where it is longer. */
export async function readStream(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const reader = stream.getReader();
  // One buffer that grows: a stream in single bytes would otherwise cost an object for each of them.
  let bytes = Buffer.allocUnsafe(Math.min(FIRST_BUFFER_BYTES, maxBytes));
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, size);
    const newSize = size + value.byteLength;
    if (newSize > maxBytes) {
      await reader.cancel().catch(() => {});
      return undefined;
    }
    if (newSize > bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(newSize, bytes.length * 2), maxBytes));
      bytes.copy(grown, 0, 0, size);
      bytes = grown;
    }
    bytes.set(value, size);
    size = newSize;
  }
}

/** Lets go of a body that nobody will read. One that has failed already, or fails over it, is gone as well. */
export async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  await body.cancel().catch(() => {});
}
