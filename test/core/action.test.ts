import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  actionFromHeaders,
  LEGACY_VERSIONS,
  type Message,
  type MessageRefusal,
  MODERN_VERSION,
  readMessage,
  toAction,
} from '../../functions/core/action.ts';
import { JsonNumber, parseJsonText, writeJson } from '../../functions/core/json.ts';

const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
type HeaderList = Readonly<Record<string, string>>;

/** A body in the stateless revision. */
function modern(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  version: unknown = MODERN_VERSION,
) {
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { [VERSION_META]: version } } };
}

function legacy(method: string, params?: unknown) {
  return { jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) };
}

function modernHeaders(method: string, name?: string): HeaderList {
  return {
    'MCP-Protocol-Version': MODERN_VERSION,
    'Mcp-Method': method,
    ...(name === undefined ? {} : { 'Mcp-Name': name }),
  };
}

function read(body: unknown, headers: HeaderList = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readMessage(new TextEncoder().encode(text), new Headers(headers));
}

function accepted(body: unknown, headers: HeaderList = {}): Message {
  const result = read(body, headers);
  if (!result.ok) throw new Error(`refused: ${result.error.message}`);
  return result.value;
}

function refused(body: unknown, headers: HeaderList = {}): MessageRefusal {
  const result = read(body, headers);
  if (result.ok) throw new Error(`accepted as ${result.value.kind} ${result.value.method}`);
  return result.error;
}

const callHeaders = modernHeaders('tools/call', 'route');
const call = modern('tools/call', { name: 'route', arguments: {} });

describe('a message of the `initialize` era', () => {
  test.for([
    ['initialize', undefined, undefined],
    ['ping', undefined, undefined],
    ['tools/list', {}, undefined],
    ['tools/call', { name: 'route' }, 'route'],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'file:///a' }, 'file:///a'],
    ['resources/subscribe', { uri: 'file:///a' }, 'file:///a'],
    ['resources/unsubscribe', { uri: 'file:///a' }, 'file:///a'],
    ['tasks/get', { taskId: 't-1' }, 't-1'],
    ['tools/list', { name: 'ignored' }, undefined],
  ] as const)('%s %j addresses %s', ([method, params, name]) => {
    for (const version of [undefined, ...LEGACY_VERSIONS]) {
      const headers: HeaderList = version === undefined ? {} : { 'MCP-Protocol-Version': version };
      const message = accepted(legacy(method, params), headers);
      expect(message).toMatchObject({ era: 'legacy', kind: 'request', method, name });
      const own = method === 'tools/call' ? new Map() : 'unseen';
      expect(toAction('maps', message)).toEqual({
        server: 'maps',
        kind: 'request',
        method,
        name,
        arguments: own,
      });
    }
  });

  test('a name stands as it is: case, white space, other scripts', () => {
    for (const name of ['Route', 'route ', ' ', 'r\u043eute', '=?base64?cm91dGU=?=', 'a, b']) {
      expect(accepted(legacy('tools/call', { name })).name).toBe(name);
    }
  });

  test('mirrors that are there are held to the body', () => {
    const body = legacy('tools/call', { name: 'route' });
    const version = { 'MCP-Protocol-Version': '2025-06-18' };
    expect(accepted(body, { ...version, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'route' }).name).toBe(
      'route',
    );
    expect(refused(body, { ...version, 'Mcp-Method': 'tools/list' }).code).toBe(-32020);
    expect(refused(body, { ...version, 'Mcp-Name': 'erase' }).code).toBe(-32020);
  });
});

