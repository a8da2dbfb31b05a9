import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, type GatewayApp, startGatewayApp } from '../support/gateway-app.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const RULES = `use:
  - server: fin
    methods: [initialize, tools/call, tools/list, prompts/get, completion/complete, subscriptions/listen, resources/read, resources/list]
    tools: [route, pay]
    prompts: [greet]
    resources: ["docs://{org_id}/**"]
    arguments:
      route: { required: [limit], properties: { limit: { type: integer, maximum: 100 } } }
  - { server: fin, deny: true, resources: ["docs://acme/secret/**"] }
  - { server: fin, deny: true, tools: [pay], arguments: { pay: { properties: { amount: { minimum: 1000 } } } } }
`;

function policyFor(text: string) {
  return policyOf({
    ...rulesOf(text),
    servers: [serverEntry('fin', { getStream: true })],
    clients: [clientEntry('courier', { scopes: ['use'] })],
  });
}

let app: GatewayApp;

beforeEach(() => {
  app = startGatewayApp(issuer, policyFor(RULES));
});

const LEGACY = {};
const MODERN = { 'mcp-protocol-version': '2026-07-28' };

function ask(method: string, params: Record<string, unknown>, era: Record<string, string> = LEGACY) {
  const isModern = era === MODERN;
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  const name = params['name'] ?? params['uri'];
  return app.fetch('/fin/mcp', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.accessToken({ scope: 'use' })}`,
      'content-type': 'application/json',
      ...(isModern
        ? { ...MODERN, 'mcp-method': method, ...(typeof name === 'string' ? { 'mcp-name': name } : {}) }
        : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: isModern ? { ...params, _meta } : params }),
  });
}

describe('the arguments that are sent', () => {
  test.for([LEGACY, MODERN])('are those that were decided on', async (era) => {
    await ask('tools/call', { name: 'route', arguments: { limit: 100 } }, era);
    expect(app.sent).toHaveLength(1);
    for (const given of [{ limit: 101 }, {}, undefined, { limit: '1' }]) {
      const answer = await ask('tools/call', { name: 'route', arguments: given }, era);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toMatch(/"isError":true|access denied: the argument `limit`/);
    }
    expect(app.sent).toHaveLength(1);
  });

  test('are told apart for the model by the argument and the constraint, and never repeated', async () => {
    const answer = await ask('tools/call', { name: 'route', arguments: { limit: 4711 } });
    const { result } = JSON.parse(await answer.text());
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: 'access denied: the argument `limit` must be at most 100 (request r-1)' }],
    });
    expect(app.records.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'not_granted: constrained by scopes.yml:2',
      name: 'route',
    });
    expect(JSON.stringify(app.records)).not.toContain('4711');
  });

  test('that are denied are so without a word of the deny', async () => {
    const answer = await ask('tools/call', { name: 'pay', arguments: { amount: 1000 } });
    expect(JSON.parse(await answer.text()).result.content[0].text).toBe(
      'access denied: this operation is not available to you (request r-1)',
    );
    expect(app.records.at(-1)).toMatchObject({ reason: 'not_granted: denied by scopes.yml:10' });
    await ask('tools/call', { name: 'pay', arguments: { amount: 999 } });
    expect(app.sent).toHaveLength(1);
  });

  test('that are no object reach no tool that has constraints', async () => {
    for (const given of [null, [], 'x']) await ask('tools/call', { name: 'route', arguments: given });
    for (const given of [null, [], 'x']) await ask('tools/call', { name: 'pay', arguments: given });
    expect(app.sent).toEqual([]);
  });
});

test('a list shows what could be called with some arguments, and no resource that is denied', async () => {
  app.answer = () =>
    answerOf(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        result: { tools: [{ name: 'route' }, { name: 'pay' }, { name: 'x' }] },
      }),
    );
  const tools = JSON.parse(await (await ask('tools/list', {})).text());
  expect(tools.result.tools).toEqual([{ name: 'route' }, { name: 'pay' }]);
  const uris = ['docs://acme/a', 'docs://acme/secret/a', 'docs://rival/a'];
  app.answer = () =>
    answerOf(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { resources: uris.map((uri) => ({ uri })) } }));
  const resources = JSON.parse(await (await ask('resources/list', {})).text());
  expect(resources.result.resources).toEqual([{ uri: 'docs://acme/a' }]);
});

const news = (uri: unknown, id: number) =>
  `id: ${id}\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } })}\n\n`;

