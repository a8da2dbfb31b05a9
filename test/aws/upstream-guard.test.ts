import { execFile } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import type { Upstream, UpstreamRequest } from '../../functions/core/ports.ts';
import { err } from '../../functions/core/result.ts';
import { type Certificate, selfSigned } from '../support/certificate.ts';

const TIMEOUT = { connectMs: 2_000, firstByteMs: 2_000, silenceMs: 2_000, callMs: 4_000 };
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function requestTo(url: string, changed: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    url: new URL(url),
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

/** What came of one request: the body of its answer, or the reason why there is none. */
async function ask(
  url: string,
  changed: Partial<UpstreamRequest> = {},
  upstream: Upstream = createUpstream(),
) {
  const answer = await upstream.send(requestTo(url, changed));
  return answer.ok ? (await readAll(answer.value.body)).toString() : answer.error.reason;
}

async function readAll(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A server on loopback that answers each request as it likes, and keeps the connections that came and the heads that it saw. */
async function startServer(respond: (socket: Socket) => void = (socket) => void socket.write(OK)) {
  const connections: Socket[] = [];
  const heads: string[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heads.push(chunk.toString());
      respond(socket);
    });
  });
  const port = await listen(server, () => connections);
  return { origin: `http://127.0.0.1:${port}`, port, connections, heads };
}

async function listen(server: Server, connections: () => readonly Socket[]): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of connections()) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  return (server.address() as AddressInfo).port;
}

test.for(['a\u0001b', 'a\u007fb', 'a\u0000b'])(
  'a header that HTTP cannot carry is sent nowhere: %j',
  async (value) => {
    const server = await startServer();
    expect(await ask(server.origin, { headers: new Map([['accept', value]]) })).toBe('unreachable');
    expect(server.connections).toEqual([]);
  },
);

const systemLookup = dns.lookup;
afterEach(() => answerNames(systemLookup));

/** The resolver of this process from now on; it is the system's again after the test. */
function answerNames(lookup: unknown): void {
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
}

/** Names resolve to these addresses, the first time and so on; the last again and again. Tells how often it was asked. */
function resolveTo(...answers: readonly (readonly string[])[]): () => number {
  let asked = 0;
  answerNames((_name: string, _options: unknown, callback: (error: null, found: unknown) => void) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => callback(null, found));
  });
  return () => asked;
}

/** One of every class that no public name may lead to (`private: true` opens those of the first list). */
const PRIVATE = [
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.254',
  '192.168.1.1',
  '127.0.0.1',
  '::1',
  'fd00::1',
  'fc00::1',
];
const FORBIDDEN = [
  '0.0.0.0',
  '100.64.0.1',
  '100.100.100.200',
  '169.254.169.254',
  '169.254.170.2',
  '192.0.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'fd00:ec2::254',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::7f00:1',
  '2002:7f00:1::',
  '2001:0:7f00:1::',
  '2001:db8::1',
];
const inUrl = (address: string) => (address.includes(':') ? `[${address}]` : address);

