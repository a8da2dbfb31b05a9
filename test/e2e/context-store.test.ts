import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../cli/terminal.ts';
import { EVERY_CLIENT, type TestClient } from '../support/clients.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const TOOLS = [
  'doc_create',
  'doc_write',
  'doc_edit',
  'doc_push',
  'doc_pull',
  'doc_query',
  'doc_search',
  'doc_info',
  'doc_read',
  'doc_delete',
  'doc_link',
];
const METHODS = ['initialize', 'tools/list', 'tools/call'];
const READING = ['doc_query', 'doc_search', 'doc_info', 'doc_read', 'doc_pull'];

const CLIENTS = {
  'alpha-root': { namespace: 'alpha', scope_filters: { root_session_id: 's-1' } },
  'alpha-child': { namespace: 'alpha', scope_filters: { root_session_id: 's-1' } },
  'alpha-other': { namespace: 'alpha', scope_filters: { root_session_id: 's-2' } },
  'alpha-all': { namespace: 'alpha' },
  'alpha-reader': { namespace: 'alpha', scopes: ['documents/read'] },
  beta: { namespace: 'beta', scope_filters: { root_session_id: 's-1' } },
  'globex-alpha': { org: 'globex', namespace: 'alpha', scope_filters: { root_session_id: 's-1' } },
  homeless: {},
  steward: { scopes: ['documents/all', 'context/admin'] },
  unscoped: { namespace: 'alpha', scopes: ['elsewhere/read'] },
} as const;

let cloud: Sallyport;

beforeAll(async () => {
  cloud = await startSallyport({
    clients: Object.keys(CLIENTS),
    config: {
      'scopes.yml': JSON.stringify({
        'documents/all': [{ server: 'context-store', methods: METHODS, tools: TOOLS }],
        'documents/read': [{ server: 'context-store', methods: METHODS, tools: READING }],
        'elsewhere/read': [{ server: 'nowhere', methods: METHODS }],
      }),
      'servers.yml': '{}',
      'orgs.yml': 'orgs: { acme: {}, globex: {} }',
      'clients.yml': JSON.stringify({
        clients: Object.fromEntries(
          Object.entries(CLIENTS).map(([id, client]) => [
            id,
            {
              org: 'acme',
              grants: ['client_credentials'],
              scopes: ['documents/all'],
              audience: 'gateway',
              secret: { ref: `sallyport/{stage}/clients/${id}` },
              ...client,
            },
          ]),
        ),
      }),
    },
  });
});
afterAll(() => cloud?.close());

