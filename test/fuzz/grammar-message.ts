import { JSON_PIECES, jsonText, type Oddity, objectText, otherCase, stringText } from './grammar-json.ts';
import { mutate, shorterLists, shorterTexts, smallerMember, toBytes } from './mutate.ts';
import type { Random } from './random.ts';

/** One header as it is sent. */
export type Header = readonly [name: string, value: string];

/** A POST to an MCP endpoint: its headers in their order, its body as bytes. */
export type Posted = { readonly headers: readonly Header[]; readonly body: string };

const MODERN = '2026-07-28';
const VERSIONS = [MODERN, MODERN, '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2099-01-01', ''];
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** Methods, with the member of `params` that a request of theirs has. */
const METHODS: readonly (readonly [method: string, member: string | undefined])[] = [
  ['tools/call', 'name'],
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/cancel', 'taskId'],
  ['resources/subscribe', 'uri'],
  ['tools/list', undefined],
  ['initialize', undefined],
  ['server/discover', undefined],
  ['ping', undefined],
  ['notifications/cancelled', undefined],
  ['completion/complete', undefined],
  ['subscriptions/listen', undefined],
  ['unheard/of', undefined],
  ['caf\u00e9', undefined],
];
const NAMES = [
  ...['read', 'read', 'read', 'route', 'erase', 'Read', 'READ', 'read ', ' read', 'read, read', 'caf\u00e9'],
  ...['\u00e2\u0082\u00ac'],
  ...['a\nb', 'read\0', '', '\u{1f600}', '=?base64?cmVhZA==?=', '=?BASE64?cmVhZA==?=', '=?base64?='],
  ...['=?base64??='],
  ...[
    '\tread',
    're\tad',
    'x'.repeat(2_048),
    'x'.repeat(2_049),
    'file:///a%20b',
    '__proto__',
    '\u0440ead',
    '\ufeffread',
  ],
];
const IDS = [
  ...['1', '0', '-1', '"a"', '""', '9007199254740993', 'null', '1.0', '1e3', 'true', '[1]', '{}'],
  ...['"\\ud83d\\ude00"', '"\u2028"', '"\\u0085"'],
];

/** A message of either era and the headers that belong to it, a share of them damaged in structure, spelling or bytes. */
export function postedMessage(random: Random): Posted {
  const isModern = random.chance(60);
  const oddity = { spelling: random.pick([0, 0, 30]), fault: random.pick([0, 0, 0, 4, 15]) };
  const [method, member] = random.pick(METHODS);
  const name = random.chance(60) ? random.pick(['read', 'route', 'erase']) : random.pick(NAMES);
  const version =
    isModern || random.chance(10) ? random.pick([MODERN, MODERN, MODERN, random.pick(VERSIONS)]) : undefined;
  const body = bodyText(random, oddity, { method, member, name, version });
  const hasNameHeader = member !== undefined && method !== 'resources/subscribe';
  const mirrors = isModern || random.chance(30);
  const headers: Header[] = [
    ...(isModern || random.chance(60)
      ? [['mcp-protocol-version', version ?? random.pick(VERSIONS.slice(2))] as const]
      : []),
    ...(mirrors ? [['mcp-method', method] as const] : []),
    ...(mirrors && hasNameHeader ? [['mcp-name', toHeaderValue(random, name)] as const] : []),
    ...random.list(1, () => ['mcp-param-region', toHeaderValue(random, random.pick(NAMES))] as const),
  ];
  const bytes = toBytes(random.chance(1) ? `\ufeff${body}` : body);
  return {
    headers: random.chance(45) ? damageHeaders(random, headers) : headers,
    body: random.chance(25) ? mutate(random, bytes, JSON_PIECES) : bytes,
  };
}

/** Posts with less in them. */
export function* smallerPosts<T extends Posted>(posted: T): Iterable<T> {
  const smallerHeader = function* ([name, value]: Header): Iterable<Header> {
    for (const shorter of shorterTexts(value)) yield [name, shorter];
  };
  yield* smallerMember(posted, 'headers', shorterLists(posted.headers, smallerHeader));
  yield* smallerMember(posted, 'body', shorterTexts(posted.body));
}

type Meant = {
  readonly method: string;
  readonly member: string | undefined;
  readonly name: string;
  readonly version: string | undefined;
};

