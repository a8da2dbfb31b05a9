import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { SDK_CLIENTS, type SdkClient } from '../support/sdk-clients.ts';

const MODERN = '2026-07-28';
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

type Item = Readonly<Record<string, unknown>>;
type Kind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

const tool = (name: string) => ({ name, inputSchema: { type: 'object' } });

/** Everything that a server has, page by page; `bare` is the same without what nobody is granted. */
const FULL: Readonly<Record<Kind, readonly (readonly Item[])[]>> = {
  tools: [[tool('read'), tool('hidden')], [tool('hidden_too')], [tool('write'), tool('read ')]],
  prompts: [[{ name: 'greet' }], [{ name: 'part' }]],
  resources: [[{ uri: 'doc://a', name: 'a' }], [{ uri: 'doc://b', name: 'b' }]],
  resourceTemplates: [[{ uriTemplate: 'doc://{x}', name: 'x' }]],
};
const BARE = { ...FULL, tools: [[tool('read')], [], [tool('write')]] };
const KINDS: Readonly<Record<string, Kind>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
};

let upstream: RecordingServer;
let cloud: Sallyport;
const tokens = new Map<string, string>();

beforeAll(async () => {
  upstream = await startRecordingServer(({ url, body }, answer) => {
    const [, name = '', form = ''] = url.split('/');
    const { id, method, params } = JSON.parse(body);
    if (id === undefined) return void answer.writeHead(202).end();
    const isModern = params?._meta?.[VERSION_META] !== undefined;
    const result = resultOf(name === 'full' ? FULL : BARE, method, params, isModern);
    const caching = isModern ? { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' } : {};
    send(answer, form, { jsonrpc: '2.0', id, result: { ...result, ...caching } });
  });
  const lists = Object.keys(KINDS);
  const rules = (methods: readonly string[]) =>
    ['full', 'full_sse', 'bare', 'bare_sse'].map((server) => ({
      server,
      methods: ['initialize', ...lists, ...methods],
      tools: ['read', 'write'],
    }));
  const client = (id: string) => ({
    grants: ['client_credentials'],
    scopes: [id],
    audience: 'gateway',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
  });
  const entry = (path: string) => ({ url: `${upstream.origin}/${path}`, private: true });
  cloud = await startSallyport({
    clients: ['caller', 'lister'],
    config: {
      'scopes.yml': JSON.stringify({
        caller: rules(['tools/call', 'prompts/get', 'resources/read']),
        lister: rules([]),
      }),
      'servers.yml': JSON.stringify({
        servers: {
          full: entry('full/json'),
          full_sse: entry('full/sse'),
          bare: entry('bare/json'),
          bare_sse: entry('bare/sse'),
        },
      }),
      'clients.yml': JSON.stringify({ clients: { caller: client('caller'), lister: client('lister') } }),
    },
  });
  for (const id of ['caller', 'lister']) tokens.set(id, await cloud.token(id));
});
afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

function resultOf(
  pages: typeof FULL,
  method: string,
  params: Readonly<Record<string, string>> | undefined,
  isModern: boolean,
): Item {
  const kind = KINDS[method];
  if (kind !== undefined) {
    const page = Number(params?.['cursor'] ?? 0);
    const next = page + 1 < pages[kind].length ? { nextCursor: `${page + 1}` } : {};
    return { [kind]: pages[kind][page] ?? [], ...next };
  }
  const capabilities = { tools: {}, prompts: {}, resources: {} };
  const serverInfo = { name: 'lists', version: '1.0.0' };
  if (method === 'initialize') {
    return { protocolVersion: params?.['protocolVersion'], capabilities, serverInfo };
  }
  if (method === 'server/discover') return { supportedVersions: [MODERN], capabilities, serverInfo };
  if (method === 'resources/read') return { contents: [{ uri: params?.['uri'], text: 'read me' }] };
  return isModern ? { content: [] } : {};
}

function send(answer: ServerResponse, form: string, message: unknown): void {
  const text = JSON.stringify(message);
  answer.writeHead(200, { 'content-type': form === 'sse' ? 'text/event-stream' : 'application/json' });
  const early = {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: 'listing' },
  };
  answer.end(form === 'sse' ? `data: ${JSON.stringify(early)}\n\nid: 1\ndata: ${text}\n\n` : text);
}

/** Every page, as a user's code asks for them: an item by name or URI. At most `limit` requests are made. */
async function pagesOf(client: SdkClient, method: keyof SdkClient & `list${string}`, kind: Kind, limit = 6) {
  const pages: unknown[][] = [];
  let cursor: string | undefined;
  do {
    const result = await client[method](cursor === undefined ? undefined : { cursor });
    const items = result[kind];
    if (!Array.isArray(items)) throw new Error(`no ${kind}`);
    pages.push(items.map(({ name, uri, uriTemplate }) => uri ?? uriTemplate ?? name));
    expect(result['cacheScope']).toBe('private');
    const next = result['nextCursor'];
    cursor = typeof next === 'string' ? next : undefined;
  } while (cursor !== undefined && pages.length < limit);
  return pages;
}