test.for([
  ['subscriptions/listen', { notifications: { resourceSubscriptions: ['docs://acme/a'] } }, MODERN],
  ['tools/call', { name: 'route', arguments: { limit: 1 } }, MODERN],
  ['tools/call', { name: 'route', arguments: { limit: 1 } }, LEGACY],
  ['resources/read', { uri: 'docs://acme/a' }, MODERN],
  ['resources/read', { uri: 'docs://acme/a' }, LEGACY],
  ['resources/list', {}, LEGACY],
] as const)(
  'on the stream of %s there is no news of a resource that the caller may not read (%j, %s)',
  async ([method, params, version]) => {
    const other = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';
    const stream = [
      news('docs://acme/a', 1),
      news('docs://rival/a', 2),
      news('docs://acme/secret/a', 3),
      news(undefined, 4),
      other,
      news('docs://acme/b', 5),
    ].join('');
    app.answer = () => answerOf(stream, { headers: { 'content-type': 'text/event-stream' } });
    const answered = await (await ask(method, params, version)).text();
    expect(answered).toBe(
      `${news('docs://acme/a', 1)}id: 2\n\nid: 3\n\nid: 4\n\n${other}${news('docs://acme/b', 5)}`,
    );
  },
);

const HIDDEN = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri: 'docs://rival/a' },
});
const CALLED = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}';

test.for([MODERN, LEGACY])(
  'a call is answered where news that the caller may not read come in one event with the answer (%s)',
  async (version) => {
    const stream = `data: [${HIDDEN},${CALLED}]\n\n`;
    app.answer = () => answerOf(stream, { headers: { 'content-type': 'text/event-stream' } });
    const answered = await (
      await ask('tools/call', { name: 'route', arguments: { limit: 1 } }, version)
    ).text();
    expect(answered).toBe(`data: [${CALLED}]\n\n`);
  },
);

test('a call is answered with an error where an event may hold such news and cannot be read', async () => {
  const stream = `data: ${HIDDEN.replace('{', '{"method":"x",')}\n\ndata: ${CALLED}\n\n`;
  app.answer = () => answerOf(stream, { headers: { 'content-type': 'text/event-stream' } });
  const answered = await (await ask('tools/call', { name: 'route', arguments: { limit: 1 } })).text();
  expect(answered).toMatch(/^event: message\ndata: \{"jsonrpc":"2.0","id":1,"error"/);
  expect(answered).not.toContain('rival');
});

test.for([
  ['a batch', `[${HIDDEN},${CALLED}]`],
  ['a batch that holds nothing hidden', `[${CALLED}]`],
  ['news alone', HIDDEN],
  ['news alone, in another case', HIDDEN.replace('method', 'Method')],
  ['news that can be read in two ways', HIDDEN.replace('{', '{"method":"x",')],
] as const)(
  'an answer in JSON that is none to the call is told as an error, and not as it is: %s',
  async ([, text]) => {
    app.answer = () => answerOf(text);
    for (const version of [MODERN, LEGACY]) {
      const answer = await ask('tools/call', { name: 'route', arguments: { limit: 1 } }, version);
      expect(await answer.json()).toMatchObject({
        id: 1,
        error: { message: expect.stringContaining('gave no answer') },
      });
      expect(app.records.at(-1)).toMatchObject({ event: 'outcome', reason: 'no_mcp_answer' });
    }
  },
);

test('an answer in JSON that is news alone is an error where answers are pruned, too', async () => {
  app.answer = () => answerOf(HIDDEN);
  const answer = await ask('resources/read', { uri: 'docs://acme/a' }, MODERN);
  expect([answer.status, await answer.json()]).toMatchObject([502, { id: 1, error: {} }]);
  expect(app.records.at(-1)).toMatchObject({ event: 'outcome', reason: 'unreadable_list' });
});

test('an answer of many megabytes in one event comes as it was sent', async () => {
  const text = 'x'.repeat(20_000_000);
  const stream = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } })}\n\n`;
  app.answer = () => answerOf(stream, { headers: { 'content-type': 'text/event-stream' } });
  const answered = await (await ask('tools/call', { name: 'route', arguments: { limit: 1 } })).text();
  expect(answered === stream).toBe(true);
});

test.for([
  [
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: 'b' } },
    'allow',
    'greet',
  ],
  [
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'sign' }, argument: { name: 'a', value: 'b' } },
    'deny',
    'sign',
  ],
  [
    'subscriptions/listen',
    { notifications: { resourceSubscriptions: ['docs://acme/a', 'docs://acme/b'] } },
    'allow',
    'docs://acme/a docs://acme/b',
  ],
  [
    'subscriptions/listen',
    { notifications: { resourceSubscriptions: ['docs://acme/secret/a'] } },
    'deny',
    'docs://acme/secret/a',
  ],
] as const)('the record of %s %j (%s) names what it is about', async ([method, params, decision, name]) => {
  await ask(method, params, MODERN);
  expect(app.records[0]).toMatchObject({ event: 'decision', decision, method, name });
});

test('outside of its hours a server is still there, and says when it is open', async () => {
  app.policy = policyFor(
    'use: [{ server: fin, methods: [initialize, tools/call], tools: [route], when: { not_after: "2020-01-01T00:00:00Z" } }]',
  );
  const initialized = await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'x', version: '1' },
  });
  expect(initialized.status).toBe(200);
  expect(JSON.parse(await initialized.text()).error.message).toBe(
    'access denied: this was allowed not after 2020-01-01T00:00:00Z',
  );
  expect(app.sent).toEqual([]);
});
