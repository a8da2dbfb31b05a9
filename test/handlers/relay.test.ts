import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { err, ok } from '../../functions/core/result.ts';
import { onBytes, SseFilter } from '../../functions/core/sse.ts';
import {
  LOOK_AGAIN_MS,
  type RelayEnd,
  type RelayOptions,
  relay,
  type StillHolds,
} from '../../functions/handlers/relay.ts';

const encoder = new TextEncoder();

/** A source whose every pull is counted, and which ends, fails or waits as its last step says. */
function sourceOf(chunks: readonly (string | Uint8Array)[], last: 'end' | 'fail' | 'wait' = 'end') {
  const seen: { pulls: number; cancelled?: unknown } = { pulls: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulls];
        seen.pulls += 1;
        if (chunk !== undefined)
          controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
        else if (last === 'end') controller.close();
        else if (last === 'fail') controller.error(new Error('the upstream broke'));
        else return new Promise<void>(() => {});
        return undefined;
      },
      cancel(reason) {
        seen.cancelled = reason ?? 'no reason';
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

function relayed(source: ReadableStream<Uint8Array>, options: Partial<RelayOptions> = {}) {
  const ends: (readonly [RelayEnd, unknown])[] = [];
  const stream = relay(source, { ...options, onEnd: (end, error) => ends.push([end, error]) });
  return { reader: stream.getReader(), stream, ends };
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString();
    chunks.push(value);
  }
}

describe('bytes', () => {
  test('pass unchanged, chunk for chunk', async () => {
    const bytes = Uint8Array.from([0, 255, 13, 10, 128]);
    const { stream } = sourceOf(['a', bytes, 'b']);
    const { reader, ends } = relayed(stream);
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual([encoder.encode('a'), bytes]);
    expect(await readAll(reader)).toBe('b');
    expect(ends).toEqual([['complete', undefined]]);
  });

  test('pass through a filter that sees whole characters', async () => {
    const text = encoder.encode('data: é😀\n\ndata: b\n\n');
    const filter = onBytes(new SseFilter((data) => `<${data}>`, 100));
    const { stream } = sourceOf(Array.from(text, (byte) => Uint8Array.of(byte)));
    expect(await readAll(relayed(stream, { filter }).reader)).toBe('data: <é😀>\n\ndata: <b>\n\n');
  });

  test('of an unfinished event do not pass a filter', async () => {
    const { stream } = sourceOf(['data: a\n\nda', 'ta: hidden\n']);
    const filter = onBytes(new SseFilter((data) => data, 100));
    expect(await readAll(relayed(stream, { filter }).reader)).toBe('data: a\n\n');
  });

  test('an empty source is an empty stream', async () => {
    const { reader, ends } = relayed(sourceOf([]).stream);
    expect(await readAll(reader)).toBe('');
    expect(ends).toEqual([['complete', undefined]]);
  });
});

describe('demand', () => {
  test('nothing is read before the client asks, and one chunk for each time it asks', async () => {
    const { stream, seen } = sourceOf(['a', 'b', 'c'], 'wait');
    const { reader } = relayed(stream);
    await turn();
    expect(seen.pulls).toBe(0);
    await reader.read();
    await turn();
    expect(seen.pulls).toBe(1);
    await reader.read();
    await turn();
    expect(seen.pulls).toBe(2);
    await reader.cancel();
  });

  test('chunks that a filter holds back are followed by the next', async () => {
    const { stream, seen } = sourceOf(['data: a', '\n', '\n', 'data: b\n\n'], 'wait');
    const { reader } = relayed(stream, { filter: onBytes(new SseFilter((data) => data, 100)) });
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: a\n\n');
    expect(seen.pulls).toBe(3);
    await reader.cancel();
  });
});

describe('a client that leaves', () => {
  test('ends the source, once', async () => {
    const { stream, seen } = sourceOf(['a'], 'wait');
    const { reader, ends } = relayed(stream);
    await reader.read();
    await reader.cancel('gone');
    expect(seen.cancelled).toBe('gone');
    expect(ends).toEqual([['abandoned', undefined]]);
  });

  test('while a read is under way ends the source and breaks nothing', async () => {
    const { stream, seen } = sourceOf(['a'], 'wait');
    const { reader, ends } = relayed(stream, {
      keepAlive: { text: ': k\n\n', afterMs: 60_000 },
      onFailure: 'x',
    });
    await reader.read();
    const waiting = reader.read();
    await turn();
    await reader.cancel('gone');
    expect(await waiting).toEqual({ done: true, value: undefined });
    await turn();
    expect(seen.cancelled).toBe('gone');
    expect(ends).toEqual([['abandoned', undefined]]);
  });

  test('is not held up by a source that cannot be cancelled', async () => {
    const stubborn = new ReadableStream<Uint8Array>({
      cancel() {
        throw new Error('cannot cancel');
      },
    });
    const { reader, ends } = relayed(stubborn);
    await reader.cancel();
    expect(ends).toEqual([['abandoned', undefined]]);
  });
});

