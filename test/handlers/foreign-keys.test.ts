import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import { createForeignKeys } from '../../functions/handlers/foreign-keys.ts';
import { makeEcKey } from '../support/foreign-issuer.ts';
import { startRecordingServer } from '../support/recording-server.ts';

const one = makeEcKey({ kid: 'one' }).published;
const two = makeEcKey({ kid: 'two' }).published;

type Answer = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
};

/** Keys over the real way out, a server of the owner's and a clock of their own. */
async function connect() {
  const owner: { answer: Answer | ((answer: ServerResponse) => void) } = { answer: setOf(one) };
  const server = await startRecordingServer((_, response) => {
    if (typeof owner.answer === 'function') {
      owner.answer(response);
      return;
    }
    response.writeHead(owner.answer.status ?? 200, owner.answer.headers ?? {}).end(owner.answer.body);
  });
  onTestFinished(() => server.close());
  const time = { seconds: 1_000 };
  const keys = createForeignKeys({ upstream: createUpstream(), clock: () => time.seconds });
  return {
    owner,
    server,
    time,
    keys,
    url: `${server.origin}/jwks.json`,
    async find(keyId?: string, url = `${server.origin}/jwks.json`, allowPrivate = true) {
      const found = await keys.find(url, keyId, { allowPrivate });
      return found.ok ? found.value.map((key) => key['kid']) : found.error.reason;
    },
  };
}

function setOf(...keys: readonly object[]): Answer {
  return { body: JSON.stringify({ keys }) };
}

describe('keys of others', () => {
  test('are read again when the clock was set back: nobody knows how old they are', async () => {
    const { owner, find, time } = await connect();
    expect(await find()).toEqual(['one']);
    owner.answer = setOf(two);
    time.seconds -= 500;
    expect(await find()).toEqual(['two']);
  });

  test('are found by id, or all of them where none is named', async () => {
    const { owner, find, server } = await connect();
    owner.answer = setOf(one, two, { kty: 'oct', k: 'secret', kid: 'three' });
    expect(await find('two')).toEqual(['two']);
    expect(await find()).toEqual(['one', 'two']);
    expect(await find('three')).toEqual([]);
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/jwks.json', body: '' });
    expect(Object.keys(server.seen[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  test('serve for 10 minutes, and a change of them shows then', async () => {
    const { owner, find, time, server } = await connect();
    expect(await find('one')).toEqual(['one']);
    owner.answer = setOf(two);
    time.seconds += 599;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 1]);
    time.seconds += 1;
    expect([await find('one'), server.seen.length]).toEqual([[], 2]);
  });

  test.for([
    ['max-age=120', 120],
    ['public, max-age=120, must-revalidate', 120],
    ['Max-Age="120"', 120],
    ['max-age=86400', 600],
    ['max-age=5', 30],
    ['max-age=0', 30],
    ['no-store', 30],
    ['private, no-cache', 30],
    ['s-maxage=50', 600],
    ['max-age=', 600],
    ['max-age=-1', 600],
    ['max-age=99999999999999', 600],
    ['', 600],
  ] as const)('with `Cache-Control: %s` serve for %d s', async ([header, seconds]) => {
    const { owner, find, time, server } = await connect();
    owner.answer = { ...setOf(one), headers: { 'cache-control': header } };
    await find('one');
    time.seconds += seconds - 1;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 1]);
    time.seconds += 1;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 2]);
  });

  test('are fetched once for many who ask at once', async () => {
    const { find, server } = await connect();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => find(`${index % 2 ? 'one' : 'x'}`)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['["one"]', '[]']));
    expect(server.seen).toHaveLength(1);
  });
});

describe('an unknown key id', () => {
  test('leads to a fresh look, which finds a new key', async () => {
    const { owner, find, time, server } = await connect();
    await find('one');
    owner.answer = setOf(one, two);
    time.seconds += 30;
    expect([await find('two'), server.seen.length]).toEqual([['two'], 2]);
    expect([await find('one'), server.seen.length]).toEqual([['one'], 2]);
  });

  test('leads to one look in 30 s, whatever is asked', async () => {
    const { find, time, server } = await connect();
    await find('one');
    for (let second = 1; second <= 90; second += 1) {
      time.seconds += 1;
      await Promise.all(Array.from({ length: 10 }, (_, index) => find(`unknown-${second}-${index}`)));
    }
    expect(server.seen).toHaveLength(4);
    expect(await find('one')).toEqual(['one']);
  });

  test('keeps nobody else waiting: a flood on one set is nothing to another', async () => {
    const { find, server } = await connect();
    await Promise.all(Array.from({ length: 20 }, (_, index) => find(`unknown-${index}`)));
    expect(await find('one', `${server.origin}/other.json`)).toEqual(['one']);
    expect(server.seen).toHaveLength(2);
  });
});

