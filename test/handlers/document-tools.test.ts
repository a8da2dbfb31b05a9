import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import {
  CREATE_ARGUMENTS,
  PUSH_ARGUMENTS,
  QUERY_ARGUMENTS,
  REFERENCE_ARGUMENTS,
} from '../../functions/core/documents/arguments.ts';
import {
  EDIT_ARGUMENTS,
  READ_ARGUMENTS,
  WRITE_ARGUMENTS,
} from '../../functions/core/documents/content-arguments.ts';
import type { WireDocument } from '../../functions/core/documents/document.ts';
import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { LINK_ARGUMENTS } from '../../functions/core/documents/relation-arguments.ts';
import { SEARCH_ARGUMENTS } from '../../functions/core/documents/search.ts';
import type { DocumentToolSession } from '../../functions/handlers/document-tool.ts';
import { createDocumentTools } from '../../functions/handlers/document-tools.ts';
import { contextCaller, cursorSeal, NOW_SECONDS } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

const ENDPOINT = new URL('https://gate.example/context-store/mcp');
const READING = ['doc_query', 'doc_info', 'doc_read', 'doc_pull', 'doc_search'];
const ALL = [
  'doc_create',
  'doc_push',
  'doc_query',
  'doc_info',
  'doc_delete',
  'doc_write',
  'doc_edit',
  'doc_read',
  'doc_pull',
  'doc_search',
  'doc_link',
];

/** What a test needs of a client, whichever it is. */
type ToolClient = {
  readonly listTools: () => Promise<{ tools: { name: string; inputSchema: unknown }[] }>;
  readonly callTool: (name: string, input: Record<string, unknown>) => Promise<unknown>;
};
type Answer = {
  readonly content: readonly { readonly type: string; readonly text?: string; readonly resource?: unknown }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
};

let table: EmbeddedContextTable;
let session: DocumentToolSession;
let logged: Readonly<Record<string, unknown>>[];
let namespaces = 0;

beforeAll(async () => {
  table = await startContextTable();
});

afterAll(() => table.close());

beforeEach(() => {
  namespaces += 1;
  logged = [];
  session = {
    documents: createDocumentStore({
      tables: table.tables(() => NOW_SECONDS),
      seal: cursorSeal(),
      clock: () => NOW_SECONDS,
    }),
    caller: contextCaller({ namespace: `tools-${namespaces}` }),
    contextUrl: 'https://gate.example/context',
    requestId: 'req-1',
    version: '1.2.3',
    clock: () => NOW_SECONDS,
    randomBytes,
    log: (entry) => logged.push(entry),
  };
});

/** Every request meets a server of its own, as in the function. */
const fetchTools = (url: string | URL | Request, init?: RequestInit): Promise<Response> =>
  createDocumentTools(session).fetch(new Request(url, init));

async function connectSecond(mode: 'legacy' | { pin: string }): Promise<ToolClient> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(ENDPOINT, { fetch: fetchTools }));
  return {
    listTools: () => client.listTools(),
    callTool: (name, input) => client.callTool({ name, arguments: input }),
  };
}

async function connectFirst(): Promise<ToolClient> {
  const client = new FirstClient({ name: 'test', version: '1' });
  await client.connect(new FirstTransport(ENDPOINT, { fetch: fetchTools }));
  return {
    listTools: () => client.listTools(),
    callTool: (name, input) => client.callTool({ name, arguments: input }),
  };
}

const CLIENTS: [string, () => Promise<ToolClient>][] = [
  ['client 2.x, revision 2026-07-28', () => connectSecond({ pin: '2026-07-28' })],
  ['client 2.x, initialize era', () => connectSecond('legacy')],
  ['client 1.x', connectFirst],
];

async function call(client: ToolClient, name: string, input: Record<string, unknown>): Promise<Answer> {
  const answer: Answer = JSON.parse(JSON.stringify(await client.callTool(name, input)));
  return answer;
}

async function pushed(client: ToolClient, input: Record<string, unknown>): Promise<string> {
  const { structuredContent, isError } = await call(client, 'doc_push', input);
  expect(isError ?? false).toBe(false);
  return String(structuredContent?.['id']);
}

async function refusal(client: ToolClient, name: string, input: Record<string, unknown>): Promise<string> {
  const { isError, content, structuredContent } = await call(client, name, input);
  expect(isError).toBe(true);
  expect(structuredContent).toBeUndefined();
  return content.map(({ text }) => text).join();
}

