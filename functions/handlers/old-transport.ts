/** What a server is told to do that speaks only the HTTP+SSE transport of 2024-11-05; its client reads it. */
export const OLD_SERVER_TEXT =
  'the server behind does not take POST at its URL; it must speak Streamable HTTP: the HTTP+SSE transport of 2024-11-05 is not served';

/** The first event of that transport tells where to POST. More than this before an event is none of its beginnings. */
const MAX_UNDECIDED_BYTES = 4_096;
const BLANK_LINE_AT_END = /(?:\n\n|\r\r|\r\n\r\n)$/;

/**
 * Passes an event stream on as it is, unless its first event is the `endpoint` of HTTP+SSE, which names an address behind the
 * gateway that nothing could reach: then `refusal` is sent in its place, the stream ends in order, and `onRefusal` hears of it. Nothing
 * is read ahead of demand, and no whole event or comment waits for the next one.
 */
export function refuseOldTransport(
  source: ReadableStream<Uint8Array>,
  refusal: string,
  onRefusal: () => void,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let isDecided = false;
  let undecided = '';
  let held: Uint8Array[] = [];

  const release = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    for (const chunk of held) controller.enqueue(chunk);
    held = [];
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader.closed.catch((error) => controller.error(error));
      },
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) {
            release(controller);
            controller.close();
            return;
          }
          if (isDecided) {
            controller.enqueue(value);
            return;
          }
          held.push(value);
          undecided += Buffer.from(value).toString('latin1');
          const begins = firstField(undecided);
          if (begins === 'endpoint') {
            onRefusal();
            controller.enqueue(new TextEncoder().encode(refusal));
            controller.close();
            await reader.cancel().catch(() => {});
            return;
          }
          isDecided = begins !== undefined || undecided.length > MAX_UNDECIDED_BYTES;
          if (isDecided || BLANK_LINE_AT_END.test(undecided)) {
            release(controller);
            return;
          }
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** What the first event begins with: that transport's `endpoint`, or anything else; undefined where it has not begun. */
function firstField(text: string): 'endpoint' | 'other' | undefined {
  const whole = text.split(/\r\n|\n|\r/).slice(0, -1);
  const first = whole.find((line) => /^(?:event|data)(?::|$)/.test(line));
  if (first === undefined) return undefined;
  return /^event: ?endpoint$/.test(first) ? 'endpoint' : 'other';
}