describe('an address is refused before anything is sent,', () => {
  test.for([
    ...PRIVATE.map((address) => [address, false] as const),
    ...FORBIDDEN.map((address) => [address, true] as const),
  ])('in the URL: %s (private: %s)', async ([address, allowPrivate]) => {
    const asked = resolveTo(['127.0.0.1']);
    expect(await ask(`http://${inUrl(address)}:9/`, { allowPrivate })).toBe('refused_address');
    expect(asked()).toBe(0);
  });

  test.for([
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.1',
    '127.0.1',
    '127.0.0.1.',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
  ])('in any way of writing it: %s', async (host) => {
    const server = await startServer();
    expect(await ask(`http://${host}:${server.port}/`, { allowPrivate: false })).toBe('refused_address');
    expect(server.connections).toEqual([]);
  });

  test.for([
    ...PRIVATE.map((address) => [address, false] as const),
    ...FORBIDDEN.map((address) => [address, true] as const),
  ])('behind a name: %s (private: %s)', async ([address, allowPrivate]) => {
    resolveTo([address]);
    expect(await ask('http://name.test:9/', { allowPrivate })).toBe('refused_address');
  });

  test.for(['8.8.8.8', '2606:4700:4700::1111'])(
    'where credentials would go to a public address without TLS: %s',
    async (address) => {
      expect(await ask(`http://${inUrl(address)}:9/`)).toBe('refused_address');
      resolveTo([address]);
      expect(await ask('http://name.test:9/')).toBe('refused_address');
      resolveTo(['127.0.0.1', address]);
      expect(await ask('http://name.test:9/')).toBe('refused_address');
    },
  );

  test('behind a name that has another one too, whichever comes first', async () => {
    const server = await startServer();
    for (const addresses of [
      ['127.0.0.1', '169.254.169.254'],
      ['169.254.169.254', '127.0.0.1'],
      ['127.0.0.1', '64:ff9b::7f00:1'],
    ]) {
      resolveTo(addresses);
      expect(await ask(`http://name.test:${server.port}/`)).toBe('refused_address');
    }
    expect(server.connections).toEqual([]);
  });

  test('where private addresses may be in some networks alone, and this one is in none of them', async () => {
    const server = await startServer();
    const url = `http://name.test:${server.port}/`;
    const inNetworks = (...privateNetworks: readonly string[]) => ask(url, { privateNetworks });
    resolveTo(['127.0.0.1']);
    expect(await inNetworks('10.0.0.0/8')).toBe('refused_address');
    expect(await inNetworks()).toBe('refused_address');
    expect(await ask(url, { refusesLoopback: true })).toBe('refused_address');
    expect(await ask(`http://127.0.0.1:${server.port}/`, { privateNetworks: ['10.0.0.0/8'] })).toBe(
      'refused_address',
    );
    resolveTo(['127.0.0.1', '10.1.2.3']);
    expect(await inNetworks('127.0.0.0/8')).toBe('refused_address');
    expect(server.connections).toEqual([]);
    resolveTo(['127.0.0.1']);
    expect(await inNetworks('10.0.0.0/8', '127.0.0.0/8')).toBe('ok');
  });

  test('behind the name of this machine', async () => {
    const server = await startServer();
    for (const name of ['localhost', 'LOCALHOST']) {
      expect(await ask(`http://${name}:${server.port}/`, { allowPrivate: false })).toBe('refused_address');
    }
    expect(server.connections).toEqual([]);
  });
});

describe('a name', () => {
  test('is looked up once, and the connection goes to the address that was checked', async () => {
    const server = await startServer();
    const asked = resolveTo(['127.0.0.1'], ['169.254.169.254']);
    expect(await ask(`http://name.test:${server.port}/x`)).toBe('ok');
    expect(asked()).toBe(1);
    expect(server.connections.map(({ localAddress }) => localAddress)).toEqual(['127.0.0.1']);
    expect(server.heads[0]).toContain(`Host: name.test:${server.port}\r\n`);
  });

  test('that comes to mean another address is checked anew with every connection', async () => {
    const server = await startServer();
    const asked = resolveTo(['127.0.0.1'], ['169.254.169.254']);
    const upstream = createUpstream();
    const url = `http://name.test:${server.port}/`;
    expect(await ask(url, {}, upstream)).toBe('ok');
    expect(await ask(url, { isolationKey: 'other' }, upstream)).toBe('refused_address');
    expect([asked(), server.connections.length]).toEqual([2, 1]);
  });

  test('that nobody knows is unreachable', async () => {
    answerNames((_name: string, _options: unknown, callback: (error: Error, found: string) => void) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), ''),
    );
    expect(await ask('http://name.test/')).toBe('unreachable');
  });

  test('that has no address is unreachable', async () => {
    resolveTo([]);
    expect(await ask('http://name.test/')).toBe('unreachable');
  });
});