describe('a source that fails', () => {
  const onFailure = 'event: message\ndata: failed\n\n';

  test.for(['\n\n', '\r\n\r\n', '\r\r', '\r\n\n', '\n\r\n'])(
    'between two events tells the client and ends in order, after %j',
    async (ending) => {
      const { stream } = sourceOf([`data: a${ending}`], 'fail');
      const { reader, ends } = relayed(stream, { onFailure });
      expect(await readAll(reader)).toBe(`data: a${ending}${onFailure}`);
      expect(ends).toEqual([['failed', new Error('the upstream broke')]]);
    },
  );

  test('before the first event tells the client too', async () => {
    const { reader } = relayed(sourceOf([], 'fail').stream, { onFailure });
    expect(await readAll(reader)).toBe(onFailure);
  });

  test.for(['data: a', 'data: a\n', 'data: a\r\n', 'data: a\r', 'a\n\nb', '\n'])(
    'inside an event leaves it unfinished: %j',
    async (part) => {
      const { stream } = sourceOf([part], 'fail');
      const { reader, ends } = relayed(stream, { onFailure });
      const whole = part === '\n' ? `\n${onFailure}` : part;
      expect(await readAll(reader)).toBe(whole);
      expect(ends.map(([end]) => end)).toEqual(['failed']);
    },
  );

  test('fails the stream where no word was given for it', async () => {
    const { reader, ends } = relayed(sourceOf(['{"half":'], 'fail').stream);
    expect((await reader.read()).value).toEqual(encoder.encode('{"half":'));
    await expect(reader.read()).rejects.toThrow('the upstream broke');
    expect(ends).toEqual([['failed', new Error('the upstream broke')]]);
  });

  test('an event that a filter refuses ends stream and source', async () => {
    const { stream, seen } = sourceOf(['data: fine\n\n', 'data: secret\n\n', 'data: later\n\n']);
    const filter = onBytes(new SseFilter((data) => (data === 'secret' ? undefined : data), 100));
    const { reader, ends } = relayed(stream, { filter, onFailure });
    expect(await readAll(reader)).toBe(`data: fine\n\n${onFailure}`);
    expect(ends).toEqual([['failed', new TypeError('event refused')]]);
    expect(seen.cancelled).toBe('no reason');
  });
});