describe('a message of the stateless revision', () => {
  test.for([
    ['tools/list', {}, undefined],
    ['server/discover', {}, undefined],
    ['tools/call', { name: 'route' }, 'route'],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'file:///a%20b' }, 'file:///a%20b'],
    ['tasks/get', { taskId: 't' }, 't'],
    ['tasks/update', { taskId: 't' }, 't'],
    ['tasks/cancel', { taskId: 't' }, 't'],
  ] as const)('%s addresses what its header says', ([method, params, name]) => {
    const message = accepted(modern(method, params), modernHeaders(method, name));
    expect(message).toMatchObject({ era: 'modern', kind: 'request', method, name });
  });

  test.for([
    ['=?base64?cm91dGU=?=', 'route'],
    ['=?base64?Y2Fmw6k=?=', 'café'],
    ['=?base64?IHJvdXRlIA==?=', ' route '],
    ['=?base64?YQpi?=', 'a\nb'],
    [`=?base64?${Buffer.from('=?base64?cm91dGU=?=').toString('base64')}?=`, '=?base64?cm91dGU=?='],
  ] as const)('%s is %j', ([header, name]) => {
    expect(accepted(modern('tools/call', { name }), modernHeaders('tools/call', header)).name).toBe(name);
  });

  test('white space around a header’s value is not part of it', () => {
    expect(accepted(call, modernHeaders(' tools/call', ' route ')).name).toBe('route');
  });

  test('a notification may come without mirrors, and is held to those that it has', () => {
    const { id: _, ...notification } = modern('notifications/cancelled', { requestId: 1 });
    const version = { 'MCP-Protocol-Version': MODERN_VERSION };
    expect(accepted(notification, version)).toMatchObject({
      era: 'modern',
      kind: 'notification',
      id: undefined,
    });
    expect(accepted(notification, { ...version, 'Mcp-Method': 'notifications/cancelled' }).kind).toBe(
      'notification',
    );
    expect(refused(notification, { ...version, 'Mcp-Method': 'tools/call' }).code).toBe(-32020);
  });
});

describe('headers that do not say what the body says are -32020', () => {
  test.for<readonly [string, unknown, HeaderList]>([
    ['another method', call, modernHeaders('tools/list', 'route')],
    ['the method in another case', call, modernHeaders('Tools/Call', 'route')],
    ['the method encoded', call, modernHeaders('=?base64?dG9vbHMvY2FsbA==?=', 'route')],
    ['no method', call, { 'MCP-Protocol-Version': MODERN_VERSION, 'Mcp-Name': 'route' }],
    ['an empty method', call, modernHeaders('', 'route')],
    ['two methods', call, modernHeaders('tools/call, tools/call', 'route')],
    ['another name', call, modernHeaders('tools/call', 'erase')],
    ['the name in another case', call, modernHeaders('tools/call', 'Route')],
    ['no name', call, modernHeaders('tools/call')],
    ['an empty name', call, modernHeaders('tools/call', '')],
    ['two names', call, modernHeaders('tools/call', 'route, route')],
    [
      'a name that only the header trims',
      modern('tools/call', { name: 'route ' }),
      modernHeaders('tools/call', 'route '),
    ],
    ['the sentinel in capitals', call, modernHeaders('tools/call', '=?BASE64?cm91dGU=?=')],
    ['a sentinel of another name', call, modernHeaders('tools/call', '=?base64?ZXJhc2U=?=')],
    ['an empty sentinel', call, modernHeaders('tools/call', '=?base64??=')],
    ['a sentinel without padding', call, modernHeaders('tools/call', '=?base64?cm91dGU?=')],
    ['a sentinel with loose bits', call, modernHeaders('tools/call', '=?base64?cm91dGV=?=')],
    ['a sentinel with a space', call, modernHeaders('tools/call', '=?base64?cm91 dGU=?=')],
    [
      'a sentinel in the URL alphabet',
      modern('tools/call', { name: '???' }),
      modernHeaders('tools/call', '=?base64?Pz8_?='),
    ],
    [
      'a sentinel that is no UTF-8',
      modern('tools/call', { name: '\ufffd' }),
      modernHeaders('tools/call', '=?base64?/w==?='),
    ],
    [
      'a name that looks like a sentinel, not encoded',
      modern('tools/call', { name: '=?base64?cm91dGU=?=' }),
      modernHeaders('tools/call', '=?base64?cm91dGU=?='),
    ],
    [
      'a name that looks like a sentinel to a reader that takes any case',
      modern('tools/call', { name: '=?BASE64?cm91dGU=?=' }),
      modernHeaders('tools/call', '=?BASE64?cm91dGU=?='),
    ],
    [
      'a name that is a sentinel to a reader that looks at its two ends',
      modern('tools/call', { name: '=?base64?=' }),
      modernHeaders('tools/call', '=?base64?='),
    ],
    [
      'a name in Latin-1',
      modern('tools/call', { name: 'caf\u00e9' }),
      modernHeaders('tools/call', 'caf\u00e9'),
    ],
    [
      'the bytes of a name in UTF-8, which are other letters in Latin-1',
      modern('tools/call', { name: '\u00e2\u0082\u00ac' }),
      modernHeaders('tools/call', '\u00e2\u0082\u00ac'),
    ],
    ['a method in Latin-1', modern('caf\u00e9'), modernHeaders('caf\u00e9')],
    ['a name where the method has none', modern('tools/list'), modernHeaders('tools/list', 'route')],
    [
      'a name of a member that counts not',
      modern('tools/list', { name: 'x' }),
      modernHeaders('tools/list', 'x'),
    ],
    ['no version', call, { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'route' }],
    ['an older version', call, { ...callHeaders, 'MCP-Protocol-Version': '2025-11-25' }],
    [
      'two versions',
      call,
      { ...callHeaders, 'MCP-Protocol-Version': `${MODERN_VERSION}, ${MODERN_VERSION}` },
    ],
    [
      'an older version in the body',
      modern('tools/call', { name: 'route' }, '2025-11-25'),
      { ...callHeaders },
    ],
  ])('%s', ([, body, headers]) => {
    expect(refused(body, headers)).toMatchObject({ code: -32020, id: new JsonNumber('1') });
  });

  test.for([
    ['a batch', [call, call]],
    ['a resource', modern('resources/read', { uri: 'file:///b' })],
  ] as const)('and a header never makes up for %s', ([, body]) => {
    expect(read(body, callHeaders).ok).toBe(false);
  });
});

