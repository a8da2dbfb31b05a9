import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Message, readMessage } from '../../functions/core/action.ts';
import type { Caller } from '../../functions/core/caller.ts';
import { isAllowed } from '../../functions/core/decide.ts';
import type { View } from '../../functions/core/news.ts';
import type { Policy } from '../../functions/core/policy.ts';
import { createPruner } from '../../functions/core/prune.ts';
import type { ScopeRule } from '../../functions/core/rules/rule.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();

function scene(rules: readonly ScopeRule[]) {
  const policy = policyOf({
    servers: [serverEntry('maps')],
    scopes: [['s', rules]],
    clients: [clientEntry('courier', { scopes: ['s'] })],
  });
  return { policy, caller: callerOf(issuer, policy, ['s']) };
}

function viewOf(policy: Policy, caller: Caller): View {
  return () => ({ policy, caller, nowSeconds: 0 });
}

function asked(method: string, era: 'legacy' | 'modern' = 'legacy'): Message {
  const _meta = era === 'modern' ? { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } : {};
  const body = { jsonrpc: '2.0', id: 1, method, params: { name: 'x', uri: 'x', _meta } };
  const mirrored = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  const named = /^(?:tools\/call|prompts\/get|resources\/read)$/.test(method) ? { 'mcp-name': 'x' } : {};
  const headers = new Headers(era === 'modern' ? { ...mirrored, ...named } : {});
  const read = readMessage(new TextEncoder().encode(JSON.stringify(body)), headers);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

/** What comes through of an answer to a method; undefined where it cannot be shown. */
function prune(rules: readonly ScopeRule[], method: string | undefined, answer: unknown): unknown {
  const { policy, caller } = scene(rules);
  const request = method === undefined ? undefined : asked(method);
  const pruner = createPruner(viewOf(policy, caller), 'maps', request, method === undefined);
  const text = pruner?.(typeof answer === 'string' ? answer : JSON.stringify(answer));
  return text === undefined ? undefined : JSON.parse(text);
}

const CALL_ROUTE = [scopeRule('maps', ['tools/list', 'tools/call'], ['route'])];
const tools = (...names: readonly string[]) =>
  names.map((name) => ({ name, inputSchema: { type: 'object' } }));
const answer = (result: unknown) => ({ jsonrpc: '2.0', id: 1, result });

describe('a list is cut down to what may be called', () => {
  test('tools', () => {
    const listed = answer({ tools: tools('route', 'erase', 'Route', 'route '), nextCursor: 'c', ttlMs: 5 });
    expect(prune(CALL_ROUTE, 'tools/list', listed)).toEqual(
      answer({ tools: tools('route'), nextCursor: 'c', ttlMs: 5, cacheScope: 'private' }),
    );
  });

  test.for([
    ['prompts/list', 'prompts', 'prompts/get', { name: 'greet' }],
    ['resources/list', 'resources', 'resources/read', { uri: 'file:///a', name: 'a' }],
    [
      'resources/templates/list',
      'resourceTemplates',
      'resources/read',
      { uriTemplate: 'file:///{a}', name: 'a' },
    ],
  ] as const)('%s: items stay where %s may be called by %s', ([method, items, needed, item]) => {
    const listed = answer({ [items]: [item] });
    expect(prune([scopeRule('maps', [method, needed])], method, listed)).toEqual(
      answer({ [items]: [item], cacheScope: 'private' }),
    );
    expect(prune([scopeRule('maps', [method], ['*'])], method, listed)).toEqual(
      answer({ [items]: [], cacheScope: 'private' }),
    );
  });

  test('a public cache is made private', () => {
    const listed = answer({ tools: [], cacheScope: 'public' });
    expect(prune(CALL_ROUTE, 'tools/list', listed)).toEqual(answer({ tools: [], cacheScope: 'private' }));
  });

  test.for([null, 1, 'route', [], {}, { name: 1 }, { name: null }, { Name: 'route' }, { name: '' }])(
    'an item without a name is dropped: %j',
    (item) => {
      expect(prune([scopeRule('maps', ['*'], ['*'])], 'tools/list', answer({ tools: [item] }))).toEqual(
        answer({ tools: [], cacheScope: 'private' }),
      );
    },
  );

  test('numbers and unknown members of what stays keep their spelling', () => {
    const { policy, caller } = scene(CALL_ROUTE);
    const text =
      '{"jsonrpc":"2.0","id":12345678901234567890,"result":{"tools":[{"name":"route","x":1.0e5,"X":2}],"cacheScope":"private"}}';
    expect(createPruner(viewOf(policy, caller), 'maps', asked('tools/list'), false)?.(text)).toBe(text);
  });
});

describe('what a reader that folds case takes for a list is not there', () => {
  const pruned = answer({ tools: tools('route'), cacheScope: 'private' });
  const hidden = tools('erase');

  test.for([
    ['beside the list', answer({ tools: tools('route'), Tools: hidden })],
    ['with a long s', answer({ tools: tools('route'), toolſ: hidden })],
    ['beside the result', { ...answer({ tools: tools('route') }), Result: { tools: hidden } }],
    [
      'as what stands in for what is missing',
      answer({ tools: tools('route'), ['__proto__']: { tools: hidden } }),
    ],
    ['with what is said of caching', answer({ tools: tools('route'), CacheScope: 'public' })],
    ['in a tool of two names', answer({ tools: [...tools('route'), { name: 'route', Name: 'erase' }] })],
  ] as const)('%s', ([, listed]) => {
    expect(prune(CALL_ROUTE, 'tools/list', listed)).toEqual(pruned);
    expect(prune(CALL_ROUTE, undefined, listed)).toEqual(pruned);
  });

  test('alone, on a stream where any answer may come', () => {
    const shown = answer({ content: [] });
    expect(prune(CALL_ROUTE, undefined, answer({ content: [], Tools: hidden }))).toEqual(shown);
    expect(prune(CALL_ROUTE, undefined, answer({ content: [], reſourceſ: hidden }))).toEqual(shown);
    expect(prune(CALL_ROUTE, undefined, { id: 1, RESULT: { tools: hidden } })).toEqual({ id: 1 });
    expect(prune(CALL_ROUTE, undefined, { id: 1, ['__proto__']: { result: { tools: hidden } } })).toEqual({
      id: 1,
    });
  });
});

describe('in a session', () => {
  test('a list on the answer to another request, whose id was used twice, is pruned all the same', () => {
    const { policy, caller } = scene(CALL_ROUTE);
    const pruner = createPruner(viewOf(policy, caller), 'maps', asked('tools/call'), true);
    const list = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'route' }, { name: 'erase' }] } };
    const escaped = JSON.stringify(list).replace('"tools"', '"\\u0074ools"');
    for (const text of [JSON.stringify(list), escaped]) {
      expect(JSON.parse(pruner?.(text) ?? '').result.tools).toEqual([{ name: 'route' }]);
    }
  });

  test.for([
    '{"jsonrpc":"2.0","id":1,"result":{"odd":1.0e2,"escaped":"\\u00e9\\/","x":[]}}',
    '{ "jsonrpc":"2.0","method":"notifications\\/message","params":{} }',
    '{ "jsonrpc":"2.0","id":1,"error":{"code":1,"message":"\\u00e9"} }',
  ])('what is escaped and holds no list passes byte for byte too: %s', (text) => {
    const { policy, caller } = scene(CALL_ROUTE);
    const view = viewOf(policy, caller);
    const listening = asked('subscriptions/listen', 'modern');
    expect(createPruner(view, 'maps', asked('tools/call'), true)?.(text)).toBe(text);
    expect(createPruner(view, 'maps', listening, false)?.(text)).toBe(text);
  });

  test('what holds no list passes byte for byte', () => {
    const { policy, caller } = scene(CALL_ROUTE);
    const pruner = createPruner(viewOf(policy, caller), 'maps', asked('tools/call'), true);
    const text = '{ "jsonrpc":"2.0", "id":1, "result":{"content":[]} }';
    expect(pruner?.(text)).toBe(text);
  });
});