const LISTS = [
  { method: 'listTools', kind: 'tools', may: ['read', 'write'] },
  { method: 'listPrompts', kind: 'prompts', may: ['greet', 'part'] },
  { method: 'listResources', kind: 'resources', may: ['doc://a', 'doc://b'] },
  { method: 'listResourceTemplates', kind: 'resourceTemplates', may: ['doc://{x}'] },
] as const;

describe.each(['full', 'full_sse'])('a list of the server `%s`', (server) => {
  test.for(SDK_CLIENTS)(
    '$label: shows what may be called, on every page, and comes to its end',
    async ({ open }) => {
      for (const [id, isCaller] of [
        ['caller', true],
        ['lister', false],
      ] as const) {
        const authorization = `Bearer ${tokens.get(id)}`;
        const { client } = await open(`${cloud.origin}/${server}/mcp`, { authorization });
        for (const { method, kind, may } of LISTS) {
          const pages = await pagesOf(client, method, kind);
          expect(pages.flat(), `${id}: ${kind}`).toEqual(isCaller ? may : []);
          // SDK 2.x fetches every page by itself; the others see the pages that the server has, also where nothing is left on one.
          if (pages.length > 1) expect(pages).toHaveLength(FULL[kind].length);
        }
        await client.close();
      }
    },
  );
});

type Era = 'modern' | 'legacy';

async function ask(
  id: string,
  server: string,
  era: Era,
  method: string,
  params: Record<string, unknown> = {},
) {
  const meta = { [VERSION_META]: MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };
  const name = params['uri'] ?? params['name'];
  const response = await fetch(`${cloud.origin}/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get(id)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(era === 'modern' ? { 'mcp-protocol-version': MODERN, 'mcp-method': method } : {}),
      ...(era === 'modern' && typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: era === 'modern' ? { ...params, _meta: meta } : params,
    }),
  });
  const body = await response.text();
  const requestId = response.headers.get('x-request-id') ?? 'none';
  const varying = ['x-request-id', 'x-amzn-requestid', 'x-amz-apigw-id', 'date', 'content-length'];
  return {
    status: response.status,
    headers: [...response.headers].filter(([header]) => !varying.includes(header)),
    body: body.replaceAll(requestId, ''),
  };
}

describe('what is hidden and what does not exist are told apart by nobody:', () => {
  const eras = ['modern', 'legacy'] as const;

  test.for(
    eras.flatMap((era) =>
      ['', '_sse'].flatMap((form) => [undefined, '1', '2'].map((cursor) => ({ era, form, cursor }))),
    ),
  )('the list $cursor, $era$form', async ({ era, form, cursor }) => {
    const params = cursor === undefined ? {} : { cursor };
    const full = await ask('caller', `full${form}`, era, 'tools/list', params);
    expect(full).toEqual(await ask('caller', `bare${form}`, era, 'tools/list', params));
    expect(full.body).not.toContain('hidden');
    expect(full.body).toContain('"cacheScope":"private"');
  });

  test.for(eras)('a call of a tool, %s', async (era) => {
    const hidden = await ask('caller', 'full', era, 'tools/call', { name: 'hidden' });
    expect(hidden).toEqual(await ask('caller', 'full', era, 'tools/call', { name: 'absent' }));
    expect(hidden).toEqual(await ask('caller', 'bare', era, 'tools/call', { name: 'hidden' }));
  });

  test.for(
    eras.flatMap((era) =>
      [
        ['prompts/get', { name: 'greet' }, { name: 'absent' }],
        ['resources/read', { uri: 'doc://a' }, { uri: 'doc://absent' }],
      ].map(([method, hidden, absent]) => ({ era, method, hidden, absent })),
    ),
  )('$method, $era', async ({ era, method, hidden, absent }) => {
    if (typeof method !== 'string' || typeof hidden !== 'object' || typeof absent !== 'object')
      throw new Error();
    expect(await ask('lister', 'full', era, method, hidden)).toEqual(
      await ask('lister', 'full', era, method, absent),
    );
  });
});

test('whatever was read is for its reader alone, and so is what a server says of itself', async () => {
  for (const form of ['', '_sse']) {
    for (const [method, params] of [
      ['resources/read', { uri: 'doc://a' }],
      ['server/discover', {}],
    ] as const) {
      const { status, body } = await ask('caller', `full${form}`, 'modern', method, params);
      expect(status).toBe(200);
      expect(body).toContain('"cacheScope":"private"');
      expect(body).not.toContain('"public"');
    }
  }
});