describe('the version', () => {
  test.for(
    ['2024-11-05', '2099-01-01', 'latest', '2026-07-28 ', '', '2026-7-28'].map((version) => [version]),
  )('%j is refused with what is supported', ([version = '']) => {
    const isTrimmed = version.trim() === MODERN_VERSION;
    const refusal = refused(modern('tools/list', {}, version), { 'MCP-Protocol-Version': version });
    expect(refusal.code).toBe(isTrimmed ? -32020 : -32022);
    if (isTrimmed) return;
    expect(refusal.data).toEqual({ supported: [MODERN_VERSION], requested: version });
  });

  test('an unknown one is refused where only the header has it', () => {
    expect(refused(legacy('tools/list'), { 'MCP-Protocol-Version': '2099-01-01' }).code).toBe(-32022);
  });

  test('is required in the body of a modern request', () => {
    const headers = modernHeaders('tools/list');
    for (const params of [undefined, {}, { _meta: {} }, { _meta: null }, { _meta: [] }]) {
      expect(refused(legacy('tools/list', params), headers)).toMatchObject({
        code: -32602,
        id: new JsonNumber('1'),
      });
    }
  });

  test.for([1, null, true, ['2026-07-28'], {}])('%j in the body is no version', (version) => {
    expect(refused(modern('tools/list', {}, version), modernHeaders('tools/list')).code).toBe(-32602);
  });
});