describe('what is no list', () => {
  test('of a method that lists nothing is not looked at', () => {
    const { policy, caller } = scene(CALL_ROUTE);
    for (const method of ['tools/call', 'initialize', 'ping', 'resources/read']) {
      expect(createPruner(viewOf(policy, caller), 'maps', asked(method), false)).toBe(undefined);
    }
  });

  test.for([
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } },
    { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'broken' } },
    { jsonrpc: '2.0', id: 's-1', method: 'sampling/createMessage', params: {} },
  ])('stays as it is: %j', (other) => {
    expect(prune(CALL_ROUTE, 'tools/list', other)).toEqual(other);
    expect(prune(CALL_ROUTE, undefined, other)).toEqual(other);
  });

  test.for([
    ['no JSON', 'tools'],
    ['a duplicate member', '{"result":{"tools":[]},"result":{"tools":[{"name":"erase"}]}}'],
    ['a byte order mark', '\uFEFF{"result":{"tools":[]}}'],
    ['a batch', [answer({ tools: tools('erase') })]],
    ['a result that is a list', answer(tools('erase'))],
    ['a result that is null', answer(null)],
    ['no tools', answer({})],
    ['tools that are an object', answer({ tools: { erase: tools('erase')[0] } })],
    ['tools in another case', answer({ Tools: tools('erase') })],
    ['tools that are null', answer({ tools: null })],
  ] as const)('cannot be shown: %s', ([, text]) => {
    expect(prune(CALL_ROUTE, 'tools/list', text)).toBe(undefined);
  });

  test('a change of a resource is told to those who may read it, and to nobody else', () => {
    const told = (uri: unknown) => ({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri },
    });
    const { policy, caller } = scene([
      { ...scopeRule('maps', ['resources/read']), resources: ['docs://open/**'] },
    ]);
    const pruner = createPruner(viewOf(policy, caller), 'maps', asked('resources/list'), true);
    const open = JSON.stringify(told('docs://open/a'));
    expect(pruner?.(open)).toBe(open);
    for (const uri of ['docs://closed/a', undefined, 7]) expect(pruner?.(JSON.stringify(told(uri)))).toBe('');
  });

  test('a `method` beside a result does not excuse the list', () => {
    const listed = { ...answer({ tools: tools('route', 'erase') }), method: 'notifications/progress' };
    expect(prune(CALL_ROUTE, 'tools/list', listed)).toMatchObject({ result: { tools: tools('route') } });
    expect(prune(CALL_ROUTE, undefined, listed)).toMatchObject({ result: { tools: tools('route') } });
  });
});

