import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createCounter } from '../../functions/aws/counter.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { UpstreamRequest } from '../../functions/core/ports.ts';
import { err } from '../../functions/core/result.ts';
import { createClientDocuments } from '../../functions/handlers/client-metadata-document.ts';
import { type EmbeddedTable, startAuthTable } from '../support/auth-table.ts';
import { selfSigned } from '../support/certificate.ts';
import { startRecordingServer } from '../support/recording-server.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let table: EmbeddedTable;

beforeAll(async () => {
  table = await startAuthTable();
});
afterAll(() => table?.close());

type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

const JSON_TYPE = { 'content-type': 'application/json' };

/** Documents over the real way out, with a host, a clock and counts of their own. */
async function connect() {
  const host: { answer: (id: string, answer: ServerResponse) => void } = { answer: () => {} };
  const server = await startRecordingServer((request, answer) => {
    host.answer(`${server.origin}${request.url}`, answer);
  });
  onTestFinished(() => server.close());
  const time = { seconds: NOW_SECONDS };
  const logged: Readonly<Record<string, unknown>>[] = [];
  const start = () =>
    createClientDocuments({
      upstream: createUpstream(),
      records: createRecordStore(table.dynamo, table.tableName, () => time.seconds),
      counter: createCounter(table.dynamo, table.tableName, 'COUNT'),
      now: () => time.seconds * 1000,
      log: (entry) => logged.push(entry),
    });
  let documents = start();
  const id = `${server.origin}/client.json`;
  const found = {
    host,
    server,
    time,
    logged,
    id,
    /** What a process had in memory is gone. */
    restart() {
      documents = start();
    },
    /** Answers with a good document but for the changes. */
    serve(change: Answer = {}) {
      host.answer = (clientId, answer) => {
        const { status = 200, headers = JSON_TYPE, body = documentOf(clientId) } = change;
        answer.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
      };
    },
    /** How often looks were refused because the store did not answer in time, which a slow machine is free to do. */
    outages: () => logged.filter(({ detail }) => String(detail).startsWith('dynamodb')).length,
    /** Looks at documents that are not there until one is refused for how many there were. */
    async useUp() {
      const refused = () => logged.filter(({ detail }) => detail === 'rate_limited').length;
      const before = refused();
      for (let look = 0; refused() === before; look += 1) {
        if (look > 200) throw new Error('never refused');
        await found.read(`${server.origin}/made-up-${look}.json`);
      }
    },
    async read(clientId = id, allowPrivate = true, sourceIp: string = crypto.randomUUID()) {
      const read = await documents.read(clientId, { allowPrivate, sourceIp });
      return read.ok ? (read.value?.redirectUris ?? 'nobody') : read.error.reason;
    },
  };
  found.serve();
  return found;
}

const REDIRECTS = ['https://app.example.com/cb'];
const documentOf = (clientId: string, changes: object = {}) => ({
  client_id: clientId,
  redirect_uris: REDIRECTS,
  ...changes,
});