describe('a source that fails while the client reads nothing', () => {
  const onFailure = 'event: message\ndata: failed\n\n';

  function failing() {
    let fail: (() => void) | undefined;
    const source = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          fail = () => controller.error(new Error('the upstream broke'));
        },
        pull(controller) {
          controller.enqueue(encoder.encode('data: a\n\n'));
        },
      },
      { highWaterMark: 0 },
    );
    return { source, fail: () => fail?.() };
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('tells a client that asks soon', async () => {
    const { source, fail } = failing();
    const { reader, ends } = relayed(source, { onFailure });
    await reader.read();
    fail();
    await vi.advanceTimersByTimeAsync(4_900);
    expect(await readAll(reader)).toBe(onFailure);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ends).toEqual([['failed', new Error('the upstream broke')]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is cut off for a client that does not', async () => {
    const { source, fail } = failing();
    const { reader, ends } = relayed(source, { onFailure });
    await reader.read();
    fail();
    const cut = expect(reader.closed).rejects.toThrow('the upstream broke');
    await vi.advanceTimersByTimeAsync(4_900);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    await cut;
    expect(ends).toEqual([['failed', new Error('the upstream broke')]]);
  });

  test('is nothing any more to a client that has left', async () => {
    const { source, fail } = failing();
    const { reader, ends } = relayed(source, { onFailure });
    await reader.read();
    fail();
    await vi.advanceTimersByTimeAsync(100);
    await reader.cancel();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toEqual([['abandoned', undefined]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('silence', () => {
  const keepAlive = { text: ': k\n\n', afterMs: 5 };

  async function firstTwo(part: string): Promise<string> {
    const { stream } = sourceOf([part], 'wait');
    const { reader } = relayed(stream, { keepAlive });
    const chunks = [(await reader.read()).value, (await reader.read()).value];
    await reader.cancel();
    return Buffer.concat(chunks.flatMap((chunk) => chunk ?? [])).toString();
  }

  test.for(['\n\n', '\r\n\r\n', '\r\r', '\r\n\n', '\n\r\n', '\r\r\n'])(
    'is filled between two events, after %j',
    async (ending) => {
      expect(await firstTwo(`data: a${ending}`)).toBe(`data: a${ending}${keepAlive.text}`);
    },
  );

  test('is filled where the blank line came in pieces', async () => {
    for (const ending of ['\n\n', '\r\n\r\n']) {
      const pieces = ['data: a', ...ending];
      const { stream } = sourceOf(pieces, 'wait');
      const { reader } = relayed(stream, { keepAlive });
      let text = '';
      while (!text.endsWith(keepAlive.text))
        text += Buffer.from((await reader.read()).value ?? []).toString();
      expect(text).toBe(`data: a${ending}${keepAlive.text}`);
      await reader.cancel();
    }
  });

  test('is filled before the first event, again and again', async () => {
    const { stream } = sourceOf([], 'wait');
    const { reader } = relayed(stream, { keepAlive });
    for (let count = 0; count < 3; count += 1) {
      expect((await reader.read()).value).toEqual(encoder.encode(keepAlive.text));
    }
    await reader.cancel();
  });

  test.for(['data: a', 'data: a\n', 'data: a\r\n', 'data: a\r'])(
    'is kept inside an event: %j',
    async (part) => {
      let release: (() => void) | undefined;
      const source = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(encoder.encode(part));
          release = () => {
            controller.enqueue(encoder.encode('END'));
            controller.close();
          };
        },
      });
      const { reader } = relayed(source, { keepAlive });
      await reader.read();
      const next = reader.read();
      const early = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 40, 'nothing'))]);
      expect(early).toBe('nothing');
      release?.();
      expect(Buffer.from((await next).value ?? []).toString()).toBe('END');
    },
  );

  test('is filled while a filter holds half an event back', async () => {
    const { stream } = sourceOf(['data: a\n\nda'], 'wait');
    const { reader } = relayed(stream, { keepAlive, filter: onBytes(new SseFilter((data) => data, 100)) });
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: a\n\n');
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(keepAlive.text);
    await reader.cancel();
  });

  test('loses nothing that came meanwhile', async () => {
    const chunks = ['data: a\n\n', 'data: b\n\n', 'data: c\n\n'];
    const slow = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 15));
          const chunk = chunks.shift();
          if (chunk === undefined) controller.close();
          else controller.enqueue(encoder.encode(chunk));
        },
      },
      { highWaterMark: 0 },
    );
    const text = await readAll(relayed(slow, { keepAlive }).reader);
    expect(text.replaceAll(keepAlive.text, '')).toBe('data: a\n\ndata: b\n\ndata: c\n\n');
    expect(text).toContain(keepAlive.text);
  });
});

describe('whether its call still holds', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const looked = (source: ReadableStream<Uint8Array>, held: boolean[] = []) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let looks = 0;
    const stillHolds: StillHolds = async () => {
      looks += 1;
      return (held.shift() ?? true) ? ok(undefined) : err({ reason: 'revoked' });
    };
    return { ...relayed(source, { stillHolds, onWithdrawal: 'data: gone\n\n' }), looks: () => looks };
  };

  test('is not asked of a short stream, and no timer is left of it', async () => {
    const { reader, ends, looks } = looked(new Blob(['data: 1\n\n']).stream());
    expect(await readAll(reader)).toBe('data: 1\n\n');
    expect(ends).toEqual([['complete', undefined]]);
    expect(vi.getTimerCount()).toBe(0);
    expect(looks()).toBe(0);
  });

  test('is asked again and again, until it does not or the client is gone', async () => {
    const cancelled: unknown[] = [];
    const endless = () => new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) });
    const standing = looked(endless(), [true, true, false]);
    const all = readAll(standing.reader);
    await vi.advanceTimersByTimeAsync(2 * LOOK_AGAIN_MS);
    expect([standing.looks(), standing.ends.length]).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(LOOK_AGAIN_MS);
    expect(await all).toBe('data: gone\n\n');
    expect(standing.ends.map(([end]) => end)).toEqual(['withdrawn']);
    expect(cancelled).toHaveLength(1);

    const left = looked(endless());
    await left.reader.cancel();
    await vi.advanceTimersByTimeAsync(10 * LOOK_AGAIN_MS);
    expect([left.looks(), left.ends.map(([end]) => end)]).toEqual([0, ['abandoned']]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