describe('what clients of the stateless era remember', () => {
  const remembered = (method: string, text: string) => {
    const { policy, caller } = scene(CALL_ROUTE);
    return createPruner(viewOf(policy, caller), 'maps', asked(method, 'modern'), false)?.(text);
  };
  const contents = [{ uri: 'doc://a', text: 'a' }];

  test.for(['server/discover', 'resources/read'])('is for this caller alone: %s', (method) => {
    const text = JSON.stringify(answer({ contents, ttlMs: 60_000, cacheScope: 'public' }));
    expect(remembered(method, text)).toBe(text.replace('"public"', '"private"'));
  });

  test('is so however the word is written', () => {
    const text = JSON.stringify(answer({ contents, cacheScope: 'public' })).replace('cacheS', 'cache\\u0053');
    expect(JSON.parse(remembered('resources/read', text) ?? '').result.cacheScope).toBe('private');
  });

  test('is so for a reader that folds case', () => {
    for (const said of ['"cachescope"', '"CACHESCOPE"', '"cacheſcope"']) {
      const text = JSON.stringify(answer({ contents, x: 'public' })).replace('"x"', said);
      expect(remembered('resources/read', text)).toBe(
        JSON.stringify(answer({ contents, cacheScope: 'private' })),
      );
    }
    const twice = `{"id":1,"Result":{"cacheScope":"public"},"result":{"a":1}}`;
    expect(remembered('resources/read', twice)).toBe('{"id":1,"result":{"a":1}}');
    expect(remembered('resources/read', '{"id":1,"Result":{"cacheScope":"public"}}')).toBe('{"id":1}');
  });

  test.for([
    [
      'a question to the client',
      answer({ resultType: 'input_required', requestState: 'x', inputRequests: {} }),
    ],
    ['a result that says nothing of caching', answer({ contents })],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'cacheScope' } }],
    ['a contents that says it', answer({ contents: [{ uri: 'doc://a', text: '"cacheScope":"public"' }] })],
  ] as const)('but %s passes byte for byte', ([, given]) => {
    const text = JSON.stringify(given, null, 1);
    expect(remembered('resources/read', text)).toBe(text);
  });

  test.for([
    '{"result":{"cacheScope":"private","cacheScope":"public"}}',
    '[{"result":{"cacheScope":"public"}}]',
    '{"result":{"cacheScope":"public"}',
  ])('cannot be shown where it cannot be read: %s', (text) => {
    expect(remembered('resources/read', text)).toBe(undefined);
  });

  test.for(['server/discover', 'resources/read'])(
    'is no news of a hidden resource on the stream of %s',
    (method) => {
      const params = { uri: 'doc://secret' };
      const told = { jsonrpc: '2.0', method: 'notifications/resources/updated', params };
      expect(remembered(method, JSON.stringify(told))).toBe('');
    },
  );

  test('is nothing else', () => {
    const { policy, caller } = scene(CALL_ROUTE);
    for (const method of ['tools/call', 'prompts/get', 'completion/complete']) {
      expect(createPruner(viewOf(policy, caller), 'maps', asked(method, 'modern'), false)).toBe(undefined);
    }
  });
});

