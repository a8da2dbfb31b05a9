import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { UpstreamRequest } from '../../functions/core/ports.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';

const TIMEOUT = { connectMs: 2_000, firstByteMs: 2_000, silenceMs: 2_000, callMs: 4_000 };

let server: RawServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Sends one request to a server that answers it with `respond`. */
async function send(respond: (socket: Socket) => void, changed: Partial<UpstreamRequest> = {}) {
  server = await startRawServer(respond);
  return createUpstream().send(requestTo(server, changed));
}

function requestTo({ origin }: RawServer, changed: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    url: new URL(`${origin}/x`),
    method: 'GET',
    headers: new Map(),
    body: undefined,
    allowPrivate: true,
    isolationKey: 'k',
    timeout: TIMEOUT,
    signal: new AbortController().signal,
    ...changed,
  };
}

const answering = (text: string) => (socket: Socket) => void socket.write(text);

async function readAll(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an answer', () => {
  test('comes with its status, its headers in lower case, and its body', async () => {
    const text = 'HTTP/1.1 299 Odd\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 2\r\n\r\nok';
    const answer = await send(answering(text));
    expect(answer.ok && [answer.value.status, answer.value.headers.get('x-two')]).toEqual([299, 'a, b']);
    expect(answer.ok && (await readAll(answer.value.body))).toBe('ok');
  });

  test.for([200, 204, 304, 401, 404, 599])('of status %i is passed on', async (status) => {
    const answer = await send(answering(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`));
    expect(answer.ok && answer.value.status).toBe(status);
  });

  test.for([0, 1, 99, 600, 999])(
    'of status %i, which no answer can have, is one of nobody, and its connection ends',
    async (status) => {
      let closed: Promise<unknown> = Promise.resolve('never asked');
      const answer = await send((socket) => {
        closed = once(socket, 'close');
        socket.write(`HTTP/1.1 ${String(status).padStart(3, '0')} X\r\nContent-Length: 5\r\n\r\n`);
      });
      expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
      await closed;
    },
  );

  test('after an informational one is the answer', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n';
    const answer = await send(answering(`${early}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`));
    expect(answer.ok && answer.value.status).toBe(200);
  });
});

describe('a server that switches protocols', () => {
  test.for([
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    [
      '101 and goes on',
      'HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI * HTTP/2.0\r\n\r\n',
    ],
  ])('with %s is unreachable, and its connection ends', async ([, text = '']) => {
    let closed: Promise<unknown> = Promise.resolve('never asked');
    const answer = await send((socket) => {
      closed = once(socket, 'close');
      socket.write(text);
    });
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
    await closed;
  });

  test('on a connection that served before is unreachable too', async () => {
    let connections = 0;
    server = await startRawServer((socket) => {
      connections += 1;
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
      );
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const upstream = createUpstream();
    const first = await upstream.send(requestTo(server));
    expect(first.ok && (await readAll(first.value.body))).toBe('ok');
    const second = await upstream.send(requestTo(server));
    expect(second).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
    expect(connections).toBe(1);
  });

  test('on CONNECT is unreachable', async () => {
    const answer = await send(answering('HTTP/1.1 200 OK\r\n\r\n'), { method: 'CONNECT' });
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
  });
});

describe('a server that gives no answer', () => {
  test.for<readonly [string, string, (socket: Socket) => void]>([
    ['hangs up', 'unreachable', (socket) => void socket.destroy()],
    ['ends in order', 'unreachable', (socket) => void socket.end()],
    ['speaks something else', 'unreachable', (socket) => void socket.end('SSH-2.0-x\r\n')],
    ['stops in its head', 'unreachable', (socket) => void socket.end('HTTP/1.1 200 OK\r\nX-')],
    ['is silent', 'timeout', () => {}],
    ['is silent in its head', 'timeout', answering('HTTP/1.1 200 OK\r\nX-')],
    ['redirects', 'redirect', answering('HTTP/1.1 302 X\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n')],
  ])('because it %s is %s', async ([, reason, respond]) => {
    const timeout = reason === 'timeout' ? { ...TIMEOUT, firstByteMs: 50 } : TIMEOUT;
    expect(await send(respond, { timeout })).toMatchObject({ ok: false, error: { reason } });
  });

  test('is given up with the call that asked', async () => {
    const caller = new AbortController();
    const answer = await send(() => caller.abort(), { signal: caller.signal });
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
  });

  test('is not asked by a caller who has gone already', async () => {
    const answer = await send(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), {
      signal: AbortSignal.abort(),
    });
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
  });
});

describe('a body that', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf';
  const caller = new AbortController();
  test.for<readonly [string, (socket: Socket) => void, Partial<UpstreamRequest>]>([
    ['breaks off', (socket) => void socket.end(HEAD), {}],
    ['falls silent', answering(HEAD), { timeout: { ...TIMEOUT, silenceMs: 50 } }],
    ['takes too long', answering(HEAD), { timeout: { ...TIMEOUT, callMs: 200 } }],
    [
      'the caller leaves',
      (socket) => {
        socket.write(HEAD);
        setTimeout(() => caller.abort(), 100);
      },
      { signal: caller.signal },
    ],
    [
      'is no longer HTTP',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'),
      {},
    ],
  ])('%s fails, and never looks complete', async ([, respond, changed]) => {
    const answer = await send(respond, changed);
    expect(answer.ok).toBe(true);
    await expect(answer.ok && readAll(answer.value.body)).rejects.toThrow();
  });
});

describe('a body whose reader takes its time', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf';
  const SILENT_MS = 100;

  test('is not silent while nobody asks for more', async () => {
    let goOn: (() => void) | undefined;
    const answer = await send(
      (socket) => {
        socket.write(HEAD);
        goOn = () => void socket.write('half');
      },
      { timeout: { ...TIMEOUT, silenceMs: SILENT_MS } },
    );
    await wait(3 * SILENT_MS);
    goOn?.();
    expect(answer.ok && (await readAll(answer.value.body))).toBe('halfhalf');
  });

  test('is silent where the reader waits, however late it began', async () => {
    const answer = await send(answering(HEAD), { timeout: { ...TIMEOUT, silenceMs: SILENT_MS } });
    await wait(3 * SILENT_MS);
    const reader = answer.ok ? answer.value.body.getReader() : undefined;
    expect((await reader?.read())?.value).toEqual(Buffer.from('half'));
    await wait(3 * SILENT_MS);
    await expect(reader?.read()).rejects.toThrow('the upstream fell silent');
  });

  test('fails with the call, whether or not anybody reads', async () => {
    let closed: Promise<unknown> = Promise.resolve('never asked');
    const answer = await send(
      (socket) => {
        closed = once(socket, 'close');
        socket.write(HEAD);
      },
      { timeout: { ...TIMEOUT, callMs: 200 } },
    );
    await expect(answer.ok && answer.value.body.getReader().closed).rejects.toThrow('the call took too long');
    await closed;
  });

  test('is not read on meanwhile, and comes whole', async () => {
    const BYTES = 64 * 1024 * 1024;
    let socket: Socket | undefined;
    const answer = await send((accepted) => {
      socket = accepted;
      accepted.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
      accepted.write(Buffer.alloc(BYTES, 7));
    });
    // What is left stays where it is, for as long as nobody asks.
    let left = -1;
    for (let before = -2; before !== left; await wait(100))
      [before, left] = [left, socket?.writableLength ?? 0];
    expect(left).toBeGreaterThan(0);
    let bytes = 0;
    for await (const chunk of answer.ok ? answer.value.body : []) bytes += chunk.byteLength;
    expect(bytes).toBe(BYTES);
  });

  test('is let go of by a reader that leaves', async () => {
    let closed: Promise<unknown> = Promise.resolve('never asked');
    const answer = await send((socket) => {
      closed = once(socket, 'close');
      socket.write(HEAD);
    });
    const reader = answer.ok ? answer.value.body.getReader() : undefined;
    await reader?.read();
    const waiting = reader?.read();
    await reader?.cancel();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await closed;
  });

  test('comes in one chunk for all that has arrived by then', async () => {
    const pieces = Array.from('abcdefgh', (character) => `1\r\n${character}\r\n`).join('');
    const answer = await send(
      answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`),
    );
    const reader = answer.ok ? answer.value.body.getReader() : undefined;
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('abcdefgh');
    expect(await reader?.read()).toMatchObject({ done: true });
  });
});
