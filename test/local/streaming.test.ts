import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalCloud } from '../../local/cloud.ts';
import { startFixtureCloud, startSignals } from './fixture-cloud.ts';

let cloud: LocalCloud;

beforeAll(async () => {
  cloud = await startFixtureCloud({}, afterAll);
});

function open(target: LocalCloud, path: string, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(`${target.origin}${path}`, { method }, resolve).on('error', reject).end();
  });
}

async function nextChunk(response: IncomingMessage): Promise<string> {
  const [chunk] = await new Promise<[Buffer]>((resolve) => response.once('data', (data) => resolve([data])));
  return chunk.toString();
}

describe('a streamed integration', () => {
  test('sends the head at the first write, before there is a body', async () => {
    const signals = await startSignals();
    const response = await open(cloud, `/stream?do=head&url=${signals.url}`);
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-several': '1, 2',
      'set-cookie': ['c=1'],
      'x-amzn-remapped-www-authenticate': 'Bearer',
    });
    const answer = await signals.asked('head-seen');
    answer();
    expect(await nextChunk(response)).toBe('late');
  });

  test('passes each chunk on while the function is still at work', async () => {
    const signals = await startSignals();
    const response = await open(cloud, `/stream?do=chunks&url=${signals.url}`);
    expect(await nextChunk(response)).toBe('one,');
    (await signals.asked('one-seen'))();
    expect(await nextChunk(response)).toBe('two,');
    (await signals.asked('two-seen'))();
    expect(await nextChunk(response)).toBe('three');
  });

  test('loses no byte of a large answer', async () => {
    const response = await fetch(`${cloud.origin}/stream?do=bulk`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.length).toBe(128 * 64 * 1024);
    for (let index = 0; index < 128; index += 1) expect(bytes[index * 64 * 1024 + 7]).toBe(index);
  });

  test.for(['no-prelude', 'no-write', 'throw-before'])(
    'answers 502 where the function ends without a head: %s',
    async (what) => {
      expect((await fetch(`${cloud.origin}/stream?do=${what}`)).status).toBe(502);
    },
  );

  test('answers 502 where the function does not stream', async () => {
    expect((await fetch(`${cloud.origin}/stream`, { method: 'PUT' })).status).toBe(502);
  });

  test.for([
    ['the function fails', '?do=throw-after', 'GET'],
    ['the function times out', '?do=hang', 'DELETE'],
    ['the integration times out', '?do=hang', 'PATCH'],
  ] as const)('is cut after the head where %s', async ([, query, method]) => {
    const response = await fetch(`${cloud.origin}/stream${query}`, { method });
    expect(response.status).toBe(201);
    await expect(response.text()).rejects.toThrow();
  });
});

describe('a client that goes away', () => {
  test('ends the stream of the function where disconnects are reported', async () => {
    const signals = await startSignals();
    const response = await open(cloud, `/stream?do=leave&url=${signals.url}`);
    expect(await nextChunk(response)).toBe('first');
    await signals.asked('left');
    response.destroy();
    (await signals.asked('closed'))();
  });

  test('while the authorizer decides has left when the function begins', async () => {
    const signals = await startSignals();
    const leaving = httpRequest(`${cloud.origin}/guarded?do=leave&url=${signals.url}`, {
      method: 'POST',
      headers: { Authorization: 'Bearer slow', 'X-Signal': `${signals.url}/deciding` },
    });
    leaving.on('error', () => {}).end();
    const decide = await signals.asked('deciding');
    leaving.destroy();
    decide();
    (await signals.asked('closed'))();
  });

  test('is nothing that the function sees where they are not, as on AWS', async () => {
    const other = await startFixtureCloud({ disconnects: 'unreported' });
    const signals = await startSignals();
    const response = await open(other, `/stream?do=leave&url=${signals.url}`);
    expect(await nextChunk(response)).toBe('first');
    const goOn = await signals.asked('left');
    response.destroy();
    goOn();
    (await signals.asked('finished'))();
  });
});