describe('an outage', () => {
  const broken: Answer = { status: 503, body: '' };

  test('is bridged for an hour by what came last, and looked at every 5 s', async () => {
    const { owner, find, time, server } = await connect();
    await find('one');
    owner.answer = broken;
    time.seconds += 600;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 2]);
    time.seconds += 4;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 2]);
    time.seconds += 1;
    expect([await find('one'), server.seen.length]).toEqual([['one'], 3]);
    time.seconds += 3_600 - 606;
    expect(await find('one')).toEqual(['one']);
    time.seconds += 1;
    expect(await find('one')).toBe('unavailable');
    owner.answer = setOf(one);
    time.seconds += 5;
    expect(await find('one')).toEqual(['one']);
  });

  test('makes a key id that is not held unavailable, not unknown', async () => {
    const { owner, find, time } = await connect();
    await find('one');
    owner.answer = broken;
    time.seconds += 30;
    expect([await find('two'), await find('one')]).toEqual(['unavailable', ['one']]);
    owner.answer = setOf(two);
    time.seconds += 5;
    expect(await find('two')).toBe('unavailable');
    time.seconds += 25;
    expect(await find('two')).toEqual(['two']);
  });

  test('before anything came is unavailable, and asked for again after 5 s', async () => {
    const { owner, find, time, server } = await connect();
    owner.answer = broken;
    const answers = await Promise.all(Array.from({ length: 20 }, () => find('one')));
    expect(new Set(answers)).toEqual(new Set(['unavailable']));
    expect(await find('one')).toBe('unavailable');
    expect(server.seen).toHaveLength(1);
    owner.answer = setOf(one);
    time.seconds += 5;
    expect(await find('one')).toEqual(['one']);
  });
});

describe('an answer', () => {
  const padded = (length: number) => {
    const text = JSON.stringify({ keys: [one], pad: '' });
    return { body: text.replace('"pad":""', `"pad":"${'x'.repeat(length - text.length)}"`) };
  };

  test.for<readonly [string, Answer]>([
    ['of another status', { ...setOf(one), status: 201 }],
    ['that is a failure', { ...setOf(one), status: 500 }],
    ['that redirects', { ...setOf(one), status: 302, headers: { location: '/other.json' } }],
    ['that redirects for good', { ...setOf(one), status: 308, headers: { location: '/other.json' } }],
    ['that is encoded', { ...setOf(one), headers: { 'content-encoding': 'gzip' } }],
    ['that is no JSON', { body: 'keys' }],
    ['that is empty', { body: '' }],
    ['that is no set', { body: JSON.stringify([one]) }],
    ['that says its keys twice', { body: `{"keys":[],"keys":[${JSON.stringify(one)}]}` }],
    ['that is no UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }],
    ['of more than 64 KB', padded(65_537)],
  ])('%s is none', async ([, answer]) => {
    const { owner, find, server } = await connect();
    owner.answer = answer;
    expect(await find('one')).toBe('unavailable');
    expect(server.seen).toHaveLength(1);
  });

  test('of 64 KB is the longest', async () => {
    const { owner, find } = await connect();
    owner.answer = padded(65_536);
    expect(await find('one')).toEqual(['one']);
  });

  test.for<readonly [string, (answer: ServerResponse) => void]>([
    [
      'that breaks off',
      (answer) =>
        void answer.writeHead(200, { 'content-length': '999' }).write('{"keys":[', () => answer.destroy()),
    ],
    ['that never comes', (answer) => void answer.destroy()],
  ])('%s is none', async ([, respond]) => {
    const { owner, find } = await connect();
    owner.answer = respond;
    expect(await find('one')).toBe('unavailable');
  });
});

describe('a place', () => {
  test('that is private needs to be allowed to be, and is then another one', async () => {
    const { find, url, server } = await connect();
    expect(await find('one', url, false)).toBe('unavailable');
    expect(server.seen).toHaveLength(0);
    expect(await find('one', url, true)).toEqual(['one']);
    expect(await find('one', url, false)).toBe('unavailable');
    expect(server.seen).toHaveLength(1);
  });

  test.for([
    'https://user:secret@idp.example.com/jwks.json',
    'ftp://127.0.0.1/jwks.json',
    'file:///etc/passwd',
    '/jwks.json',
    'http://169.254.169.254/latest/meta-data',
    'https://[fd00:ec2::254]/jwks.json',
    '',
  ])('that is refused is unavailable: %s', async (url) => {
    const { find } = await connect();
    expect(await find('one', url)).toBe('unavailable');
  });

  test('nobody asked of for long is forgotten, so that their number is bounded', async () => {
    const { find, server } = await connect();
    for (let index = 0; index < 501; index += 1) await find('one', `${server.origin}/${index}.json`);
    expect(server.seen).toHaveLength(501);
    await find('one', `${server.origin}/500.json`);
    await find('one', `${server.origin}/1.json`);
    expect(server.seen).toHaveLength(501);
    await find('one', `${server.origin}/0.json`);
    expect(server.seen).toHaveLength(502);
  });
});
