import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { err, ok } from '../../functions/core/result.ts';
import type { DocumentPorts } from '../../functions/handlers/document-route.ts';
import { createDocumentRoutes } from '../../functions/handlers/documents.ts';
import { problem } from '../../functions/handlers/problem.ts';
import { serveOnLoopback } from '../../local/demo/loopback.ts';
import { contextCaller, cursorSeal, NOW_SECONDS } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { run } from './terminal.ts';

let table: EmbeddedContextTable;
let server: Awaited<ReturnType<typeof serveOnLoopback>>;
let directory: string;
/** What the gateway does to a request before the store sees it. */
let disturb: (request: Request) => Response | undefined | Promise<Response | undefined>;
let paths: string[];
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
  const ports: DocumentPorts = {
    documents: createDocumentStore({
      tables: table.tables(() => NOW_SECONDS),
      seal: cursorSeal(),
      clock: () => NOW_SECONDS,
    }),
    // The token says the namespace; a path may name another one.
    resolve: async (request, { requestId }, { namespace }) => {
      const [, own = ''] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
      return own === 'none'
        ? err(problem('permission_denied', 'this token has no namespace', requestId))
        : ok(contextCaller({ namespace: namespace ?? own }));
    },
    resolveAdministrator: async () => ok('acme'),
    clock: () => NOW_SECONDS,
    randomBytes,
    log: () => {},
  };
  const routes = createDocumentRoutes(ports);
  server = await serveOnLoopback(0, async (request) => {
    const { pathname, search } = new URL(request.url);
    paths.push(`${request.method} ${pathname}${search}`);
    const { signal } = new AbortController();
    const invocation = { requestId: 'r-1', origin: server.origin, sourceIp: '127.0.0.1', signal };
    return (await disturb(request)) ?? routes.fetch(request, invocation);
  });
});
afterAll(async () => {
  await server.close();
  await table.close();
});

beforeEach(() => {
  namespaces += 1;
  paths = [];
  disturb = () => undefined;
  directory = mkdtempSync(join(tmpdir(), 'sallyport-context-'));
  return () => rmSync(directory, { recursive: true });
});

const file = (name: string) => join(directory, name);
const own = () => `cli-${namespaces}`;

function context(...argv: string[]) {
  return as(own(), ...argv);
}

function as(token: string, ...argv: string[]) {
  const env = { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: token };
  return run(['context', ...argv], { env, input: 'from standard input' });
}

async function json(...argv: string[]) {
  const { code, out } = await context(...argv, '--json');
  return { code, ...JSON.parse(out) };
}

async function pushed(name: string, text: string, ...options: string[]): Promise<string> {
  writeFileSync(file(name), text);
  const { code, id } = await json('push', file(name), ...options);
  expect(code).toBe(0);
  return id;
}