describe('on a GET stream, where any answer may be replayed', () => {
  test('every kind of list is cut down', () => {
    const all = {
      tools: tools('route', 'erase'),
      prompts: [{ name: 'greet' }],
      resources: [{ uri: 'file:///a' }],
      resourceTemplates: [{ uriTemplate: 'file:///{a}' }],
    };
    expect(prune(CALL_ROUTE, undefined, answer(all))).toEqual(
      answer({
        tools: tools('route'),
        prompts: [],
        resources: [],
        resourceTemplates: [],
        cacheScope: 'private',
      }),
    );
  });

  test('an answer without lists stays as it is', () => {
    const other = answer({ content: [{ type: 'text', text: 'done' }] });
    expect(prune(CALL_ROUTE, undefined, other)).toEqual(other);
  });

  test('a list that is no array cannot be shown', () => {
    expect(prune(CALL_ROUTE, undefined, answer({ tools: { a: 1 } }))).toBe(undefined);
  });
});

test('what is listed may be called, and what may be called is listed', () => {
  const word = fc.constantFrom('route', 'erase', 'tools/list', 'tools/call', '*', 'all', 'Route', '');
  const rule = fc
    .tuple(
      fc.constantFrom('maps', '*', 'mail'),
      fc.array(word, { maxLength: 3 }),
      fc.array(word, { maxLength: 3 }),
    )
    .map(([server, methods, names]) => scopeRule(server, methods, names));
  const names = fc.array(fc.oneof(word, fc.string(), fc.constant('__proto__')), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 3 }), names, (rules, offered) => {
      const { policy, caller } = scene(rules);
      const text = createPruner(
        viewOf(policy, caller),
        'maps',
        asked('tools/list'),
        false,
      )?.(JSON.stringify(answer({ tools: tools(...offered) })));
      const callable = offered.filter((name) =>
        isAllowed(
          policy,
          caller,
          { server: 'maps', kind: 'request', method: 'tools/call', name, arguments: 'unseen' },
          0,
        ),
      );
      expect(JSON.parse(text ?? '').result.tools).toEqual(tools(...callable));
    }),
    { numRuns: 500 },
  );
});