describe('a connection that is kept', () => {
  test('serves the same caller and origin again', async () => {
    const server = await startServer();
    const upstream = createUpstream();
    for (const _ of [1, 2, 3]) expect(await ask(server.origin, {}, upstream)).toBe('ok');
    expect(server.connections).toHaveLength(1);
  });

  test('serves no other caller, no other right, and no other name for the same server', async () => {
    resolveTo(['127.0.0.1']);
    const server = await startServer();
    const upstream = createUpstream();
    const named = `http://name.test:${server.port}/`;
    await ask(named, { isolationKey: 'one' }, upstream);
    await ask(named, { isolationKey: 'two' }, upstream);
    await ask(named.replace('name', 'other'), { isolationKey: 'one' }, upstream);
    expect(server.connections).toHaveLength(3);
    expect(await ask(named, { isolationKey: 'one', allowPrivate: false }, upstream)).toBe('refused_address');
    const elsewhere = { isolationKey: 'one', privateNetworks: ['10.0.0.0/8'] };
    expect(await ask(named, elsewhere, upstream)).toBe('refused_address');
  });

  test('gives nobody an answer that came unasked', async () => {
    const server = await startServer((socket) => void socket.write(`${OK}${OK.replace('ok', 'no')}`));
    const upstream = createUpstream();
    for (const _ of [1, 2]) {
      expect(await ask(server.origin, {}, upstream)).toBe('ok');
      await wait(20);
    }
  });
});

describe('a redirect', () => {
  test.for([301, 302, 303, 305, 307, 308])('with %i is refused, and leads nowhere', async (status) => {
    const target = await startServer();
    const server = await startServer((socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\nLocation: ${target.origin}/\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await ask(server.origin, { headers: new Map([['authorization', 'Bearer secret']]) })).toBe(
      'redirect',
    );
    expect(target.connections).toEqual([]);
  });
});

describe('TLS', () => {
  const trusted = tls.getCACertificates('default');
  const trust = (...certificates: readonly Certificate[]) => {
    tls.setDefaultCACertificates([...trusted, ...certificates.map(({ cert }) => cert)]);
    onTestFinished(() => tls.setDefaultCACertificates(trusted));
  };
  const start = async (certificate: Certificate): Promise<string> => {
    resolveTo(['127.0.0.1']);
    const sockets: Socket[] = [];
    const server = createTlsServer(certificate, (_, answer) => void answer.end('ok'));
    server.on('connection', (socket: Socket) => void sockets.push(socket));
    return `https://gate.test:${await listen(server, () => sockets)}/`;
  };

  test('is spoken with a server whose certificate is trusted and names it', async () => {
    const certificate = selfSigned('gate.test');
    trust(certificate);
    expect(await ask(await start(certificate))).toBe('ok');
  });

  test.for<readonly [string, () => Certificate, boolean]>([
    ['nobody has signed', () => selfSigned('gate.test'), false],
    ['names another', () => selfSigned('other.test'), true],
    ['names all but it', () => selfSigned('*.gate.test'), true],
    ['has expired', () => selfSigned('gate.test', new Date(Date.now() - 1_000)), true],
  ])('is not with one whose certificate %s', async ([, make, isTrusted]) => {
    const certificate = make();
    if (isTrusted) trust(certificate);
    expect(await ask(await start(certificate))).toBe('unreachable');
  });

  test('that is refused for its certificate is told of without a word that is in it', async () => {
    const certificate = selfSigned('sk-live-0123456789.test');
    trust(certificate);
    const detail = 'its certificate is for another host';
    expect(await createUpstream().send(requestTo(await start(certificate)))).toEqual(
      err({ reason: 'unreachable', detail }),
    );
  });

  test('is verified whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await ask(await start(selfSigned('gate.test')))).toBe('unreachable');
  });

  test('is not with one of its versions that is broken, nor with what is no TLS', async () => {
    const certificate = selfSigned('gate.test');
    trust(certificate);
    const old = {
      ...certificate,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL@SECLEVEL=0',
    } as const;
    expect(await ask(await start(old))).toBe('unreachable');
    const plain = await startServer();
    expect(await ask(`https://gate.test:${plain.port}/`)).toBe('unreachable');
  });

  test('that is never agreed on ends with the bound on the first byte', async () => {
    const server = await startServer(() => {});
    const url = server.origin.replace('http', 'https');
    expect(await ask(url, { timeout: { ...TIMEOUT, firstByteMs: 50 } })).toBe('timeout');
  });
});