describe('documents', () => {
  test('are pushed, listed, described, read and pulled', async () => {
    const id = await pushed('plan.md', 'größe\n', '--tags', 'plan,draft', '--metadata', '{"by":"me"}');
    expect((await context('list', '--tags', 'plan')).out).toBe(
      `${id}  v1          8  plan.md  [plan, draft]`,
    );
    expect((await context('list', '--tags', 'other')).out).toBe('no documents for this token');
    expect(await json('info', id)).toMatchObject({ id, metadata: { by: 'me' }, filename: 'plan.md' });
    expect((await context('read', id)).out).toBe('größe\n');
    expect((await context('read', id, '--offset', '1', '--limit', '2')).out).toBe('rö');
    expect(await context('pull', id, file('copy'))).toMatchObject({ code: 0 });
    expect(readFileSync(file('copy'), 'utf8')).toBe('größe\n');
    expect((await context('pull', id, file('copy'))).code).toBe(1);
  });

  test('are written, edited, searched and deleted, the version being what it should be', async () => {
    const id = await pushed('a.txt', 'one two three');
    expect((await context('write', id, '-', '--if-version', '1')).code).toBe(0);
    expect((await context('read', id)).out).toBe('from standard input');
    const { code, notes } = await context('write', id, '-', '--if-version', '1');
    expect([code, notes.startsWith('sallyport: 409')]).toEqual([1, true]);
    expect((await context('edit', id, '--old', 'from', '--new', 'by')).code).toBe(0);
    expect((await context('edit', id, '--offset', '0', '--length', '2', '--new', 'With')).code).toBe(0);
    expect((await context('edit', id, '--old', 't', '--new', 'T', '--all')).code).toBe(0);
    expect((await context('read', id)).out).toBe('WiTh sTandard inpuT');
    expect((await context('search', 'standard')).out).toContain(`${id}  v5`);
    expect((await context('search', 'three')).out).toBe('nothing found');
    expect((await context('delete', id)).out).toBe('deleted 1 document');
    expect((await context('info', id)).code).toBe(1);
  });

  test('are created without content, and linked', async () => {
    const { id: parent } = await json('create', 'later.md', '--tags', 'a,b', '--ttl', '60');
    const child = await pushed('b.txt', 'b');
    const { id: relation } = await json('link', parent, child, '--type', 'parent-child', '--note', 'x');
    expect((await context('links', child)).out).toBe(`${relation}  parent-child  ${parent} -> ${child}`);
    expect((await context('unlink', relation)).code).toBe(0);
    expect((await context('links', child)).out).toBe('no relations for this token');
    expect(await json('info', parent)).toMatchObject({ tags: ['a', 'b'], size_bytes: 0 });
  });

  test('name their links by pages', async () => {
    const id = await pushed('a.txt', 'a');
    for (const name of ['b.txt', 'c.txt'])
      await json('link', id, await pushed(name, 'x'), '--type', 'related');
    const [one, more = ''] = (await context('links', id, '--limit', '1')).out.split('\n');
    const [, cursor = ''] = /^more: --cursor=(\S+)$/.exec(more) ?? [];
    const { out: other } = await context('links', id, '--limit', '1', `--cursor=${cursor}`);
    expect((await context('links', id)).out.split('\n')).toEqual([one, other]);
  });

  test('of a namespace that is named are asked for there', async () => {
    await context('list', '--namespace', 'odd:name');
    expect(paths).toEqual(['GET /context/namespaces/odd%3Aname/documents']);
  });

  test('of other people’s naming do not reach the terminal as they are', async () => {
    await pushed('a.txt', 'x', '--filename', 'a\u{202e}txt.exe');
    expect((await context('list')).out).toContain('a\\u{202e}txt.exe');
  });

  test('that are more than a page are listed page by page', async () => {
    const ids = [await pushed('a.txt', 'x'), await pushed('b.txt', 'x')].sort();
    const { out } = await context('list', '--limit', '1');
    const [, cursor = ''] = /more: --cursor=(\S+)/.exec(out) ?? [];
    const { out: next } = await context('list', '--limit', '1', `--cursor=${cursor}`);
    expect([out, next].map((text) => text.slice(0, 28))).toEqual(ids);
  });
});