async function bearer(clientId: string): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await cloud.token(clientId)}` };
}

async function upload(clientId: string, filename: string, content: string): Promise<string> {
  const form = new FormData();
  form.set('file', new File([content], filename, { type: 'text/plain' }));
  form.set('tags', 'plan,draft');
  const response = await fetch(`${cloud.origin}/context/documents`, {
    method: 'POST',
    headers: await bearer(clientId),
    body: form,
  });
  expect(response.status).toBe(201);
  return JSON.parse(await response.text()).id;
}

async function namesSeenBy(clientId: string): Promise<readonly string[]> {
  const response = await fetch(`${cloud.origin}/context/documents`, { headers: await bearer(clientId) });
  expect(response.status).toBe(200);
  const { documents } = JSON.parse(await response.text());
  return documents.map(({ filename }: { filename: string }) => filename).sort();
}

describe('REST', () => {
  test('a document comes back as it went in, with its checksum', async () => {
    const id = await upload('alpha-root', 'plan.txt', 'the plan\n');
    const headers = await bearer('alpha-child');
    const read = await fetch(`${cloud.origin}/context/documents/${id}`, { headers });
    expect(await read.text()).toBe('the plan\n');
    expect(read.headers.get('x-content-type-options')).toBe('nosniff');
    const metadata = await fetch(`${cloud.origin}/context/documents/${id}/metadata`, { headers });
    expect(await metadata.json()).toMatchObject({
      id,
      filename: 'plan.txt',
      size_bytes: 9,
      tags: ['plan', 'draft'],
    });
  });

  test('HEAD is answered wherever GET is, and as GET is but for the body', async () => {
    const id = await upload('alpha-all', 'head.txt', 'content');
    const headers = await bearer('alpha-all');
    const asked = [
      `documents/${id}`,
      `documents/${id}/metadata`,
      `documents/${id}/relations`,
      'documents?limit=1',
    ];
    const paths = [
      ...asked,
      'search?q=content',
      'relations/definitions',
      'export?limit=1',
      'documents/doc_0',
    ];
    const said = ({ status, headers: all }: Response) => [
      status,
      ['content-type', 'content-disposition', 'etag', 'cache-control'].map((name) => all.get(name)),
    ];
    for (const path of paths.flatMap((one) => [one, `namespaces/alpha/${one}`])) {
      const [get, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => fetch(`${cloud.origin}/context/${path}`, { method, headers })),
      );
      if (get === undefined || head === undefined) throw new Error('not asked');
      expect([path, ...said(head), await head.text()]).toEqual([path, ...said(get), '']);
      expect((await get.text()).length).toBeGreaterThan(0);
    }
    const url = `${cloud.origin}/context/documents/${id}`;
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401);
    expect((await fetch(`${url}/content`, { method: 'HEAD', headers })).status).toBe(404);
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(200);
  });

  test('who sees what is in the token: filters narrow, absent filters see the namespace, other tenants see nothing', async () => {
    await upload('alpha-root', 'root.txt', 'r');
    await upload('alpha-other', 'other.txt', 'o');
    await upload('alpha-all', 'wide.txt', 'w');
    await upload('beta', 'beta.txt', 'b');
    expect(await namesSeenBy('alpha-child')).toEqual(['plan.txt', 'root.txt', 'wide.txt']);
    expect(await namesSeenBy('alpha-other')).toEqual(['other.txt', 'wide.txt']);
    expect(await namesSeenBy('alpha-all')).toEqual(['other.txt', 'plan.txt', 'root.txt', 'wide.txt']);
    expect(await namesSeenBy('beta')).toEqual(['beta.txt']);
    expect(await namesSeenBy('globex-alpha')).toEqual([]);
  });

  test.for(['alpha-other', 'beta', 'globex-alpha'])(
    '%s cannot read, describe or delete by id',
    async (clientId) => {
      const id = await upload('alpha-root', 'hidden.txt', 'h');
      const headers = await bearer(clientId);
      const url = `${cloud.origin}/context/documents/${id}`;
      const statuses = [
        (await fetch(url, { headers })).status,
        (await fetch(`${url}/metadata`, { headers })).status,
        (await fetch(url, { method: 'DELETE', headers })).status,
      ];
      expect(statuses).toEqual([404, 404, 404]);
      const deleted = await fetch(url, { method: 'DELETE', headers: await bearer('alpha-child') });
      expect(await deleted.json()).toMatchObject({ success: true, deleted_document_ids: [id] });
    },
  );

  test('no scope, no namespace and no permission are each refused', async () => {
    const list = async (clientId: string) =>
      (await fetch(`${cloud.origin}/context/documents`, { headers: await bearer(clientId) })).status;
    expect(await list('unscoped')).toBe(403);
    expect(await list('homeless')).toBe(403);
    const created = await fetch(`${cloud.origin}/context/documents`, {
      method: 'POST',
      headers: { ...(await bearer('alpha-reader')), 'content-type': 'application/json' },
      body: '{"filename":"no.txt"}',
    });
    expect(created.status).toBe(403);
    expect(created.headers.get('content-type')).toBe('application/problem+json');
    expect(await created.json()).toMatchObject({ code: 'permission_denied', status: 403 });
  });

  test('a text is edited, read by characters, found by its words, related and deleted with its parent', async () => {
    const headers = await bearer('beta');
    const json = { ...headers, 'content-type': 'application/json' };
    const documents = `${cloud.origin}/context/documents`;
    const parent = await upload('beta', 'parent.txt', 'a parent');
    const id = await upload('beta', 'child.txt', 'the größe of it');
    const put = await fetch(`${documents}/${id}/content`, {
      method: 'PUT',
      headers,
      body: 'the GRÖSSE of it',
    });
    expect([put.status, put.headers.get('etag')]).toEqual([200, expect.stringMatching(/^"2-/)]);
    const patch = (body: object, more: Record<string, string> = {}) =>
      fetch(`${documents}/${id}/content`, {
        method: 'PATCH',
        headers: { ...json, ...more },
        body: JSON.stringify(body),
      });
    const edited = await patch({ old_string: 'GRÖSSE', new_string: 'größe 😀' });
    expect(await edited.json()).toMatchObject({ version: 3, replacements_made: 1 });
    expect((await patch({ offset: 0, new_string: 'x' }, { 'if-match': '"2"' })).status).toBe(409);
    const range = await fetch(`${documents}/${id}?offset=4&limit=7`, { headers });
    expect([range.status, await range.text()]).toEqual([206, 'größe 😀']);
    expect(range.headers.get('x-char-range')).toBe('4-11');
    const found = await fetch(`${cloud.origin}/context/search?q=gr%C3%B6%C3%9Fe`, { headers });
    expect(await found.json()).toMatchObject({ method: 'full_text', results: [{ id }] });
    const related = await fetch(`${cloud.origin}/context/relations`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ definition: 'parent-child', from_document_id: parent, to_document_id: id }),
    });
    expect(related.status).toBe(201);
    const relations = await fetch(`${documents}/${id}/relations`, { headers });
    expect(await relations.json()).toMatchObject({ relations: [{ from_document_id: parent }] });
    const deleted = await fetch(`${documents}/${parent}`, { method: 'DELETE', headers });
    expect(await deleted.json()).toMatchObject({ deleted_document_ids: [parent, id] });
  });

  test('lists and relations are gone through page by page, by cursors that the function seals', async () => {
    const headers = await bearer('beta');
    const documents = `${cloud.origin}/context/documents`;
    const hub = await upload('beta', 'hub.txt', 'a hub');
    for (const name of ['one', 'two', 'three']) {
      const id = await upload('beta', `${name}.txt`, name);
      const body = JSON.stringify({ definition: 'related', from_document_id: hub, to_document_id: id });
      const headersOfJson = { ...headers, 'content-type': 'application/json' };
      const related = await fetch(`${cloud.origin}/context/relations`, {
        method: 'POST',
        headers: headersOfJson,
        body,
      });
      expect(related.status).toBe(201);
    }
    const pagesOf = async (url: string, member: 'relations' | 'documents') => {
      const sizes: number[] = [];
      for (let cursor = ''; ; ) {
        const page = await fetch(`${url}?limit=2${cursor}`, { headers });
        const body: Record<string, unknown> = Object(await page.json());
        const found = body[member];
        if (page.status !== 200 || !Array.isArray(found)) throw new Error(JSON.stringify(body));
        sizes.push(found.length);
        if (typeof body['next_cursor'] !== 'string') return sizes;
        cursor = `&cursor=${encodeURIComponent(body['next_cursor'])}`;
      }
    };
    expect(await pagesOf(`${documents}/${hub}/relations`, 'relations')).toEqual([2, 1]);
    const sizes = await pagesOf(documents, 'documents');
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.slice(0, -1).every((size) => size === 2)).toBe(true);
    const foreign = await fetch(`${documents}/${hub}/relations?cursor=x`, { headers });
    expect(foreign.status).toBe(400);
  });

  test('a named namespace is the token’s own, or an administrator’s to reach; partitions are administrators’', async () => {
    const id = await upload('beta', 'named.txt', 'n');
    const get = async (clientId: string, path: string) =>
      (await fetch(`${cloud.origin}/context${path}`, { headers: await bearer(clientId) })).status;
    const named = `/namespaces/beta/documents/${id}`;
    const statuses = await Promise.all(
      ['beta', 'steward', 'alpha-all', 'homeless'].map((one) => get(one, named)),
    );
    expect(statuses).toEqual([200, 200, 403, 403]);
    expect(await get('globex-alpha', named)).toBe(403);
    expect(await get('steward', `/documents/${id}`)).toBe(403);
    expect(await get('steward', '/partitions')).toBe(200);
    expect(await get('alpha-all', '/partitions')).toBe(403);
    const headers = { ...(await bearer('steward')), 'content-type': 'application/json' };
    const partitions = `${cloud.origin}/context/partitions`;
    const body = '{"name":"beta"}';
    expect((await fetch(partitions, { method: 'POST', headers, body })).status).toBe(201);
    expect((await fetch(`${partitions}/beta`, { method: 'DELETE', headers })).status).toBe(200);
    expect(await get('beta', named)).toBe(404);
    const records = cloud.audit().filter(({ reason }) => String(reason).includes('context/admin in beta'));
    expect(records).not.toEqual([]);
  });

  test.for([
    { name: 'body', body: { filename: 'x', namespace: 'beta' } },
    { name: 'filters', body: { filename: 'x', scope_filters: {} } },
  ])('scope in the $name is refused, never obeyed', async ({ body }) => {
    const response = await fetch(`${cloud.origin}/context/documents`, {
      method: 'POST',
      headers: { ...(await bearer('alpha-root')), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
  });
});

describe.each(EVERY_CLIENT)('MCP, $label', ({ connect }) => {
  const clients: TestClient[] = [];
  const open = async (clientId: string): Promise<TestClient> => {
    const token = await cloud.token(clientId, { server: 'context-store' });
    const client = await connect(`${cloud.origin}/context-store/mcp`, { authorization: `Bearer ${token}` });
    clients.push(client);
    return client;
  };
  afterAll(async () => {
    for (const client of clients) await client.close();
  });

  test('agents of one run share documents, agents of another never see them', async () => {
    const root = await open('alpha-root');
    expect(await root.listTools()).toEqual([...TOOLS].sort());
    const pushed = await root.callTool('doc_push', { filename: 'shared.md', content: '# shared' });
    expect(pushed.isError, pushed.text).toBe(false);
    const { id } = JSON.parse(pushed.text);
    const child = await open('alpha-child');
    expect(await child.callTool('doc_read', { document_id: id })).toEqual({
      text: '# shared',
      isError: false,
    });
    const stranger = await open('alpha-other');
    expect((await stranger.callTool('doc_read', { document_id: id })).isError).toBe(true);
    expect((await child.callTool('doc_delete', { document_id: id })).isError).toBe(false);
    expect((await root.callTool('doc_read', { document_id: id })).isError).toBe(true);
  });

  test('a reader has the reading tools, and the same entry decides both doors', async () => {
    const reader = await open('alpha-reader');
    expect(await reader.listTools()).toEqual([...READING].sort());
    expect((await reader.callTool('doc_push', { filename: 'x.md', content: 'x' })).isError).toBe(true);
  });

  test('a tool refuses arguments that name a scope', async () => {
    const root = await open('alpha-root');
    const answer = await root.callTool('doc_query', { namespace: 'beta' }).catch((error) => ({
      isError: true,
      text: String(error),
    }));
    expect(answer.isError).toBe(true);
  });
});

test('a namespace goes into a file and into another namespace by the command, through the whole cloud', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-archive-'));
  const context = async (clientId: string, ...argv: string[]) => {
    const env = { SALLYPORT_ORIGIN: cloud.origin, SALLYPORT_TOKEN: await cloud.token(clientId) };
    return run(['context', ...argv, '--json'], { env });
  };
  try {
    const [one, two] = [
      await upload('alpha-all', 'one.txt', 'größe'),
      await upload('alpha-root', 'two.txt', '2'),
    ];
    expect((await context('alpha-all', 'link', one, two, '--type', 'related')).code).toBe(0);
    const file = join(directory, 'alpha.jsonl');
    expect((await context('alpha-all', 'export', file)).code).toBe(0);
    const into = ['import', file, '--namespace', 'gamma'];
    for (const outcome of ['created', 'unchanged']) {
      const { code, out } = await context('steward', ...into);
      expect(code).toBe(0);
      expect(Object.keys(JSON.parse(out).documents)).toEqual([outcome]);
      expect(JSON.parse(out).relations).toEqual({ [outcome]: 1 });
    }
    const copy = join(directory, 'gamma.jsonl');
    expect((await context('steward', 'export', copy, '--namespace', 'gamma')).code).toBe(0);
    expect(readFileSync(copy, 'utf8')).toBe(readFileSync(file, 'utf8'));
    expect(await context('beta', ...into)).toMatchObject({ code: 1 });
    expect(await context('alpha-reader', 'import', file)).toMatchObject({ code: 1 });
    expect((await context('alpha-reader', 'export', join(directory, 'again.jsonl'))).code).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a table that throttles is 503 and leaves nothing to be seen; afterwards the same is stored and found', {
  timeout: 120_000,
}, async () => {
  await cloud.fault({ service: 'dynamodb', operation: 'BatchWriteItem', mode: 'throttle' });
  const send = async () => {
    const form = new FormData();
    form.set('file', new File(['throttled words'], 'throttled.txt'));
    const headers = await bearer('alpha-all');
    return fetch(`${cloud.origin}/context/documents`, { method: 'POST', headers, body: form });
  };
  const found = async () => {
    const headers = await bearer('alpha-all');
    const answer = await fetch(`${cloud.origin}/context/search?q=throttled`, { headers });
    return JSON.parse(await answer.text()).results.length;
  };
  try {
    const refused = await send();
    expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true]);
    expect(await found()).toBe(0);
  } finally {
    await cloud.clearFaults();
  }
  expect((await send()).status).toBe(201);
  expect(await found()).toBe(1);
});