test('no variable of the environment leads through a proxy', async () => {
  const server = await startServer();
  const proxy = await startServer();
  const script = `
    import { createUpstream } from '${join(import.meta.dirname, '../../functions/aws/upstream.ts')}';
    const answer = await createUpstream().send({
      url: new URL('${server.origin}/x'), method: 'GET', headers: new Map(), body: undefined, allowPrivate: true,
      isolationKey: 'k', timeout: ${JSON.stringify(TIMEOUT)}, signal: new AbortController().signal,
    });
    console.log(answer.ok ? await new Response(answer.value.body).text() : JSON.stringify(answer.error));
    process.exit();
  `;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
  const env = {
    ...Object.fromEntries(names.map((name) => [name, proxy.origin])),
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: '',
    no_proxy: '',
  };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  expect((await run).stdout).toBe('ok\n');
  expect([server.connections.length, proxy.connections.length]).toEqual([1, 0]);
});

describe('an answer that wears its reader out', () => {
  /** Sends a piece every few milliseconds until the connection ends. */
  const dripping = (head: string, piece: string) => (socket: Socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(piece), 5);
    socket.once('close', () => clearInterval(timer));
  };
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

  test.for([
    ['a head that comes letter by letter', 'HTTP/1.1 200 OK\r\nX-Slow: ', 'x'],
    ['informational answers without end', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ] as const)('by %s is over with the bound on the first byte', async ([, head, piece]) => {
    const server = await startServer(dripping(head, piece));
    expect(await ask(server.origin, { timeout: { ...TIMEOUT, firstByteMs: 100 } })).toBe('timeout');
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true);
  });

  test.for([
    ['a body that comes letter by letter', `${CHUNKED}`, '1\r\nx\r\n'],
    ['a body without end', 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(100_000)],
    ['a trailer without end', `${CHUNKED}1\r\nx\r\n0\r\n`, 'X-Slow: x\r\n'],
  ] as const)(
    'by %s is over with the bound on the call, and never looks complete',
    async ([, head, piece]) => {
      const server = await startServer(dripping(head, piece));
      const started = ask(server.origin, { timeout: { ...TIMEOUT, callMs: 200 } });
      await expect(started).rejects.toThrow();
      await expect.poll(() => server.connections[0]?.destroyed).toBe(true);
    },
  );

  test.for([
    ['a head of 40 KB', `HTTP/1.1 200 OK\r\nX-Big: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['many small headers', `HTTP/1.1 200 OK\r\n${'X-Many: x\r\n'.repeat(10_000)}\r\n`],
    [
      'a length and chunks',
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk`],
    ['a header folded over two lines', 'HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
    ['a line feed for a line ending', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a body and nothing before it, as HTTP/0.9 has it', '<h1>hello</h1>'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['HTTP/2 without TLS', Buffer.from('000012040000000000', 'hex').toString('latin1')],
    ['a version that there is not', 'HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a status that is no number', 'HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a length below nothing', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok'],
    ['a zero in a header', 'HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\nContent-Length: 2\r\n\r\nok'],
  ] as const)('or that two would read differently is no answer: %s', async ([, text]) => {
    const server = await startServer((socket) => void socket.write(text));
    expect(await ask(server.origin)).toBe('unreachable');
  });

  test.for([
    ['is shorter than its length says', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'],
    ['ends before its last chunk', `${CHUNKED}2\r\nok\r\n`],
    ['ends within a chunk', `${CHUNKED}9\r\nok`],
    ['has a chunk of no size', `${CHUNKED}2\r\nok\r\nzz\r\nok\r\n0\r\n\r\n`],
    ['has a chunk that is longer than it says', `${CHUNKED}1\r\nok\r\n0\r\n\r\n`],
  ] as const)('and %s never looks complete', async ([, text]) => {
    const server = await startServer((socket) => void socket.end(text));
    await expect(ask(server.origin)).rejects.toThrow();
  });

  test('once it is unpacked stays packed: nothing is decompressed here', async () => {
    const packed = gzipSync(Buffer.alloc(10_000_000));
    const server = await startServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`);
      socket.write(packed);
    });
    const answer = await createUpstream().send(requestTo(server.origin));
    expect(answer.ok && (await readAll(answer.value.body)).equals(packed)).toBe(true);
    expect(server.heads[0]?.toLowerCase()).not.toContain('accept-encoding');
  });
});