describe('what is no message', () => {
  test.for([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a byte order mark', `\uFEFF${JSON.stringify(call)}`],
    [
      'a duplicate method',
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"x"}}',
    ],
    ['a duplicate name', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}'],
    [
      'a name in two cases',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}',
    ],
    ['params in two cases', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{},"param\u017f":{}}'],
    ['two documents', `${JSON.stringify(call)}${JSON.stringify(call)}`],
  ] as const)('%s is a parse error', ([, text]) => {
    expect(refused(text)).toMatchObject({ code: -32700, id: undefined });
  });

  test.for([
    ['a batch', [legacy('ping')]],
    ['an empty batch', []],
    ['a text', '"ping"'],
    ['null', 'null'],
    ['an empty object', {}],
    ['no jsonrpc', { id: 1, method: 'ping' }],
    ['an older jsonrpc', { ...legacy('ping'), jsonrpc: '1.0' }],
    ['jsonrpc as a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['no method', { jsonrpc: '2.0', id: 1 }],
    ['an empty method', legacy('')],
    ['a method that is a number', { ...legacy('x'), method: 1 }],
    ['a method that is a list', { ...legacy('x'), method: ['tools/call'] }],
    ['a method that is null', { ...legacy('x'), method: null }],
    ['a method in capitals', { jsonrpc: '2.0', id: 1, Method: 'tools/call' }],
    ['params in capitals', { ...legacy('tools/call'), Params: { name: 'x' } }],
    ['an id in capitals', { jsonrpc: '2.0', ID: 1, method: 'tools/call' }],
    ['a method with a long s', { jsonrpc: '2.0', id: 1, method: 'ping', ['param\u017f']: {} }],
    ['a member that nobody knows', { ...legacy('ping'), extra: 1 }],
    ['`__proto__`', '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{}}'],
    ['`_meta` beside params', { ...legacy('ping'), _meta: {} }],
    ['a request that is an answer too', { ...legacy('ping'), result: {} }],
    ['a request that is an error too', { ...legacy('ping'), error: {} }],
    ['an answer with params', { jsonrpc: '2.0', id: 1, result: {}, params: {} }],
    ['an answer with both', { jsonrpc: '2.0', id: 1, result: {}, error: {} }],
    ['an answer without an id', { jsonrpc: '2.0', result: {} }],
    ['an answer to null', { jsonrpc: '2.0', id: null, error: {} }],
  ] as const)('%s is an invalid request', ([, body]) => {
    expect(refused(body).code).toBe(-32600);
  });

  test.for([[], ['name', 'route'], 'route', 1, null, true])('params %j are no object', (params) => {
    expect(refused(legacy('tools/call', params))).toMatchObject({ code: -32602, id: new JsonNumber('1') });
  });

  test.for<readonly [string, string]>([
    ['arguments in another case', '"name":"route","Arguments":{"x":1}'],
    ['arguments with a long s', `"name":"route","argument\u017f":{"x":1}`],
    ['a uri in another case', '"name":"route","URI":"file:///b"'],
    ['a uri with a dotted capital i', '"name":"route","ur\u0130":"file:///b"'],
    ['a task in another case', '"name":"route","taskID":"t"'],
    ['_meta in another case', '"name":"route","_Meta":{}'],
    ['_meta in capitals beside the right one', `"name":"route","_META":{"${VERSION_META}":"2026-07-28"}`],
    ['what is completed in another case', '"name":"route","Ref":{"type":"ref/prompt","name":"x"}'],
    ['a name of what is completed in another case', '"name":"route","ref":{"type":"ref/prompt","Name":"x"}'],
    ['a prototype of what is completed', '"name":"route","ref":{"__proto__":{"name":"x"}}'],
    [
      'subscriptions in another case',
      '"name":"route","Notifications":{"resourceSubscriptions":["file:///b"]}',
    ],
    [
      'the resources of a subscription in another case',
      '"name":"route","notifications":{"resourcesubscriptions":["file:///b"]}',
    ],
    ['requestState in another case', '"name":"route","requeststate":"x"'],
    ['inputResponses in another case', '"name":"route","InputResponses":{}'],
    ['a prototype', '"name":"route","__proto__":{"arguments":{"x":1}}'],
    ['a prototype by escape', '"name":"route","__proto_\\u005f":{"name":"erase"}'],
    ['a version in another case', `"name":"route","_meta":{"${VERSION_META.toUpperCase()}":"2026-07-28"}`],
    ['a prototype of _meta', `"name":"route","_meta":{"__proto__":{"${VERSION_META}":"2026-07-28"}}`],
  ])('%s is refused, where some reader would take it for the right one', ([, members]) => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${members}}}`;
    expect(refused(body)).toMatchObject({ code: -32602, id: new JsonNumber('1') });
  });

  test('other members of `params`, and everything in the arguments, are the caller’s own', () => {
    const own = '{"Name":"a","ARGUMENTS":{},"_Meta":1,"__proto__":{"x":1}}';
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"route","Cursor":"c","arguments":${own}}}`;
    expect(writeJson(accepted(body).body)).toBe(body);
  });

  test.for([undefined, null, '', 1, ['route'], { name: 'route' }])('a tool’s name %j is none', (name) => {
    expect(refused(legacy('tools/call', { name }))).toMatchObject({ code: -32602, id: new JsonNumber('1') });
    expect(refused(modern('tools/call', { name }), callHeaders).code).toBe(-32602);
  });

  test('a name in another case is none', () => {
    expect(refused(legacy('tools/call', { Name: 'route' })).code).toBe(-32602);
    expect(refused(legacy('resources/read', { URI: 'file:///a' })).code).toBe(-32602);
    expect(refused(legacy('tools/call')).code).toBe(-32602);
  });
});

