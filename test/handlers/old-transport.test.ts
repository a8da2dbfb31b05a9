import { describe, expect, test } from 'vitest';
import { refuseOldTransport } from '../../functions/handlers/old-transport.ts';

const REFUSAL = 'data: refused\n\n';

/** A stream of an upstream, in these pieces, that then ends, fails or says nothing more. */
function streamOf(pieces: readonly string[], last: 'end' | 'fail' | 'wait' = 'end') {
  const seen = { pulls: 0, cancelled: false, refused: 0 };
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[seen.pulls];
        seen.pulls += 1;
        if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece));
        else if (last === 'end') controller.close();
        else if (last === 'fail') controller.error(new Error('the upstream broke'));
        else return new Promise<void>(() => {});
        return undefined;
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const stream = refuseOldTransport(source, REFUSAL, () => {
    seen.refused += 1;
  });
  return { stream, seen };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const ENDPOINT = 'event: endpoint\ndata: /messages?sessionId=s-1\n\n';

describe('the `endpoint` of HTTP+SSE', () => {
  test.for<readonly [string, readonly string[]]>([
    ['as it is', [ENDPOINT]],
    ['a character at a time', [...ENDPOINT]],
    ['without a space', ['event:endpoint\ndata:/messages\n\n']],
    ['with CRLF', [ENDPOINT.replaceAll('\n', '\r\n')]],
    ['with CR', [ENDPOINT.replaceAll('\n', '\r')]],
    ['after a comment', [': hello\n\n', ENDPOINT]],
    ['after an id and a delay', [`id: 1\nretry: 100\n${ENDPOINT}`]],
  ])('is refused, and what it names is not told: %s', async ([, pieces]) => {
    const { stream, seen } = streamOf(pieces, 'wait');
    const text = await readAll(stream);
    expect(text.replace(': hello\n\n', '')).toBe(REFUSAL);
    expect(seen).toMatchObject({ refused: 1, cancelled: true });
  });
});

describe('any other stream', () => {
  test.for<readonly [string, string]>([
    ['a message', 'event: message\ndata: {"jsonrpc":"2.0"}\n\n'],
    ['data alone', 'data: endpoint\n\n'],
    ['an event of another name', 'event: endpoints\ndata: x\n\n'],
    ['an event in another case', 'event: Endpoint\ndata: x\n\n'],
    ['what primes a stream', 'id: 0\ndata: \n\n'],
    ['a later event of that name', `data: {}\n\n${ENDPOINT}`],
    ['nothing', ''],
    ['half a line', 'event: endp'],
    ['a comment without an end', `: ${'x'.repeat(10_000)}`],
  ])('passes byte for byte, in any pieces: %s', async ([, text]) => {
    for (const pieces of [[text], [...text]]) {
      const { stream, seen } = streamOf(pieces.filter((piece) => piece !== ''));
      expect(await readAll(stream)).toBe(text);
      expect(seen).toMatchObject({ refused: 0, cancelled: false });
    }
  });

  test('is not read ahead, and no whole event or comment waits for the next', async () => {
    const { stream, seen } = streamOf([': one\n\n', 'data: 2\n\n', 'data: 3\n\n'], 'wait');
    const reader = stream.getReader();
    expect(seen.pulls).toBe(0);
    for (const [index, text] of [': one\n\n', 'data: 2\n\n', 'data: 3\n\n'].entries()) {
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(text);
      expect(seen.pulls).toBe(index + 1);
    }
  });

  test('that fails, fails, and is left when its reader leaves', async () => {
    await expect(readAll(streamOf(['data: 1\n\n'], 'fail').stream)).rejects.toThrow('the upstream broke');
    const { stream, seen } = streamOf(['data: 1\n\n'], 'wait');
    await stream.cancel();
    expect(seen.cancelled).toBe(true);
  });

  test('that fails while nobody reads has failed at once', async () => {
    let fail = (_error: Error) => {};
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        fail = (error) => controller.error(error);
      },
    });
    const reader = refuseOldTransport(source, REFUSAL, () => {}).getReader();
    fail(new Error('gone'));
    await expect(reader.closed).rejects.toThrow('gone');
  });
});
