import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createUpstream } from '../../functions/aws/upstream.ts';
import { createFrontDoor, type FrontDoor } from './front-door.ts';
import type { Header } from './grammar-message.ts';
import { startWire, type Wire } from './wire.ts';

const MODERN = '2026-07-28';
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
/** What a client of the stateless revision takes for an error of its own era; a 400 without one sends it back to `initialize`. */
const MODERN_CODES = [-32700, -32600, -32602, -32020, -32022];
const MAX_BODY_BYTES = 4_500_000;

type Era = 'legacy' | 'modern';
type Body = string | Buffer;
type Answer = { readonly status: number; readonly type: string | null; readonly text: string };

let wire: Wire;
let door: FrontDoor;

beforeAll(async () => {
  wire = await startWire();
  door = createFrontDoor(createUpstream(), (server) => `${wire.origin}/${server}`);
});
afterAll(() => wire?.close());
beforeEach(() => wire.clear());

const authorization = (): Header => ['authorization', `Bearer ${door.token}`];
const JSON_TYPE: Header = ['content-type', 'application/json'];

async function post(body: Body, headers: readonly Header[], own?: readonly Header[]): Promise<Answer> {
  const all = new Headers();
  for (const [name, value] of [...(own ?? [authorization(), JSON_TYPE]), ...headers]) all.append(name, value);
  const response = await door.knock('open', all, Buffer.from(body));
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** A message of either era; `members` are those of its `params`, as text. */
function message(era: Era, method: string, members: string): string {
  const meta = era === 'modern' ? `"_meta":{"${VERSION_META}":"${MODERN}"}` : '';
  const params = [members, meta].filter((part) => part !== '').join(',');
  return `{"jsonrpc":"2.0","id":7,"method":"${method}","params":{${params}}}`;
}

function mirrors(era: Era, method: string, name?: string): readonly Header[] {
  if (era === 'legacy') return [];
  const named: readonly Header[] = name === undefined ? [] : [['mcp-name', name]];
  return [['mcp-protocol-version', MODERN], ['mcp-method', method], ...named];
}

/** Not a byte goes upstream, and a 400 says why as an error of the protocol, with an id or `null`. */
function expectRefused(answer: Answer, status = 400, code?: number): void {
  expect(wire.bytes().toString()).toBe('');
  expect(answer.status).toBe(status);
  if (status !== 400) return;
  expect(answer.type).toBe('application/json');
  const { jsonrpc, id, error } = JSON.parse(answer.text);
  expect([jsonrpc, id === null || id === 7, typeof error.message]).toEqual(['2.0', true, 'string']);
  expect(code === undefined ? MODERN_CODES : [code]).toContain(error.code);
}

/** One request goes upstream, and its body is these bytes. */
function expectSent(answer: Answer, body: string): void {
  expect([answer.status, answer.text.includes('"result"')]).toEqual([200, true]);
  const requests = wire.requests();
  expect(requests.map(({ line }) => line)).toEqual(['POST /open HTTP/1.1']);
  expect(requests[0]?.body.toString('latin1')).toBe(Buffer.from(body).toString('latin1'));
}

/** The body of a call whose `params` hold this, or a body that stands for itself. */
type Row = string | { readonly body: Body };
const args = (...texts: readonly string[]): Row[] => texts.map((text) => `"name":"read","arguments":${text}`);
const bodies = (...list: readonly Body[]): Row[] => list.map((body) => ({ body }));
const PING = '{"jsonrpc":"2.0","id":7,"method":"ping"}';

/** What of the strictness that the contract promises (§6) is in the body: what is refused, and what passes as it came. */
const IN_THE_BODY: Readonly<
  Record<string, { readonly refused: readonly Row[]; readonly sent: readonly Row[] }>
> = {
  'duplicate members': {
    refused: args(
      ...[
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '{"x":[{"a":1,"b":2,"a":3}]}',
        '{},"name":"erase"',
        '{},"arguments":{}',
      ],
    ),
    sent: args('{"a":{"a":1},"b":{"a":1}}'),
  },
  'case-variant members': {
    refused: args(
      ...[
        '{"a":1,"A":1}',
        '{"s":1,"\u017f":2}',
        '{"k":1,"\u212a":2}',
        '{"i":1,"\u0130":2}',
        '{"\u0131":1,"i":2}',
      ],
      ...['{},"Name":"erase"', '{},"argument\u017f":{}', '{},"URI":"x"', '{},"taskid":"x"', '{},"Ref":{}'],
      ...[
        '{},"notiFications":{}',
        '{},"ref":{"Type":"ref/prompt"}',
        '{},"notifications":{"ResourceSubscriptions":[]}',
      ],
    ),
    sent: args('{"Name":"erase","ARGUMENTS":1}', '{"\u00e9":1,"e\u0301":2}'),
  },
  'the prototype': {
    refused: [
      ...args('{},"__proto__":{}', '{},"__proto_\\u005f":{"name":"erase"}', '{"__proto__":1,"__proto__":2}'),
      ...bodies(PING.replace('}', ',"__proto__":{}}')),
    ],
    sent: args('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'),
  },
  'a byte order mark': {
    refused: bodies(
      `\ufeff${PING}`,
      `\ufeff\ufeff${PING}`,
      Buffer.from(PING, 'utf16le'),
      Buffer.from(`\ufeff${PING}`, 'utf16le'),
    ),
    sent: args('{"x":"\ufeff","\ufeffy":1}'),
  },
  'invalid UTF-8': {
    refused: [[0xff], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]].map(
      (bytes) => ({
        body: Buffer.concat([
          Buffer.from('{"jsonrpc":"2.0","id":7,"method":"'),
          Buffer.from(bytes),
          Buffer.from('"}'),
        ]),
      }),
    ),
    sent: args('{"x":"\u00e9\u20ac\u{1f600}\u2027\u007f"}'),
  },
  'lone surrogates': {
    refused: args('{"x":"\\ud800"}', '{"x":"\\udc00\\ud83d"}', '{"\\udfff":1}', '["\\ud83dx\\ude00"]'),
    sent: args('{"x":"\u{1f600}"}'),
  },
  'numbers that would not survive': {
    refused: [
      ...args(
        '{"x":01}',
        '{"x":+1}',
        '{"x":.5}',
        '{"x":1.}',
        '{"x":NaN}',
        '{"x":0x10}',
        '{"x":-}',
        '{"x":1e}',
      ),
      ...bodies(PING.replace('7', '7.0'), PING.replace('7', '1e400'), PING.replace('7', '12345678901234567')),
    ],
    sent: args(
      '{"a":1e400,"b":-0,"c":12345678901234567890,"d":0.1000000000000000055511151231257827,"e":1.0,"f":1E+2}',
    ),
  },
  depth: {
    refused: args(
      `${'['.repeat(63)}${']'.repeat(63)}`,
      `${'{"a":'.repeat(63)}1${'}'.repeat(63)}`,
      '['.repeat(1_000_000),
    ),
    sent: args(`${'['.repeat(62)}${']'.repeat(62)}`),
  },
  'trailing bytes': {
    refused: bodies(...['x', '{}', ',', '\0', '\v', '\u00a0', ']', '//', PING].map((tail) => PING + tail)),
    sent: [],
  },
  'what is no JSON': {
    refused: [
      ...args(
        "{'a':1}",
        '{a:1}',
        '{"a":1,}',
        '[1,]',
        '[1,,2]',
        '{"a" 1}',
        '"\n"',
        '"\\x41"',
        'undefined',
        'True',
        '/**/{}',
      ),
      ...bodies('', ' ', '{', 'null', '7', '"ping"'),
    ],
    sent: args('[]', 'null', '{"":0}'),
  },
  'more than one message': {
    refused: bodies(`[${PING}]`, '[]', `[${PING},${PING}]`),
    sent: [],
  },
};