describe('the id', () => {
  test.for(['0', '1', '-1', '9007199254740993', '"a"', '""', '"1"', '"\\u0000"'])('%s survives', (id) => {
    const message = accepted(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(message.kind).toBe('request');
    expect(message.id === undefined ? '' : writeJson(message.id)).toBe(id);
  });

  test.for(['null', 'true', '1.5', '1.0', '1e3', '1e400', '[1]', '{}', '12345678901234567890'])(
    '%s is no id, and makes no notification either',
    (id) => {
      expect(
        refused(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"x"}}`),
      ).toMatchObject({
        code: -32600,
        id: undefined,
      });
    },
  );

  test('is in every refusal of a message in which it can be read', () => {
    const id = 'q-7';
    const refusals = [
      refused({ ...legacy('ping'), id, extra: 1 }),
      refused({ ...legacy('ping'), id, jsonrpc: '1.0' }),
      refused({ ...legacy('tools/call', []), id }),
      refused({ ...legacy('tools/call', {}), id }),
      refused({ ...call, id }, modernHeaders('tools/list', 'route')),
      refused({ ...modern('tools/list', {}, 7), id }, modernHeaders('tools/list')),
      refused({ ...legacy('ping'), id }, { 'MCP-Protocol-Version': 'x' }),
      refused({ jsonrpc: '2.0', id, result: {} }, { 'MCP-Protocol-Version': MODERN_VERSION }),
    ];
    expect(refusals.map((refusal) => refusal.id)).toEqual(refusals.map(() => id));
  });
});

describe('the arguments of a call', () => {
  const argumentsOf = (params: unknown) => toAction('maps', accepted(legacy('tools/call', params))).arguments;

  test('are those of the message, numbers as they are written', () => {
    const given = argumentsOf({ name: 'route', arguments: { to: 'Ulm', via: [] } });
    expect(given).toEqual(
      new Map<string, unknown>([
        ['to', 'Ulm'],
        ['via', []],
      ]),
    );
  });

  test('are none where there are none', () => {
    expect(argumentsOf({ name: 'route' })).toEqual(new Map());
  });

  test.for(['null', '[]', '"x"', '1', 'false'])('are unreadable where they are %s', (given) => {
    expect(argumentsOf({ name: 'route', arguments: JSON.parse(given) })).toBe('unreadable');
  });

  test('are seen in a call without an id, and looked for in nothing else', () => {
    const params = { name: 'route', arguments: { a: 1 } };
    expect(toAction('maps', accepted({ jsonrpc: '2.0', method: 'tools/call', params })).arguments).not.toBe(
      'unseen',
    );
    expect(toAction('maps', accepted(legacy('prompts/get', params))).arguments).toBe('unseen');
  });
});

describe('kinds', () => {
  test('no id makes a notification, whatever the method', () => {
    for (const method of ['notifications/initialized', 'notifications/cancelled', 'tools/call']) {
      const message = accepted({ jsonrpc: '2.0', method, params: { name: 'x' } });
      expect(message).toMatchObject({ kind: 'notification', id: undefined, method });
    }
  });

  test('a result or an error makes an answer of the client', () => {
    for (const part of [{ result: {} }, { error: { code: 1, message: 'x' } }, { result: null }]) {
      expect(accepted({ jsonrpc: '2.0', id: 1, ...part })).toMatchObject({
        kind: 'response',
        method: undefined,
      });
    }
  });

  test('the stateless revision has no answers of clients', () => {
    const answer = { jsonrpc: '2.0', id: 1, result: {} };
    expect(refused(answer, { 'MCP-Protocol-Version': MODERN_VERSION }).code).toBe(-32600);
    expect(refused(answer, callHeaders).code).toBe(-32600);
  });

  test('an answer does not pass under the headers of a request', () => {
    expect(refused({ jsonrpc: '2.0', id: 1, result: {} }, { 'Mcp-Method': 'tools/call' }).code).toBe(-32020);
  });
});

describe('a parameter header', () => {
  const paid = (amount: string, header: string, value: string) => {
    const text = JSON.stringify(call).replace(/"arguments":\{[^}]*\}/, `"arguments":{"Amount":${amount}}`);
    const bytes = new TextEncoder().encode(text);
    const read = readMessage(bytes, new Headers({ ...callHeaders, [header]: value }));
    return read.ok ? 'accepted' : read.error.code;
  };

  test.for([
    ['5', '5', 'accepted'],
    ['5.0', '5', 'accepted'],
    ['5', '5000', -32020],
    ['5', '"5"', -32020],
    ['5', '', -32020],
    ['5', '5, 5', -32020],
    ['9007199254740993', '9007199254740992', -32020],
    ['5', `5.${'0'.repeat(500)}`, -32020],
    ['"eu"', 'eu', 'accepted'],
    ['"eu"', '=?base64?ZXU=?=', 'accepted'],
    ['"eu"', '=?base64?ZXU?=', -32020],
    ['"eu"', 'us', -32020],
    ['true', 'true', 'accepted'],
    ['true', 'false', -32020],
    ['null', 'null', -32020],
    ['[5]', '6', 'accepted'],
    ['{}', '6', 'accepted'],
  ] as const)('of the argument %s may not be other than it: %j: %s', ([amount, value, expected]) => {
    expect(paid(amount, 'Mcp-Param-Amount', value)).toBe(expected);
    expect(paid(amount, 'mcp-param-AMOUNT', value)).toBe(expected);
  });

  test.for([
    ['5,"total":6', '6', 'accepted'],
    ['5,"order":{"lines":{"sum":6}}', '6', 'accepted'],
    ['5,"order":{"sum":7}', '6', -32020],
    ['5,"order":[6]', '6', -32020],
    ['5,"note":"6"', '6', 'accepted'],
    ['5,"order":null', 'null', -32020],
  ] as const)(
    'that a tool’s schema may have for another argument: {"Amount":%s}: %j: %s',
    ([amount, value, expected]) => {
      expect(paid(amount, 'Mcp-Param-Amount', value)).toBe(expected);
    },
  );

  test.for([
    [16, 'accepted'],
    [17, -32020],
  ] as const)('is one of %i that all are for other arguments: %s', ([count, expected]) => {
    const names = Array.from({ length: count }, (_, index) => `n${index}`);
    const params = {
      ...call.params,
      arguments: Object.fromEntries([...names.map((name) => [name, 1]), ['all', 2]]),
    };
    const crossed = Object.fromEntries(names.map((name) => [`Mcp-Param-${name}`, '2']));
    const bytes = new TextEncoder().encode(JSON.stringify({ ...call, params }));
    const read = readMessage(bytes, new Headers({ ...callHeaders, ...crossed }));
    expect(read.ok ? 'accepted' : read.error.code).toBe(expected);
  });

  test('of another argument, or beside a message that is no call, is the server’s to judge', () => {
    expect(paid('5', 'Mcp-Param-Region', 'eu')).toBe('accepted');
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(accepted(list, { 'Mcp-Param-Amount': '6' }).method).toBe('tools/list');
    const odd = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'route', arguments: [5] } };
    expect(accepted(odd, { 'Mcp-Param-0': '6' }).name).toBe('route');
  });
});

describe('the action that headers alone tell', () => {
  const from = (headers: HeaderList) => actionFromHeaders('maps', new Headers(headers));

  test('is the one that the body is held to, but for the arguments, which no header has', () => {
    const ofBody = toAction('maps', accepted(call, callHeaders));
    expect(from(callHeaders)).toEqual({ ...ofBody, arguments: 'unseen' });
    expect(from(modernHeaders('tools/list'))).toMatchObject({ method: 'tools/list', name: undefined });
    expect(from(modernHeaders('tools/call', '=?base64?Y2Fmw6k=?='))).toMatchObject({ name: 'café' });
  });

  test.for<readonly [string, HeaderList]>([
    ['the version is missing', { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'route' }],
    ['the version is older', { ...callHeaders, 'MCP-Protocol-Version': '2025-11-25' }],
    ['the version comes twice', { ...callHeaders, 'MCP-Protocol-Version': `${MODERN_VERSION}, x` }],
    ['the method is missing', { 'MCP-Protocol-Version': MODERN_VERSION }],
    ['the method is empty', modernHeaders('')],
    ['it is a notification', modernHeaders('notifications/initialized')],
    ['the name is missing', modernHeaders('tools/call')],
    ['the name is empty', modernHeaders('tools/call', '')],
    ['the name cannot be decoded', modernHeaders('tools/call', '=?base64?/w==?=')],
    ['the name has no place', modernHeaders('tools/list', 'route')],
    ['the name is beyond ASCII', modernHeaders('tools/call', 'caf\u00e9')],
    ['the method is beyond ASCII', modernHeaders('caf\u00e9')],
    ['the name is too long', modernHeaders('resources/read', `doc://${'a'.repeat(2_043)}`)],
    ['the method is too long', modernHeaders(`x/${'a'.repeat(127)}`)],
  ])('is none where %s', ([, headers]) => {
    expect(from(headers)).toBe(undefined);
  });
});

describe('laws', () => {
  /** How readers that keep another of two members, or fold case, see a message. */
  const readers: readonly ((text: string, named: 'name' | 'uri') => readonly [unknown, unknown])[] = [
    (text, named) => {
      const { method, params } = JSON.parse(text);
      return [method, params?.[named]];
    },
    (text, named) => {
      const first = (body: string, name: string) =>
        new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*")`, 'i').exec(body)?.[1];
      const method = first(text, 'method');
      const params = text.slice(text.indexOf('"params"'));
      const name = first(params, named);
      return [method && JSON.parse(method), name && JSON.parse(name)];
    },
    (text, named) => {
      const fold = (value: unknown): unknown =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value).map(([name, item]) => [name.toUpperCase().toLowerCase(), fold(item)]),
            )
          : value;
      const { method, params } = JSON.parse(JSON.stringify(fold(JSON.parse(text))));
      return [method, params?.[named]];
    },
  ];

  test('what is accepted, every reader of the forwarded bytes takes for the same method and name', () => {
    const member = fc.constantFrom('name', 'Name', 'uri', 'URI', 'na\\u006de', 'x');
    const text = fc.constantFrom('route', 'erase', 'tools/call', 'r\\u006fute', '=?base64?cm91dGU=?=');
    const params = fc
      .array(fc.tuple(member, text), { maxLength: 3 })
      .map((list) => `{${list.map(([name, value]) => `"${name}":"${value}"`).join(',')}}`);
    const envelope = fc.constantFrom('method', 'Method', 'METHOD', 'met\\u0068od');
    const method = fc.constantFrom('tools/call', 'resources/read', 'tools/list', 'tools\\/call');
    const body = fc
      .tuple(
        fc.array(fc.tuple(envelope, method), { minLength: 1, maxLength: 2 }),
        fc.constantFrom('params', 'Params', 'param\u017f'),
        params,
      )
      .map(
        ([methods, name, value]) =>
          `{"jsonrpc":"2.0","id":1,${methods.map(([key, item]) => `"${key}":"${item}"`).join(',')},"${name}":${value}}`,
      );
    let count = 0;
    fc.assert(
      fc.property(body, (sent) => {
        const result = read(sent);
        if (!result.ok || result.value.name === undefined) return;
        count += 1;
        const { method: decided, name } = result.value;
        const forwarded = writeJson(result.value.body);
        const named = decided === 'resources/read' ? 'uri' : 'name';
        for (const reader of readers) expect(reader(forwarded, named)).toEqual([decided, name]);
      }),
      { numRuns: 5_000 },
    );
    expect(count).toBeGreaterThan(20);
  });

  test('the bytes that are forwarded are read as the same message again', () => {
    const messages = fc.constantFrom(
      call,
      modern('resources/read', { uri: 'x' }),
      legacy('ping'),
      legacy('tools/list', {}),
    );
    const place = fc.nat(120);
    const noise = fc.constantFrom('', ' ', '\n', '"', '\\u0061', '1e400', '{', '}', ',', 'é');
    fc.assert(
      fc.property(messages, place, noise, (body, at, added) => {
        const text = JSON.stringify(body);
        const sent = text.slice(0, at) + added + text.slice(at);
        const first = read(sent, {});
        if (!first.ok) return;
        const again = read(writeJson(first.value.body), {});
        expect(again.ok && [again.value.method, again.value.name, again.value.kind]).toEqual([
          first.value.method,
          first.value.name,
          first.value.kind,
        ]);
        expect(parseJsonText(writeJson(first.value.body)).ok).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a method or a name that is longer than any is refused, so that no record grows with it', () => {
  const read = (method: string, name: string) =>
    readMessage(
      new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name } })),
      new Headers(),
    );
  expect(read('m'.repeat(128), 'x').ok).toBe(true);
  expect(read('m'.repeat(129), 'x')).toMatchObject({ error: { code: -32602, id: expect.anything() } });
  expect(read('tools/call', 'n'.repeat(2_048)).ok).toBe(true);
  expect(read('tools/call', 'n'.repeat(2_049))).toMatchObject({ error: { code: -32602 } });
});
