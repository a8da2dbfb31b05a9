import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import { type BodyFilter, filteredBody } from '../../functions/handlers/filtered-body.ts';
import { serverEntry } from '../support/policies.ts';
import { startRawServer } from '../support/raw-server.ts';

const refuse = (): never => {
  throw new TypeError('refused');
};
const PASSING: BodyFilter = { push: (chunk) => chunk, end: () => new Uint8Array() };

test('a filter that throws fails the body, and lets go of the connection that it came on', async () => {
  let closed: Promise<unknown> | undefined;
  const server = await startRawServer((socket) => {
    closed = once(socket, 'close');
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
  });
  onTestFinished(() => server.close());
  const answer = await createUpstream().send({
    url: new URL(server.origin),
    method: 'GET',
    headers: new Map(),
    body: undefined,
    allowPrivate: true,
    isolationKey: 'a',
    timeout: serverEntry('maps').timeout,
    signal: new AbortController().signal,
  });
  if (!answer.ok) throw new Error(answer.error.detail);
  const body = filteredBody(answer.value.body, { ...PASSING, push: refuse });
  await expect(new Response(body).text()).rejects.toThrow('refused');
  await closed;
});

test.for([
  ['in the middle', { ...PASSING, push: refuse }, true],
  ['at the end', { ...PASSING, end: refuse }, false],
] as const)('a filter that throws %s fails the body with its own error', async ([, filter, isCancelled]) => {
  let cancelledFor: unknown;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('abc'));
      if (!isCancelled) controller.close();
    },
    cancel(reason) {
      cancelledFor = reason;
      throw new Error('gone already');
    },
  });
  await expect(new Response(filteredBody(source, filter)).text()).rejects.toThrow(new TypeError('refused'));
  expect(cancelledFor instanceof TypeError).toBe(isCancelled);
});
