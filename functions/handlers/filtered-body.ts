/** What bytes go through on their way. */
export type BodyFilter = { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array };

/**
 * A body that goes through a filter; one that throws fails it, and lets go of the source. Pulled by its reader, as the body is; a `TransformStream` would hold a failure
 * back until somebody reads what came before it.
 */
export function filteredBody(
  source: ReadableStream<Uint8Array>,
  filter: BodyFilter,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader.closed.catch((error) => controller.error(error));
      },
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          let passed: Uint8Array;
          try {
            passed = done ? filter.end() : filter.push(value);
          } catch (error) {
            controller.error(error);
            await reader.cancel(error).catch(() => {});
            return;
          }
          if (passed.byteLength > 0) controller.enqueue(passed);
          if (done) controller.close();
          if (done || passed.byteLength > 0) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