describe.each(CLIENTS)('%s', (_, connect) => {
  test('finds the tools of a writer, and for a reader only those that read', async () => {
    const { tools } = await (await connect()).listTools();
    expect(tools.map(({ name }) => name)).toEqual(ALL);
    session = { ...session, caller: { ...session.caller, permissions: 'read' } };
    const reader = await connect();
    expect((await reader.listTools()).tools.map(({ name }) => name)).toEqual(READING);
    const denied = await reader.callTool('doc_push', { filename: 'a', content: 'x' }).catch(() => 'refused');
    expect(denied).toBe('refused');
    expect((await call(reader, 'doc_query', {})).structuredContent).toEqual({
      documents: [],
      next_cursor: null,
    });
  });

  test('pushes, describes, reads, pulls, lists and deletes a text', async () => {
    const client = await connect();
    const push = await call(client, 'doc_push', {
      filename: 'größe.md',
      content: '# Größe\n',
      tags: ['a', 'b'],
      metadata: { k: 'v' },
    });
    const document = push.structuredContent;
    expect(document).toMatchObject({
      filename: 'größe.md',
      content_type: 'text/markdown',
      size_bytes: 10,
      tags: ['a', 'b'],
      metadata: { k: 'v' },
      url: `https://gate.example/context/documents/${document?.['id']}`,
    });
    expect(JSON.parse(push.content[0]?.text ?? '')).toEqual(document);
    const reference = { document_id: document?.['id'] };
    expect((await call(client, 'doc_info', reference)).structuredContent).toEqual(document);
    expect((await call(client, 'doc_read', reference)).content).toEqual([
      { type: 'text', text: '# Größe\n' },
    ]);
    const pull = await call(client, 'doc_pull', reference);
    expect(pull.structuredContent).toEqual(document);
    expect(pull.content).toEqual([
      {
        type: 'resource',
        resource: { uri: document?.['url'], mimeType: 'text/markdown', text: '# Größe\n' },
      },
    ]);
    const query = await call(client, 'doc_query', { filename: 'GR', tags: ['b'] });
    expect(query.structuredContent).toEqual({ documents: [document], next_cursor: null });
    expect((await call(client, 'doc_delete', reference)).structuredContent).toEqual({
      success: true,
      message: 'deleted 1 document',
      deleted_document_ids: [document?.['id']],
    });
    expect(await refusal(client, 'doc_info', reference)).toContain('no such document');
  });

  test('pushes and pulls bytes, which doc_read refuses', async () => {
    const client = await connect();
    const bytes = Buffer.concat([Buffer.from([0xff, 0x00]), randomBytes(400_000)]);
    const blob = bytes.toString('base64');
    const id = await pushed(client, { filename: 'a.bin', content: blob, encoding: 'base64' });
    const { content } = await call(client, 'doc_pull', { document_id: id });
    expect(content[0]?.resource).toMatchObject({ blob, mimeType: 'application/octet-stream' });
    expect(await refusal(client, 'doc_read', { document_id: id })).toContain('doc_pull');
  });

  test('writes, edits and reads a part of a text', async () => {
    const client = await connect();
    const id = await pushed(client, { filename: 'a.txt', content: 'a😀c' });
    const edited = await call(client, 'doc_edit', { document_id: id, offset: 1, length: 1, new_string: 'ß' });
    expect(edited.structuredContent).toMatchObject({
      id,
      version: 2,
      edit_range: { offset: 1, old_length: 1, new_length: 1 },
    });
    const part = await call(client, 'doc_read', { document_id: id, offset: 1, limit: 1 });
    expect(part.content).toEqual([{ type: 'text', text: 'ß' }]);
    expect(await refusal(client, 'doc_read', { document_id: id, offset: 9 })).toContain('3 characters');
    const replaced = await call(client, 'doc_edit', { document_id: id, old_string: 'a', new_string: 'b' });
    expect(replaced.structuredContent).toMatchObject({ version: 3, replacements_made: 1 });
    const missing = { document_id: id, old_string: 'nowhere', new_string: 'b' };
    expect(await refusal(client, 'doc_edit', missing)).toContain('not found in the text');
    const late = { document_id: id, content: 'x', expected_version: 2 };
    expect(await refusal(client, 'doc_write', late)).toContain('changed meanwhile');
    const written = await call(client, 'doc_write', { ...late, expected_version: 3 });
    expect(written.structuredContent).toMatchObject({ version: 4, size_bytes: 1 });
    const inBase64 = { document_id: id, content: '/w==', encoding: 'base64' };
    expect((await call(client, 'doc_write', inBase64)).structuredContent).toMatchObject({ size_bytes: 1 });
    expect(await refusal(client, 'doc_edit', { document_id: id, offset: 0, new_string: '' })).toContain(
      'not text',
    );
  });

  test('relates documents, notes why, lists and removes the relation', async () => {
    const client = await connect();
    const from = await pushed(client, { filename: 'a', content: '' });
    const to = await pushed(client, { filename: 'b', content: '' });
    const types = await call(client, 'doc_link', { types: true });
    expect(JSON.stringify(types.structuredContent)).toContain('predecessor-successor');
    const create = { create_from: from, create_to: to, relation_type: 'parent-child', note: 'why' };
    const made = (await call(client, 'doc_link', create)).structuredContent;
    expect(made).toMatchObject({ definition: 'parent-child', from_to_note: 'why', to_from_note: null });
    expect(await refusal(client, 'doc_link', create)).toContain('already');
    const update = { update_id: made?.['id'], to_from_note: 'because' };
    const noted = (await call(client, 'doc_link', update)).structuredContent;
    expect(noted).toEqual({ ...made, to_from_note: 'because' });
    const listed = await call(client, 'doc_query', { filename: 'b', include_relations: true });
    expect(listed.structuredContent).toMatchObject({ documents: [{ id: to, relations: [noted] }] });
    const page = (await call(client, 'doc_link', { list_of: to, limit: 1 })).structuredContent;
    expect(page).toEqual({ relations: [noted], next_cursor: null });
    expect(await refusal(client, 'doc_link', { list_of: to, cursor: 'forged' })).toContain('cursor');
    expect((await call(client, 'doc_link', { remove_id: made?.['id'] })).structuredContent).toMatchObject({
      success: true,
    });
    await call(client, 'doc_link', create);
    const gone = await call(client, 'doc_delete', { document_id: from });
    expect(gone.structuredContent).toMatchObject({ deleted_document_ids: [from, to] });
  });

  test('finds a document by its words, and reads the section that matched', async () => {
    const client = await connect();
    const content = `${'filling '.repeat(300)}the needle is here`;
    const id = await pushed(client, { filename: 'hay.txt', content });
    await pushed(client, { filename: 'other.txt', content: 'filling' });
    const found = (await call(client, 'doc_search', { q: 'NEEDLE, lost', limit: 3 })).structuredContent;
    expect(found).toMatchObject({ method: 'full_text', complete: true, results: [{ id }] });
    const [result]: { sections: { offset: number; limit: number }[] }[] = JSON.parse(
      JSON.stringify(found?.['results']),
    );
    const { offset, limit } = result?.sections[0] ?? { offset: 0, limit: 0 };
    const part = await call(client, 'doc_read', { document_id: id, offset, limit });
    expect(part.content[0]?.text).toContain('needle');
    expect(await refusal(client, 'doc_search', { q: '!?' })).toContain('`q` must have a word');
  });

  test('creates a placeholder', async () => {
    const client = await connect();
    const { structuredContent } = await call(client, 'doc_create', { filename: 'later.txt' });
    expect(structuredContent).toMatchObject({ size_bytes: 0, checksum: null });
    const read = await call(client, 'doc_read', { document_id: structuredContent?.['id'] });
    expect(read.content).toEqual([{ type: 'text', text: '' }]);
  });

  test('goes through a list by cursor', async () => {
    const client = await connect();
    const ids: string[] = [];
    for (const filename of ['a', 'b', 'c']) ids.push(await pushed(client, { filename, content: '' }));
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const input = { limit: 2, ...(typeof cursor === 'string' ? { cursor } : {}) };
      const { structuredContent } = await call(client, 'doc_query', input);
      const page: { documents: WireDocument[]; next_cursor: unknown } = JSON.parse(
        JSON.stringify(structuredContent),
      );
      seen.push(...page.documents.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.sort()).toEqual(ids.sort());
    expect(await refusal(client, 'doc_query', { cursor: 'made-up' })).toContain('cursor');
  });

  test('cannot name a scope, and no schema lets it', async () => {
    const client = await connect();
    const id = await pushed(client, { filename: 'a', content: '' });
    const arguments_: [string, Record<string, unknown>][] = [
      ['doc_create', { filename: 'a' }],
      ['doc_push', { filename: 'a', content: '' }],
      ['doc_query', {}],
      ['doc_info', { document_id: id }],
      ['doc_read', { document_id: id }],
      ['doc_pull', { document_id: id }],
      ['doc_delete', { document_id: id }],
      ['doc_write', { document_id: id, content: '' }],
      ['doc_edit', { document_id: id, offset: 0, new_string: '' }],
      ['doc_link', { types: true }],
      ['doc_search', { q: 'a' }],
    ];
    for (const [tool, input] of arguments_) {
      expect(await refusal(client, tool, { ...input, namespace: 'other' })).toContain('`namespace`');
      expect(await refusal(client, tool, { ...input, scope_filters: {} })).toContain('`scope_filters`');
    }
    expect((await call(client, 'doc_info', { document_id: id })).isError ?? false).toBe(false);
    const { tools } = await client.listTools();
    expect(JSON.stringify(tools)).not.toMatch(/namespace|scope_filters|org_id/);
    for (const { inputSchema } of tools) expect(inputSchema).toMatchObject({ additionalProperties: false });
  });

  test('of another namespace or org finds nothing', async () => {
    const id = await pushed(await connect(), { filename: 'a', content: 'secret' });
    const strangers: ContextCaller[] = [
      { ...session.caller, namespace: 'elsewhere' },
      { ...session.caller, orgId: 'other' },
    ];
    for (const caller of strangers) {
      session = { ...session, caller };
      const stranger = await connect();
      for (const tool of ['doc_info', 'doc_read', 'doc_pull', 'doc_delete']) {
        expect(await refusal(stranger, tool, { document_id: id })).toContain('no such document');
      }
      const others: [string, Record<string, unknown>][] = [
        ['doc_read', { document_id: id, offset: 0 }],
        ['doc_write', { document_id: id, content: 'x' }],
        ['doc_edit', { document_id: id, offset: 0, new_string: 'x' }],
        ['doc_link', { create_from: id, create_to: `doc_${'0'.repeat(24)}`, relation_type: 'related' }],
        ['doc_link', { update_id: `rel_${'0'.repeat(24)}`, note: 'x' }],
        ['doc_link', { remove_id: `rel_${'0'.repeat(24)}` }],
      ];
      for (const [tool, input] of others) expect(await refusal(stranger, tool, input)).toContain('no such');
      const { structuredContent } = await call(stranger, 'doc_query', {});
      expect(structuredContent).toEqual({ documents: [], next_cursor: null });
    }
  });

  test('is told to try again when the store is down, and nothing of why', async () => {
    const client = new DynamoDBClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    const seal = cursorSeal();
    session = {
      ...session,
      documents: createDocumentStore({
        tables: table.tables(() => NOW_SECONDS, client),
        seal,
        clock: () => NOW_SECONDS,
      }),
    };
    const caller = await connect();
    const id = 'doc_000000000000000000000000';
    const answers = [
      await refusal(caller, 'doc_query', {}),
      await refusal(caller, 'doc_create', { filename: 'a' }),
      await refusal(caller, 'doc_pull', { document_id: id }),
      await refusal(caller, 'doc_delete', { document_id: id }),
    ];
    for (const answer of answers) {
      expect(answer).toContain('try again');
      expect(answer).not.toMatch(/ECONN|127\.0|table|dynamo/i);
    }
    expect(logged.map(({ event }) => event)).toEqual(answers.map(() => 'context_unavailable'));
  });

  test('is told nothing of a bug but the request id', async () => {
    session = {
      ...session,
      randomBytes: () => {
        throw new Error('at /var/task/secret.ts');
      },
    };
    const answer = await refusal(await connect(), 'doc_create', { filename: 'a' });
    expect(answer).toContain('req-1');
    expect(answer).not.toContain('secret');
    expect(logged).toMatchObject([{ event: 'bug', detail: expect.stringContaining('secret') }]);
  });
});