describe.for(Object.entries(IN_THE_BODY))('%s', ([, { refused, sent }]) => {
  const label = (row: Row) =>
    JSON.stringify(typeof row === 'string' ? row.slice(0, 60) : row.body.toString().slice(0, 60));
  const bodyOf = (row: Row, era: Era) =>
    typeof row === 'string' ? message(era, 'tools/call', row) : row.body;
  const inBothEras = (rows: readonly Row[]) =>
    rows.flatMap((row) => [[label(row), 'legacy', row] as const, [label(row), 'modern', row] as const]);

  test.for(inBothEras(refused))('%s is refused (%s)', async ([, era, row]) => {
    expectRefused(await post(bodyOf(row, era), mirrors(era, 'tools/call', 'read')));
  });

  test.for(inBothEras(sent))('%s passes as it came (%s)', async ([, era, row]) => {
    const body = bodyOf(row, era);
    expectSent(await post(body, mirrors(era, 'tools/call', 'read')), body.toString());
  });
});

test('white space and needless escapes are not sent on; everything else is', async () => {
  const came =
    ' {"jsonrpc" : "2.0",\r\n"id":7,\t"m\\u0065thod":"tools\\/call","params":{"name":"r\\u0065ad","arguments":{"\\u0041":[ 1.0 ]}}}\n';
  const sent =
    '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read","arguments":{"A":[1.0]}}}';
  expectSent(await post(came, []), sent);
});