describe('a document that holds', () => {
  test('is fetched with nothing but what it takes', async () => {
    const { read, server } = await connect();
    expect(await read()).toEqual(REDIRECTS);
    expect(server.seen).toMatchObject([{ method: 'GET', url: '/client.json', body: '' }]);
    expect(Object.keys(server.seen[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  test('comes over TLS, from a host that its certificate names', async () => {
    const { cert, key } = selfSigned('localhost');
    const server = createServer({ cert, key }, (request, answer) => {
      const clientId = `https://${request.headers.host}${request.url}`;
      answer.writeHead(200, JSON_TYPE).end(JSON.stringify(documentOf(clientId)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
    const { port } = server.address() as AddressInfo;
    const { read } = await connect();
    const clientId = `https://localhost:${port}/client.json`;
    expect(await read(clientId)).toBe('unavailable');
    const trusted = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...trusted, cert]);
    onTestFinished(() => tls.setDefaultCACertificates(trusted));
    expect(await read(clientId)).toEqual(REDIRECTS);
    expect(await read(`https://127.0.0.1:${port}/client.json`)).toBe('unavailable');
    expect(await read(clientId, false)).toBe('nobody');
  });

  test.for<readonly [string, string]>([
    ['JSON with a character set', 'application/json; charset=utf-8'],
    ['a kind of JSON', 'application/oauth-client+json'],
    ['JSON in capitals', 'Application/JSON'],
  ])('may be %s', async ([, type]) => {
    const { read, serve } = await connect();
    serve({ headers: { 'content-type': type } });
    expect(await read()).toEqual(REDIRECTS);
  });

  test('may be of 10 KB, and no more', async () => {
    const { read, serve, id } = await connect();
    const padded = (size: number) => {
      const bare = JSON.stringify(documentOf(id, { pad: '' })).length;
      return documentOf(id, { pad: 'x'.repeat(size - bare) });
    };
    serve({ body: padded(10_241) });
    expect(await read()).toBe('nobody');
    serve({ body: padded(10_240) });
    expect(await read()).toEqual(REDIRECTS);
  });
});

describe('a document does not hold', () => {
  test.for<readonly [string, Answer | ((id: string) => Answer)]>([
    ['with another id', (id) => ({ body: documentOf(`${id}?`) })],
    ['with its id in other letters', (id) => ({ body: documentOf(id.replace('client', 'Client')) })],
    ['with its id percent-encoded', (id) => ({ body: documentOf(id.replace('client', '%63lient')) })],
    ['without an id', () => ({ body: { redirect_uris: REDIRECTS } })],
    [
      'with its id twice',
      (id) => ({ body: `{"client_id":"${id}","redirect_uris":["https://a.example/"],"client_id":"${id}"}` }),
    ],
    ['with its id twice, in two cases', (id) => ({ body: documentOf(id, { Client_Id: id }) })],
    ['with a secret', (id) => ({ body: documentOf(id, { client_secret: 'x' }) })],
    ['with a bad redirect URI', (id) => ({ body: documentOf(id, { redirect_uris: ['http://a.example/'] }) })],
    [
      'with a method that needs a secret',
      (id) => ({ body: documentOf(id, { token_endpoint_auth_method: 'client_secret_post' }) }),
    ],
    ['in an array', (id) => ({ body: [documentOf(id)] })],
    ['with more text behind it', (id) => ({ body: `${JSON.stringify(documentOf(id))} x` })],
    ['behind a byte order mark', (id) => ({ body: `\uFEFF${JSON.stringify(documentOf(id))}` })],
    [
      'nested 17 levels deep',
      (id) => ({ body: documentOf(id, { x: JSON.parse(`${'['.repeat(16)}${']'.repeat(16)}`) }) }),
    ],
    ['that is no JSON', { body: '<html>' }],
    ['that is empty', { body: '' }],
    ['as HTML', { headers: { 'content-type': 'text/html' } }],
    ['as text', { headers: { 'content-type': 'text/plain' } }],
    ['as something that looks like JSON', { headers: { 'content-type': 'application/jsonp' } }],
    ['as nothing at all', { headers: {} }],
    ['compressed', { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }],
    ['with status 201', { status: 201 }],
    ['with status 203', { status: 203 }],
    ['with status 206', { status: 206 }],
    ['with status 304', { status: 304, body: '' }],
    ['with status 401', { status: 401 }],
    ['with status 404', { status: 404 }],
    ['with status 410', { status: 410 }],
    ...[301, 302, 303, 307, 308].map((status): readonly [string, Answer] => [
      `with status ${status}`,
      { status, headers: { ...JSON_TYPE, location: '/other.json' } },
    ]),
  ])('%s', async ([, answer]) => {
    const { read, serve, id, server, logged } = await connect();
    serve(typeof answer === 'function' ? answer(id) : answer);
    expect(await read()).toBe('nobody');
    expect(server.seen).toHaveLength(1);
    expect(logged).toMatchObject([{ event: 'client_document_refused', client_id: id }]);
  });

  test('at an address that is not public', async () => {
    const { read, server } = await connect();
    for (const host of [
      '127.0.0.1',
      '10.0.0.1',
      '169.254.169.254',
      '[::1]',
      '100.64.0.1',
      'localhost',
      '0.0.0.0',
    ]) {
      const clientId = `https://${host}:${new URL(server.origin).port}/client.json`;
      expect(await read(clientId, false), host).toBe('nobody');
    }
    expect(server.seen).toEqual([]);
  });

  test('at a link-local address, whatever is allowed', async () => {
    const { read } = await connect();
    expect(await read('https://169.254.169.254/latest/meta-data')).toBe('nobody');
  });

  test('of a URL that is no client id, and nothing is fetched', async () => {
    const { read, server, logged } = await connect();
    for (const path of ['/', '/a/../client.json', '/%2e/client.json', '/client.json#x', '//client.json@x']) {
      expect(await read(server.origin + path), path).toBe('nobody');
    }
    expect([server.seen, logged]).toEqual([[], []]);
  });
});

describe('nobody knows of a document', () => {
  test.for([500, 502, 503, 429])('whose host answers %d', async (status) => {
    const { read, serve } = await connect();
    serve({ status });
    expect(await read()).toBe('unavailable');
  });

  test('whose host cuts it off, or is not there', async () => {
    const { read, host, server } = await connect();
    host.answer = (_, answer) => {
      answer.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' });
      answer.write('{"client_id":', () => answer.destroy());
    };
    expect(await read()).toBe('unavailable');
    await server.close();
    expect(await read()).toBe('unavailable');
  });
});

describe('how long a document serves', () => {
  test.for<readonly [string, string | undefined, number]>([
    ['nothing', undefined, 300],
    ['an hour', 'public, max-age=3600', 3_600],
    ['a week', 'max-age=604800', 86_400],
    ['a second', 'max-age=1', 60],
    ['never', 'no-store', 60],
    ['only when it is asked again', 'no-cache, max-age=600', 60],
    ['nonsense', 'max-age=soon', 300],
  ])('where it says %s', async ([, cacheControl, seconds]) => {
    const { read, serve, time, server } = await connect();
    serve({
      headers: { ...JSON_TYPE, ...(cacheControl === undefined ? {} : { 'cache-control': cacheControl }) },
    });
    await read();
    time.seconds += seconds - 1;
    expect(await read()).toEqual(REDIRECTS);
    expect(server.seen).toHaveLength(1);
    time.seconds += 1;
    await read();
    expect(server.seen).toHaveLength(2);
  });

  test.for<readonly [string, Answer]>([
    ['404', { status: 404 }],
    ['503', { status: 503 }],
    ['what is no document', { body: '{}' }],
  ])('not at all where it was %s: the next one is asked for at once', async ([, bad]) => {
    const { read, serve } = await connect();
    serve(bad);
    await read();
    serve();
    expect(await read()).toEqual(REDIRECTS);
  });

  test('no longer once another one came that does not hold', async () => {
    const { read, serve, time } = await connect();
    await read();
    time.seconds += 300;
    serve({ status: 404 });
    expect(await read()).toBe('nobody');
    serve({ status: 503 });
    expect(await read()).toBe('unavailable');
  });

  test('an hour longer while its host does not answer, which is asked every 30 s', async () => {
    const { read, serve, time, server } = await connect();
    await read();
    serve({ status: 503 });
    time.seconds += 300;
    expect(await read()).toEqual(REDIRECTS);
    time.seconds += 29;
    expect(await read()).toEqual(REDIRECTS);
    expect(server.seen).toHaveLength(2);
    time.seconds += 3_570;
    expect(await read()).toEqual(REDIRECTS);
    time.seconds += 31;
    expect(await read()).toBe('unavailable');
  });
});

describe('hosts are not flooded', () => {
  test('of many who ask for one document at once, one look', async () => {
    const { read, server } = await connect();
    const answers = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(answers).toEqual(answers.map(() => REDIRECTS));
    expect(server.seen).toHaveLength(1);
  });

  test('sixty first looks, and then none for a minute, but for clients that are known', async () => {
    const { read, serve, server, time, id, useUp, outages } = await connect();
    await read();
    serve({ status: 404 });
    await useUp();
    serve();
    expect(await read(`${server.origin}/other.json`)).toBe('unavailable');
    expect(server.seen.length).toBeLessThanOrEqual(60);
    expect(server.seen.length + outages()).toBeGreaterThanOrEqual(60);
    time.seconds += 60;
    expect(await read(`${server.origin}/other.json`)).toEqual(REDIRECTS);
    time.seconds += 240;
    serve({ status: 404 });
    await useUp();
    serve();
    expect(await read(id)).toEqual(REDIRECTS);
  });

  test('and no more where many look at once', async () => {
    const { read, serve, server, outages } = await connect();
    serve({ status: 404 });
    await Promise.all(Array.from({ length: 90 }, (_, look) => read(`${server.origin}/made-up-${look}.json`)));
    expect(server.seen.length).toBeLessThanOrEqual(60);
    expect(server.seen.length + outages()).toBeGreaterThanOrEqual(60);
  });

  test('by one network alone, which has twenty first looks in a minute, and does not use up those of others', async () => {
    const { read, serve, server, outages } = await connect();
    serve({ status: 404 });
    const look = (number: number, from: string) =>
      read(`${server.origin}/made-up-${number}.json`, true, from);
    await Promise.all(Array.from({ length: 50 }, (_, number) => look(number, `2001:db8:0:1::${number}`)));
    expect(server.seen.length).toBeLessThanOrEqual(20);
    expect(server.seen.length + outages()).toBeGreaterThanOrEqual(20);
    serve();
    expect(await look(50, '2001:db8:0:1::50')).toBe('unavailable');
    expect(await look(51, '2001:db8:0:2::50')).toEqual(REDIRECTS);
  });

  test('and a document that held once is looked at all the same by a process that does not know it', async () => {
    const { read, serve, server, restart, useUp } = await connect();
    await read();
    serve({ status: 404 });
    await useUp();
    serve();
    restart();
    expect(await read()).toEqual(REDIRECTS);
    expect(await read(`${server.origin}/other.json`)).toBe('unavailable');
  });

  test('and none where nothing can be counted', async () => {
    const sent: UpstreamRequest[] = [];
    const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
    const documents = createClientDocuments({
      upstream: {
        send(request) {
          sent.push(request);
          return Promise.reject(new Error('not reached'));
        },
      },
      records: createRecordStore(table.dynamo, table.tableName, () => NOW_SECONDS),
      counter: { count: () => Promise.resolve(err(down)), read: () => Promise.resolve(err(down)) },
      now: () => NOW_SECONDS * 1000,
      log: () => {},
    });
    const read = await documents.read('https://app.example.com/client.json', {
      allowPrivate: false,
      sourceIp: '192.0.2.1',
    });
    expect([read.ok, sent]).toEqual([false, []]);
  });
});