test('no stream is kept open: neither the old one nor a subscription', async () => {
  const get = await fetchTools(ENDPOINT, { headers: { accept: 'text/event-stream' } });
  expect(get.status).toBe(405);
  const listen = await fetchTools(ENDPOINT, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  expect(await listen.json()).toMatchObject({ id: 1, error: { code: -32603 } });
});

describe('arguments', () => {
  test.for([
    ['content that is missing', { filename: 'a' }, 'content'],
    ['content that is no text', { filename: 'a', content: 1 }, 'content'],
    ['content with half a character', { filename: 'a', content: '\ud800' }, 'content'],
    ['an unknown encoding', { filename: 'a', content: '', encoding: 'hex' }, 'encoding'],
    ['base64 without padding', { filename: 'a', content: 'YQ', encoding: 'base64' }, 'content'],
    ['base64 of the URL alphabet', { filename: 'a', content: '_-8=', encoding: 'base64' }, 'content'],
    ['base64 with a line end', { filename: 'a', content: 'YWJj\n', encoding: 'base64' }, 'content'],
    ['base64 with stray bits', { filename: 'a', content: 'YR==', encoding: 'base64' }, 'content'],
    ['more than 4 MiB', { filename: 'a', content: 'x'.repeat(4_194_305) }, 'content'],
    ['a namespace', { filename: 'a', content: '', namespace: 'x' }, 'namespace'],
  ] as const)('of a push are refused: %s', ([, input, field]) => {
    expect(PUSH_ARGUMENTS.parse(input)).toMatchObject({ ok: false, error: { field } });
  });

  const id = 'doc_0123456789abcdef01234567';
  test.for<[string, (input: unknown) => unknown, Record<string, unknown>, string]>([
    ['a read', READ_ARGUMENTS.parse, {}, 'document_id'],
    ['a read', READ_ARGUMENTS.parse, { document_id: id, limit: 0 }, 'limit'],
    ['a read', READ_ARGUMENTS.parse, { document_id: id, start: 0 }, 'start'],
    ['a write', WRITE_ARGUMENTS.parse, { content: '' }, 'document_id'],
    ['a write', WRITE_ARGUMENTS.parse, { document_id: id }, 'content'],
    [
      'a write',
      WRITE_ARGUMENTS.parse,
      { document_id: id, content: '', expected_version: 0 },
      'expected_version',
    ],
    ['a write', WRITE_ARGUMENTS.parse, { document_id: id, content: '', tags: [] }, 'tags'],
    ['an edit', EDIT_ARGUMENTS.parse, { offset: 0, new_string: '' }, 'document_id'],
    ['an edit', EDIT_ARGUMENTS.parse, { document_id: id, new_string: '' }, 'old_string'],
    ['an edit', EDIT_ARGUMENTS.parse, { document_id: id, offset: 0, new_string: '', regex: 1 }, 'regex'],
    [
      'an edit',
      EDIT_ARGUMENTS.parse,
      { document_id: id, offset: 0, new_string: '', expected_version: '1' },
      'expected_version',
    ],
    ['a query', QUERY_ARGUMENTS.parse, { include_relations: 1 }, 'include_relations'],
  ])('of %s are refused: %o', ([, parse, input, field]) => {
    expect(parse(input)).toMatchObject({ ok: false, error: { field } });
  });

  test('that are admitted are what the listed schema says', async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom('a.txt', 'doc_0123456789abcdef01234567'),
    );
    const anything = fc.oneof(
      text,
      fc.integer(),
      fc.array(text, { maxLength: 3 }),
      fc.dictionary(text, text),
      fc.constant(null),
    );
    // Each tool has to admit some of what is drawn.
    const mostly = (usual: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: anything });
    const input = fc.record(
      {
        filename: mostly(text),
        tags: mostly(fc.array(text, { maxLength: 3 })),
        metadata: mostly(fc.dictionary(text, text)),
        content: mostly(text),
        encoding: mostly(fc.constantFrom('utf-8', 'base64')),
        limit: mostly(fc.integer({ min: -1, max: 102 })),
        document_id: mostly(fc.constantFrom('doc_0123456789abcdef01234567', 'a.txt')),
        offset: mostly(fc.integer({ min: -1, max: 9 })),
        new_string: mostly(text),
        types: mostly(fc.boolean()),
        q: mostly(text),
        namespace: text,
      },
      { requiredKeys: [] },
    );
    const tools = [
      CREATE_ARGUMENTS,
      PUSH_ARGUMENTS,
      QUERY_ARGUMENTS,
      REFERENCE_ARGUMENTS,
      READ_ARGUMENTS,
      WRITE_ARGUMENTS,
      EDIT_ARGUMENTS,
      LINK_ARGUMENTS,
      SEARCH_ARGUMENTS,
    ].map((tool) => ({
      parse: tool.parse,
      names: Object.keys(Object(tool.schema['properties'])),
      listed: fromJsonSchema({ ...tool.schema }),
      admitted: 0,
    }));
    await fc.assert(
      fc.asyncProperty(input, fc.constantFrom(...tools), fc.boolean(), async (candidate, tool, isPruned) => {
        const entries = Object.entries(candidate).filter(([name]) => !isPruned || tool.names.includes(name));
        const pruned = Object.fromEntries(entries);
        if (!tool.parse(pruned).ok) return;
        tool.admitted += 1;
        expect((await tool.listed['~standard'].validate(pruned)).issues).toBeUndefined();
      }),
      { numRuns: 6000 },
    );
    for (const { names, admitted } of tools) expect(admitted, names.join()).toBeGreaterThan(0);
  });
});
