import { expect, test } from 'vitest';
import { discard, readStream } from '../../functions/handlers/body.ts';
import { readMcpAnswer } from '../../functions/handlers/server-answer.ts';

const failed = () =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error('gone')) });

/** One chunk, and then trouble with whoever cancels. */
const stubborn = () =>
  new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('12345')),
    cancel() {
      throw new Error('cannot be cancelled');
    },
  });

test('a stream is read up to the bound, and no further', async () => {
  const whole = await readStream(new Blob(['12345']).stream(), 5);
  expect(Buffer.from(whole ?? []).toString()).toBe('12345');
  expect(await readStream(new Blob(['123456']).stream(), 5)).toBe(undefined);
});

test('a stream in single bytes is read whole, in the order of its bytes', async () => {
  const text = Array.from({ length: 50_000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const letter of text) controller.enqueue(Buffer.from(letter));
      controller.close();
    },
  });
  expect(Buffer.from((await readStream(stream, 50_000)) ?? []).toString()).toBe(text);
});

test('a stream that is too long is so whether or not it can be cancelled', async () => {
  expect(await readStream(stubborn(), 4)).toBe(undefined);
});

test.for([
  ['has failed', failed],
  ['cannot be cancelled', stubborn],
] as const)('a body that %s is let go without a word', async ([, make]) => {
  await discard(make());
});

test('a page that has failed already is no MCP answer, and nothing worse', async () => {
  const headers = new Map([['content-type', 'text/html']]);
  expect(await readMcpAnswer({ status: 200, headers, body: failed() })).toBe(undefined);
});