describe('an archive', () => {
  async function populate(): Promise<void> {
    const first = await pushed('a.txt', 'first');
    const second = await pushed('b.txt', 'second');
    await context('link', first, second, '--type', 'related');
    writeFileSync(file('bytes'), randomBytes(2_100_000));
    for (const name of ['bytes', 'again']) {
      expect(await context('push', file('bytes'), '--filename', name)).toMatchObject({ code: 0, notes: '' });
    }
  }

  test('of one namespace makes another one alike, and importing it again changes nothing', async () => {
    await populate();
    expect((await context('export', file('one.jsonl'))).out).toContain('4 documents and 1 relations are in');
    const target = `${own()}-copy`;
    expect(await as(target, 'import', file('one.jsonl'))).toEqual({
      code: 0,
      notes: '',
      out: 'documents: 4 created; relations: 1 created',
    });
    expect(await as(target, 'export', file('two.jsonl'))).toMatchObject({ code: 0 });
    expect(readFileSync(file('two.jsonl'), 'utf8')).toBe(readFileSync(file('one.jsonl'), 'utf8'));
    expect(JSON.parse((await as(target, 'import', file('one.jsonl'), '--json')).out)).toEqual({
      documents: { unchanged: 4 },
      relations: { unchanged: 1 },
      not_done: [],
    });
    expect(paths.filter((path) => path.startsWith('POST /context/import')).length).toBeGreaterThan(2);
  });

  test('does not replace what is there: it says so and exits with 1', async () => {
    const id = await pushed('a.txt', 'first');
    await context('export', file('one.jsonl'));
    await context('write', id, '-');
    const { code, not_done } = await json('import', file('one.jsonl'));
    expect([code, not_done]).toEqual([1, [id]]);
  });

  test('goes on where an export was cut short', async () => {
    await populate();
    await context('export', file('whole.jsonl'));
    const pages = readFileSync(file('whole.jsonl'), 'utf8');
    const first = await (
      await fetch(`${server.origin}/context/export?limit=2`, {
        headers: { authorization: `Bearer ${own()}` },
      })
    ).text();
    writeFileSync(file('begun.jsonl'), `${first}{"type":"document","id":"do`);
    expect((await context('import', file('begun.jsonl'))).code).toBe(1);
    expect((await context('export', file('begun.jsonl'))).code).toBe(2);
    const { code, out } = await context('export', file('begun.jsonl'), '--resume');
    expect([code, out.startsWith('4 documents and 1 relations')]).toEqual([0, true]);
    const saying = (text: string) =>
      text.split('\n').filter((line) => /"type":"(document|relation)"/.test(line));
    expect(saying(readFileSync(file('begun.jsonl'), 'utf8'))).toEqual(saying(pages));
    paths = [];
    expect((await context('export', file('begun.jsonl'), '--resume')).code).toBe(0);
    expect(paths).toEqual([]);
  });

  test('that comes short of its end, or not at all, is no export', async () => {
    await pushed('a.txt', 'first');
    disturb = ({ url }) => (url.includes('/export') ? new Response('{"type":"archive"}\n') : undefined);
    const { code, notes } = await context('export', file('a.jsonl'));
    expect([code, notes]).toEqual([
      1,
      `0 documents are in ${file('a.jsonl')}; go on with \`--resume\`\nsallyport: the export was cut short`,
    ]);
    disturb = () => undefined;
    expect((await context('export', file('a.jsonl'), '--resume')).code).toBe(0);
  });

  test('and what is pulled is for its owner alone', async () => {
    const id = await pushed('a.txt', 'secret plan');
    expect((await context('export', file('a.jsonl'))).code).toBe(0);
    expect((await context('export', file('b.jsonl'), '--resume')).code).toBe(0);
    expect((await context('pull', id, file('copy'))).code).toBe(0);
    for (const name of ['a.jsonl', 'b.jsonl', 'copy']) expect(statSync(file(name)).mode & 0o777).toBe(0o600);
  });

  test('does not go on with a file that is no archive, or before there is more', async () => {
    await pushed('a.txt', 'first');
    for (const text of ['ten years of work\n', 'ten years of work', '{"type":"end"}\n', '\n']) {
      writeFileSync(file('thesis'), text);
      expect((await context('export', file('thesis'), '--resume')).code).toBe(2);
      expect(readFileSync(file('thesis'), 'utf8')).toBe(text);
    }
    expect(paths.filter((path) => path.includes('/export'))).toEqual([]);
    const begun = '{"type":"archive","format":"sallyport-context","version":1}\n{"type":"doc';
    writeFileSync(file('begun'), begun);
    disturb = ({ url }) => (url.includes('/export') ? new Response('', { status: 503 }) : undefined);
    expect((await context('export', file('begun'), '--resume')).code).not.toBe(0);
    expect(readFileSync(file('begun'), 'utf8')).toBe(begun);
  });

  // As gateways of older versions wrote them, and as other writers of JSON do.
  test.for(['\u2028', '\u2029', '\u0085', 'ä\u2028\u2029'])(
    'has %j in its lines as it is, or escaped',
    async (separator) => {
      const id = await pushed('a.txt', `a${separator}b`);
      await pushed('b.txt', 'second');
      await context('export', file('whole.jsonl'));
      const raw = readFileSync(file('whole.jsonl'), 'utf8')
        .replaceAll('\\u2028', '\u2028')
        .replaceAll('\\u2029', '\u2029');
      expect(raw).toContain(`a${separator}b`);
      writeFileSync(file('raw.jsonl'), raw.replaceAll('\n', '\r\n'));
      const target = `${own()}-copy`;
      expect((await as(target, 'import', file('raw.jsonl'))).out).toContain('documents: 2 created');
      expect((await as(target, 'read', id)).out).toContain(`a${separator}b`);
      const [header = '', one = '', two = '', end = ''] = raw.split('\n');
      const first = JSON.parse(one).id;
      const half = end.replace('"documents":2', '"documents":1').replace('"next":null', `"next":"${first}"`);
      const kept = `${[header, one, half].join('\n')}\n`;
      writeFileSync(file('begun.jsonl'), `${kept}${two}\n{"type":"end","docu`);
      expect((await context('export', file('begun.jsonl'), '--resume')).out).toContain('2 documents and 0');
      const resumed = readFileSync(file('begun.jsonl'), 'utf8');
      expect(resumed.slice(0, kept.length)).toBe(kept);
      expect(JSON.parse(resumed.slice(kept.length).split('\n')[1] ?? '').id).toBe(JSON.parse(two).id);
    },
  );

  test('that an import takes in part is sent again from there', async () => {
    await populate();
    await context('export', file('a.jsonl'));
    let asked = 0;
    disturb = async (request) => {
      if (!request.url.endsWith('/import')) return undefined;
      asked += 1;
      if (asked > 1) return undefined;
      await request.arrayBuffer();
      const results = [{ type: 'document', id: 'doc_1', outcome: 'created' }];
      return Response.json({ lines: 2, complete: false, results });
    };
    const target = `${own()}-copy`;
    expect((await as(target, 'import', file('a.jsonl'))).out).toContain('documents: 4 created; ');
    const { documents } = JSON.parse((await as(target, 'list', '--json')).out);
    expect(documents.length).toBe(3);
  });

  test('that is refused says which lines it was', async () => {
    writeFileSync(file('a.jsonl'), '{"type":"archive","format":"sallyport-context","version":1}\n{}\n');
    const { code, notes } = await context('import', file('a.jsonl'));
    expect(code).toBe(1);
    expect(notes).toContain('`line 2` of the archive');
    expect(notes).toContain('from line 2');
  });

  test.for(['nothing here', 'empty'])('that is %s is a failure', async (name) => {
    if (name === 'empty') writeFileSync(file(name), '');
    expect((await context('import', file(name))).code).toBe(1);
  });
});

test.for([
  [],
  ['frob'],
  ['info'],
  ['read', 'a', 'b'],
  ['list', '--old', 'x'],
  ['list', '--all'],
  ['link', 'a', 'b'],
  ['push', '-'],
])('usage error: %o', async (argv) => {
  expect((await context(...argv)).code).toBe(2);
  expect(paths).toEqual([]);
});

test('without a token nothing is asked, without a namespace the gateway says why', async () => {
  expect((await run(['context', 'list'], { env: { SALLYPORT_ORIGIN: server.origin } })).code).toBe(2);
  expect(paths).toEqual([]);
  const { code, notes } = await as('none', 'list');
  expect([code, notes]).toEqual([1, 'sallyport: 403 Forbidden: this token has no namespace (request r-1)']);
  const nobody = { SALLYPORT_ORIGIN: 'http://127.0.0.1:1', SALLYPORT_TOKEN: 't' };
  expect((await run(['context', 'list'], { env: nobody })).code).toBe(3);
});

test('a file that is not there is said to be', async () => {
  const { code, notes } = await context('push', file('none'));
  expect([code, notes.startsWith(`sallyport: cannot read ${file('none')}`)]).toEqual([1, true]);
});
