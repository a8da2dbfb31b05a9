import { bufferOf, HeldBytes } from './held-bytes.ts';

/** What looks through an answer in JSON. */
export type JsonLook = {
  /** A larger answer is not looked at but for how it begins, and passes as it comes. */
  readonly maxBytes: number;
  readonly mayPass: (answer: Buffer) => boolean;
  readonly refusal: string;
  readonly onRefusal: () => void;
};

const ARRAY = 0x5b;
/** White space of JSON, and a byte order mark, which many readers skip. */
const BEFORE_VALUE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/**
 * Passes an answer in JSON on as it is, unless it is an array, which answers no request, begins with more white space than is looked at, or
 * is small and may not pass: then `refusal` is sent in its place, the stream ends in order, and `onRefusal` hears of it. A small one is held
 * back until it is whole, a larger one up to `maxBytes`; nothing is read ahead of demand beyond that.
 */
export function lookThroughJson(
  source: ReadableStream<Uint8Array>,
  { maxBytes, mayPass, refusal, onRefusal }: JsonLook,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const held = new HeldBytes(maxBytes);
  let begins: number | undefined;

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader.closed.catch((error) => controller.error(error));
      },
      async pull(controller) {
        const refuse = async () => {
          onRefusal();
          controller.enqueue(new TextEncoder().encode(refusal));
          controller.close();
          await reader.cancel().catch(() => {});
        };
        for (;;) {
          const { done, value } = await reader.read();
          if (done) {
            const rest = held.isPassing ? undefined : held.take();
            if (rest !== undefined && !mayPass(rest)) return refuse();
            if (rest !== undefined && rest.byteLength > 0) controller.enqueue(rest);
            controller.close();
            return;
          }
          const wasPassing = held.isPassing;
          const leaving = held.keep(bufferOf(value));
          begins ??= value.find((byte) => !BEFORE_VALUE.has(byte));
          if (!wasPassing && (begins === ARRAY || (held.isPassing && begins === undefined))) return refuse();
          if (leaving.byteLength > 0) {
            controller.enqueue(leaving);
            return;
          }
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