function bodyText(random: Random, oddity: Oddity, { method, member, name, version }: Meant): string {
  const text = (value: string) => stringText(random, value, oddity);
  if (random.chance(2)) {
    const outcome = [random.pick(['result', 'error']), jsonText(random, oddity, 4)] as const;
    return objectText(random, oddity, [['jsonrpc', text('2.0')], ['id', random.pick(IDS)], outcome]);
  }
  const meta = objectText(random, oddity, [
    ...(version === undefined ? [] : [[VERSION_META, text(version)] as const]),
    ...random.list(
      2,
      () =>
        [
          random.chance(96)
            ? random.pick(['progressToken', 'io.modelcontextprotocol/clientCapabilities'])
            : '__proto__',
          '{}',
        ] as const,
    ),
  ]);
  const members: (readonly [string, string])[] = [
    ...(member === undefined ? [] : [[member, text(name)] as const]),
    ...random.list(1, () => ['arguments', jsonText(random, oddity, 3)] as const),
    ...addressedMembers(random, oddity, method),
    ...(version !== undefined || random.chance(10)
      ? [['_meta', random.chance(3) ? '[]' : meta] as const]
      : []),
    ...(random.chance(6)
      ? [[random.pick(['name', 'uri', '__proto__', 'Name', 'requestState']), text('erase')] as const]
      : []),
  ];
  const params = objectText(random, oddity, members);
  const isNotification = method.startsWith('notifications/') || random.chance(4);
  const envelope: (readonly [string, string])[] = [
    ['jsonrpc', text(random.chance(98) ? '2.0' : '1.0')],
    ...(isNotification
      ? []
      : [['id', random.chance(80) ? random.pick(IDS.slice(0, 6)) : random.pick(IDS)] as const]),
    ...(random.chance(97) ? [['method', random.chance(98) ? text(method) : '["tools/call"]'] as const] : []),
    ...(member !== undefined || version !== undefined || random.chance(60)
      ? [['params', random.chance(98) ? params : '[]'] as const]
      : []),
    ...(random.chance(3)
      ? [[random.pick(['result', 'error', 'extra', '__proto__', 'Method']), '{}'] as const]
      : []),
  ];
  const written = objectText(random, oddity, random.chance(20) ? envelope.toReversed() : envelope);
  return random.chance(2) ? `[${written}]` : written;
}

/** What a completion completes, and what a subscription watches: names that stand deeper in `params`. */
function addressedMembers(
  random: Random,
  oddity: Oddity,
  method: string,
): readonly (readonly [string, string])[] {
  const text = () => stringText(random, random.pick(NAMES), oddity);
  if (method === 'completion/complete') {
    const type = stringText(random, random.pick(['ref/prompt', 'ref/resource']), oddity);
    return [
      [
        'ref',
        objectText(random, oddity, [
          ['type', type],
          [random.pick(['name', 'uri']), text()],
        ]),
      ],
    ];
  }
  if (method !== 'subscriptions/listen') return [];
  const uris = `[${random.list(2, text).join()}]`;
  return [
    [
      'notifications',
      objectText(random, oddity, [
        ['resourceSubscriptions', uris],
        ['toolsListChanged', 'true'],
      ]),
    ],
  ];
}

/** As the transport wants it, but for a share that is left as it is, or encoded without need. */
function toHeaderValue(random: Random, text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?.*\?=$/.test(text);
  if (!random.chance(isPlain ? 80 : 20)) return sentinelOf(text);
  const isLatin1 = /^[\0-\xff]*$/.test(text) && random.chance(50);
  return (isLatin1 ? text : toBytes(text)).replaceAll(/[\0\r\n]/g, '');
}

function sentinelOf(text: string): string {
  return `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function damageHeaders(random: Random, headers: readonly Header[]): Header[] {
  const damaged = [...headers];
  for (let left = 1 + random.below(2); left > 0; left -= 1) {
    const at = random.below(damaged.length + 1);
    const [
      name = random.pick(['mcp-name', 'mcp-method', 'Mcp-Protocol-Version', 'MCP-Name', 'mcp_name']),
      value = 'read',
    ] = damaged[at] ?? [];
    const kind = random.below(4);
    if (kind === 0) damaged.splice(at, 1);
    else if (kind === 1)
      damaged.splice(at, 0, [
        random.chance(50) ? name : otherCaseAscii(random, name),
        respell(random, value),
      ]);
    else damaged[at] = [name, respell(random, value)];
  }
  return damaged;
}

/** Another value, or the same one in a form that some reader takes for it. */
function respell(random: Random, value: string): string {
  const plain = /^=\?base64\?(.*)\?=$/.exec(value)?.[1];
  const text = plain === undefined ? value : Buffer.from(plain, 'base64').toString();
  const encoded = Buffer.from(text).toString('base64');
  switch (random.below(13)) {
    case 0:
      return '';
    case 1:
      return otherCaseAscii(random, value);
    case 2:
      return ` ${value}\t`;
    case 3:
      return `${value}, ${value}`;
    case 4:
      return sentinelOf(text);
    case 5:
      return `=?${random.pick(['BASE64', 'Base64', 'base64 ', 'base64url'])}?${encoded}?=`;
    case 6:
      return `=?base64?${encoded.replace(/=+$/, '')}?=`;
    case 7:
      return `=?base64?${encoded.replaceAll('+', '-').replaceAll('/', '_')}${random.pick(['', '=', ' ', '\t'])}?=`;
    case 8:
      return `=?base64?${encoded.replace(/[A-Z]/, 'B')}?=`;
    case 9:
      return `${value}${random.pick(['\xe9', '\xc3\xa9', '\x80', '\xa0', '\x7f', '\t'])}`;
    case 10:
      return random.pick([
        'tools/call',
        'tools/list',
        'erase',
        MODERN,
        '2025-11-25',
        '=?base64?ZXJhc2U=?=',
        'null',
      ]);
    case 11:
      return value.slice(random.below(value.length + 1));
    default:
      return value;
  }
}

function otherCaseAscii(random: Random, text: string): string {
  const changed = otherCase(random, text);
  return /^[\0-\xff]*$/.test(changed) ? changed : text.toUpperCase();
}