describe('size', () => {
  const sized = (bytes: number) => {
    const empty = message('legacy', 'tools/call', '"name":"read","arguments":{"x":""}');
    return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`);
  };

  test('4.5 MB pass', async () => {
    const body = sized(MAX_BODY_BYTES);
    expect(body.length).toBe(MAX_BODY_BYTES);
    expectSent(await post(body, []), body);
  });

  test('a byte more is refused', async () => {
    expectRefused(await post(sized(MAX_BODY_BYTES + 1), []), 413);
  });
});

describe('the content type', () => {
  test.for<readonly [string, readonly string[]]>([
    ['none', []],
    ['another type', ['text/plain']],
    ['a longer type', ['application/jsonx']],
    ['a type of that family', ['application/vnd.api+json']],
    ['a form', ['application/x-www-form-urlencoded']],
    ['two types in one', ['application/json, application/json']],
    ['two types in two', ['application/json', 'text/plain']],
    ['UTF-16', ['application/json; charset=utf-16']],
    ['Latin-1', ['application/json;charset="ISO-8859-1"']],
    ['UTF-8 by another name', ['application/json; charset=utf8']],
    ['an empty charset', ['application/json; charset=""']],
  ])('%s is refused', async ([, types]) => {
    const own: readonly Header[] = [authorization(), ...types.map((type): Header => ['content-type', type])];
    expectRefused(await post(PING, [], own), 415);
  });

  test.for(['application/json', 'Application/JSON;charset=UTF-8', 'application/json; charset="utf-8"'])(
    '%s is taken, and one of our own is sent',
    async (type) => {
      expectSent(await post(PING, [], [authorization(), ['content-type', type]]), PING);
      expect(wire.requests()[0]?.headers.get('content-type')).toBe('application/json');
    },
  );
});

describe('the two Authorization headers', () => {
  const ingress = (): Header => ['x-authorization', `Bearer ${door.token}`];
  const basic: Header = ['authorization', 'Basic dTpw'];

  test.for<readonly [string, () => readonly Header[]]>([
    ['none', () => []],
    ['Authorization twice', () => [authorization(), authorization()]],
    ['Authorization twice, in two cases', () => [authorization(), ['AUTHORIZATION', `Bearer ${door.token}`]]],
    ['X-Authorization twice', () => [ingress(), ingress()]],
    [
      'a bad X-Authorization before a good Authorization',
      () => [['x-authorization', 'Bearer x'], authorization()],
    ],
    [
      'an empty X-Authorization before a good Authorization',
      () => [['x-authorization', ''], authorization()],
    ],
    ['a good X-Service-Token alone', () => [['x-service-token', door.token]]],
    ['two tokens in one', () => [['authorization', `Bearer ${door.token}, Bearer ${door.token}`]]],
    ['two spaces', () => [['authorization', `Bearer  ${door.token}`]]],
    ['another scheme', () => [basic]],
  ])('%s is refused', async ([, headers]) => {
    expectRefused(await post(PING, [], [...headers(), JSON_TYPE]), 401);
  });

  test('X-Authorization beside one for the upstream is taken, and neither reaches a server that asks for none', async () => {
    expectSent(await post(PING, [], [ingress(), basic, JSON_TYPE]), PING);
    const { headers } = wire.requests()[0] ?? { headers: new Map<string, string>() };
    expect([...headers.keys()].filter((name) => name.includes('authorization'))).toEqual([]);
    expect(wire.bytes().includes(door.token)).toBe(false);
  });
});

describe('headers and body', () => {
  const call = (name = 'read') => message('modern', 'tools/call', `"name":${JSON.stringify(name)}`);
  const changed = (...changes: readonly Header[]) => {
    const kept = mirrors('modern', 'tools/call', 'read').filter(([name]) =>
      changes.every(([other]) => other !== name),
    );
    return [...kept, ...changes.filter(([, value]) => value !== 'absent')];
  };
  const sentinel = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

  test.for<readonly [string, string, readonly Header[]]>([
    ['no method', call(), changed(['mcp-method', 'absent'])],
    ['another method', call(), changed(['mcp-method', 'tools/list'])],
    ['the method in another case', call(), changed(['mcp-method', 'Tools/Call'])],
    ['the method encoded', call(), changed(['mcp-method', sentinel('tools/call')])],
    ['two methods', call(), [...changed(), ['mcp-method', 'tools/call']]],
    ['no name', call(), changed(['mcp-name', 'absent'])],
    ['an empty name', call(), changed(['mcp-name', ''])],
    ['another name', call(), changed(['mcp-name', 'erase'])],
    ['the name in another case', call(), changed(['mcp-name', 'Read'])],
    ['two names', call(), [...changed(), ['Mcp-Name', 'read']]],
    ['another name, encoded', call(), changed(['mcp-name', sentinel('erase')])],
    ['a sentinel in capitals', call(), changed(['mcp-name', '=?BASE64?cmVhZA==?='])],
    ['a sentinel without padding', call(), changed(['mcp-name', '=?base64?cmVhZA?='])],
    ['a sentinel with loose bits', call(), changed(['mcp-name', '=?base64?cmVhZB==?='])],
    ['a sentinel that is no Base64', call(), changed(['mcp-name', '=?base64?!!!!?='])],
    ['a sentinel that is no UTF-8', call('\ufffd'), changed(['mcp-name', '=?base64?/w==?='])],
    ['an empty sentinel', call(), changed(['mcp-name', '=?base64??='])],
    ['a name that should have been encoded: Latin-1', call('caf\u00e9'), changed(['mcp-name', 'caf\u00e9'])],
    [
      'a name that should have been encoded: UTF-8',
      call('caf\u00e9'),
      changed(['mcp-name', 'caf\u00c3\u00a9']),
    ],
    [
      'bytes that are another name in Latin-1',
      call('caf\u00c3\u00a9'),
      changed(['mcp-name', 'caf\u00c3\u00a9']),
    ],
    [
      'a sentinel for a name, not encoded itself',
      call(sentinel('read')),
      changed(['mcp-name', sentinel('read')]),
    ],
    ['no version', call(), changed(['mcp-protocol-version', 'absent'])],
    ['an older version', call(), changed(['mcp-protocol-version', '2025-11-25'])],
    ['two versions', call(), [...changed(), ['mcp-protocol-version', MODERN]]],
    ['an unknown version', call(), changed(['mcp-protocol-version', '2099-01-01'])],
    ['an older version in the body', call().replace(MODERN, '2025-11-25'), changed()],
    [
      'a legacy call under another method',
      message('legacy', 'tools/call', '"name":"read"'),
      [['mcp-method', 'tools/list']],
    ],
    [
      'a legacy call under another name',
      message('legacy', 'tools/call', '"name":"read"'),
      [['mcp-name', 'erase']],
    ],
    [
      'a client’s answer under a method',
      '{"jsonrpc":"2.0","id":7,"result":{}}',
      [['mcp-method', 'tools/call']],
    ],
  ])('%s is refused as a disagreement', async ([, body, headers]) => {
    expectRefused(await post(body, headers), 400, -32020);
  });

  test.for<readonly [string, string, readonly Header[], number]>([
    ['no version in the body', message('legacy', 'tools/list', ''), mirrors('modern', 'tools/list'), -32602],
    ['a number for a version', call().replace(`"${MODERN}"`, '20260728'), changed(), -32602],
    [
      'a version that nobody has, in both',
      call().replace(MODERN, '2099-01-01'),
      changed(['mcp-protocol-version', '2099-01-01']),
      -32022,
    ],
    [
      'a client’s answer in the stateless era',
      '{"jsonrpc":"2.0","id":7,"result":{}}',
      [['mcp-protocol-version', MODERN]],
      -32600,
    ],
  ])('%s is refused', async ([, body, headers, code]) => {
    expectRefused(await post(body, headers), 400, code);
  });

  test.for<readonly [Era, string]>([
    ['modern', 'tools/list'],
    ['modern', 'prompts/list'],
    ['modern', 'server/discover'],
    ['modern', 'subscriptions/listen'],
    ['modern', 'resources/subscribe'],
    ['legacy', 'initialize'],
    ['legacy', 'ping'],
    ['legacy', 'tools/list'],
    ['legacy', 'resources/subscribe'],
    ['legacy', 'logging/setLevel'],
  ])('Mcp-Name on a request of %s %s, which has none, is refused', async ([era, method]) => {
    const body = message(era, method, '"name":"read","uri":"read"');
    expectRefused(await post(body, [...mirrors(era, method), ['mcp-name', 'read']]), 400, -32020);
  });

  test('Mcp-Name on a notification and on an answer is refused', async () => {
    const notification = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"name":"read"}}';
    expectRefused(await post(notification, [['mcp-name', 'read']]), 400, -32020);
    expectRefused(
      await post('{"jsonrpc":"2.0","id":7,"result":{"name":"read"}}', [['mcp-name', 'read']]),
      400,
      -32020,
    );
  });

  test.for<readonly [string, string, string]>([
    ['as it is', 'read', 'read'],
    ['with white space around it', 'read', ' read\t'],
    ['encoded without need', 'read', sentinel('read')],
    ['of another script', '\u0440ead', sentinel('\u0440ead')],
    ['with white space at its ends', ' read ', sentinel(' read ')],
    ['with a line feed', 'a\nb', sentinel('a\nb')],
    ['that is a sentinel itself', sentinel('read'), sentinel(sentinel('read'))],
  ])('a name %s passes, and the header with it', async ([, name, header]) => {
    const body = call(name);
    expectSent(await post(body, changed(['mcp-name', header])), body);
    expect(wire.requests()[0]?.headers.get('mcp-name')).toBe(header.trim());
  });

  test('what goes upstream are the headers that were compared, parameters as they came, and no others', async () => {
    const body = call();
    const odd: readonly Header[] = [
      ['mcp-param-region', '=?base64?!?='],
      ['mcp_name', 'erase'],
      ['mcp-nam', 'x'],
      ['x-mcp-name', 'x'],
    ];
    expectSent(await post(body, [...changed(), ...odd]), body);
    const { headers } = wire.requests()[0] ?? { headers: new Map<string, string>() };
    const names = [...headers.keys()].filter(
      (name) => !['host', 'connection', 'user-agent', 'content-length', 'content-type'].includes(name),
    );
    expect(names.sort()).toEqual(['mcp-method', 'mcp-name', 'mcp-param-region', 'mcp-protocol-version']);
    expect(headers.get('mcp-param-region')).toBe('=?base64?!?=');
  });
});
