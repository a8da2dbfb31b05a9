/** Contract §13: 4.5 MB. */
export const MAX_BODY_BYTES = 4_500_000;

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
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
}

/** Lets go of a body that nobody will read. One that has failed already, or fails over it, is gone as well. */
export async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  await body.cancel().catch(() => {});
}
