// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are part of the files
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Caller } from '../../../functions/core/caller.ts';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import { isAllowed } from '../../../functions/core/decide.ts';
import { Policy, type Snapshot } from '../../../functions/core/policy.ts';
import { TestIssuer } from '../../support/test-issuer.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const VECTORS = join(ROOT, 'test', 'vectors', 'configuration');
const GOOD: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(VECTORS).map((name) => [name, readFileSync(join(VECTORS, name), 'utf8')]),
);

function compile(changes: Readonly<Record<string, string | undefined>> = {}) {
  const files = Object.entries({ ...GOOD, ...changes }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  return compileConfiguration(new Map(files));
}

function compiled(changes: Readonly<Record<string, string | undefined>> = {}) {
  const result = compile(changes);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** The problems, as `file:line message`. */
function problems(changes: Readonly<Record<string, string | undefined>>): readonly string[] {
  const result = compile(changes);
  return result.ok ? [] : result.error.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

function warnings(changes: Readonly<Record<string, string | undefined>> = {}): readonly string[] {
  return compiled(changes).warnings.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

function mayCall(policy: Policy, caller: Caller, server: string, name: string): boolean {
  const action = { server, kind: 'request', method: 'tools/call', name, arguments: 'unseen' } as const;
  return isAllowed(policy, caller, action, 0);
}

/** A file with one place changed; the place must be there. */
function twin(file: string, from: string, to: string): Readonly<Record<string, string>> {
  const text = GOOD[file] ?? '';
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  return { [file]: text.replace(from, () => to) };
}

/** The line on which a file says something. */
function lineOf(file: string, part: string): number {
  return (GOOD[file] ?? '').split('\n').findIndex((line) => line.includes(part)) + 1;
}

test('what is no YAML is a problem at the line on which it is', () => {
  const nested = twin('servers.yml', '  tides:', '  tides: x: y');
  expect(problems(nested)).toContain(
    `servers.yml:${lineOf('servers.yml', '  tides:')} not valid YAML at column 11: bad indentation of a mapping entry; begin each key of a map in one column, and put text with \`: \` in quotes`,
  );
});

test('of very many problems and warnings the first are named, and how many more there are', () => {
  const strange = Array.from({ length: 1_500 }, (_, index) => `k${index}${'x'.repeat(10)}: 1`).join('\n');
  const found = problems({ 'orgs.yml': strange });
  expect(found).toHaveLength(1_001);
  expect(found.at(-1)).toMatch(/^orgs\.yml:1001 and 500 more from here on$/);
  const [long = ''] = problems({ 'orgs.yml': `${'💡'.repeat(2_000)}: 1` });
  expect([long.length < 1_100, long.isWellFormed()]).toEqual([true, true]);
});

describe('a valid configuration', () => {
  const { snapshot } = compiled();

  test('has every value in its place', () => {
    expect(snapshot.servers).toEqual([
      {
        name: 'tides',
        url: 'https://tides.harbour.example/mcp',
        org: 'harbour',
        private: true,
        egress: { mode: 'identity', key: 'client', fallback: 'none' },
        headers: ['x-berth-id'],
        timeout: { connectMs: 5_000, firstByteMs: 30_000, silenceMs: 240_000, callMs: 300_000 },
        getStream: false,
        tokenTtlMaxSeconds: 600,
        visibility: 'team:pilots',
      },
      {
        name: 'manifests',
        url: 'https://manifests.harbour.example/mcp',
        org: undefined,
        private: false,
        egress: { mode: 'service_account', key: 'user', fallback: 'default' },
        headers: [],
        timeout: { connectMs: 5_000, firstByteMs: 30_000, silenceMs: 240_000, callMs: 300_000 },
        getStream: false,
        tokenTtlMaxSeconds: undefined,
        visibility: 'org',
      },
    ]);
    expect(snapshot.services).toMatchObject([
      {
        name: 'weather-bureau',
        usedBy: ['tides'],
        allow: [{ method: 'GET', path: '/v2/**' }],
        org: undefined,
      },
    ]);
    expect(snapshot.orgs).toEqual([
      { id: 'harbour', suspended: false },
      { id: 'quay-9', suspended: true },
    ]);
    expect(snapshot.clients).toEqual([
      {
        id: 'tide-watcher',
        org: 'harbour',
        displayName: undefined,
        auth: 'client_secret_basic',
        secretName: 'sallyport/{stage}/clients/tide-watcher',
        grants: ['client_credentials'],
        scopes: ['tides/read', 'runs/issue'],
        groups: [],
        audience: 'resource',
        tokenTtlSeconds: 600,
        namespace: 'voyage-7',
        scopeFilters: { root_session_id: 's-1' },
        server: 'tides',
        redirectUris: [],
        runNamespaces: ['voyage-7', 'voyage-8'],
        jwks: [],
        jwksUri: undefined,
        jwksUriPrivate: false,
        exchangeFrom: [],
        disabled: false,
      },
      {
        id: 'master',
        org: 'harbour',
        displayName: undefined,
        auth: 'client_secret_basic',
        secretName: 'sallyport/{stage}/clients/master',
        grants: ['client_credentials'],
        scopes: ['manifests/execute', 'harbour-master', 'tides/read', 'tides/execute', 'deckhand'],
        groups: ['masters', 'crew'],
        audience: 'gateway',
        tokenTtlSeconds: 600,
        namespace: undefined,
        scopeFilters: undefined,
        server: undefined,
        redirectUris: [],
        runNamespaces: [],
        jwks: [],
        jwksUri: undefined,
        jwksUriPrivate: false,
        exchangeFrom: [],
        disabled: false,
      },
    ]);
  });

  test('has its scopes by rule, anchors resolved, each with the line that grants', () => {
    const look = ['initialize', 'notifications/initialized', 'ping', 'tools/list'];
    const use = ['initialize', 'tools/list', 'tools/call'];
    const at = (part: string) => `scopes.yml:${lineOf('scopes.yml', part)}`;
    expect(snapshot.scopes).toEqual([
      ['tides/read', [{ server: 'tides', methods: look, tools: [], at: at('- server: tides') }]],
      [
        'tides/execute',
        [{ server: 'tides', methods: use, tools: ['high_water', 'low_water'], at: at('/tides/') }],
      ],
      [
        'manifests/execute',
        [
          { server: 'manifests', methods: use, tools: ['all'], at: at('server: manifests') },
          {
            server: 'tides',
            methods: look,
            tools: ['high_water', 'low_water'],
            at: at('server: tides, methods'),
          },
        ],
      ],
      ['everything/execute', [{ server: '*', methods: ['*'], tools: ['*'], at: at("server: '*'") }]],
    ]);
    expect(snapshot.uiScopes).toEqual([
      [
        'harbour-master',
        [
          ['list_service', ['all']],
          ['manage_policy', ['all']],
        ],
      ],
      ['deckhand', [['list_service', ['tides', 'manifests']]]],
    ]);
    expect(snapshot.groups).toEqual([
      ['masters', ['harbour-master', 'tides/read', 'tides/execute']],
      ['crew', ['deckhand', 'tides/read', 'not-a-scope-yet']],
    ]);
  });

  test('warns of what is hardly meant, with its lines, and of nothing else', () => {
    expect(warnings()).toEqual([
      `servers.yml:${lineOf('servers.yml', 'team:pilots')} nobody sees this: orgs.yml has no team \`pilots\` in its organisation`,
      `scopes.yml:${lineOf('scopes.yml', 'server: manifests')} this grants every tool of \`manifests\`, also those that delete and those to come; name tools, or deny some`,
      `scopes.yml:${lineOf('scopes.yml', "server: '*'")} this grants every tool of every server, also those that delete and those to come; name tools, or deny some`,
      `scopes.yml:${lineOf('scopes.yml', "server: '*'")} nobody has the scope \`everything/execute\`: no group is mapped to it, and no client has it`,
    ]);
  });

  test('refuses a service for a server whose delegations another server has too', () => {
    const twins = (usedBy: string) => ({
      'servers.yml':
        'servers: { a: { url: "https://x.example.com/mcp", egress: { mode: identity } }, b: { url: "https://x.example.com/mcp", egress: { mode: identity } } }',
      'services.yml': `services: { api: { url: "https://api.example.com/", used_by: [${usedBy}], allow: [{ method: GET, path: /** }] } }`,
      'clients.yml': 'clients: {}',
      'scopes.yml': 'x/read: [{ server: a, methods: [ping] }]',
    });
    expect(problems(twins('a'))).toEqual([expect.stringMatching(/`b` has the url of `a`/)]);
    expect(problems(twins('a, b'))).toEqual([]);
  });

  test('warns of a rule for a server that is not there, and of a client that can get no token', () => {
    const misspelt = 'tides/read: [{ server: no-such-server, methods: [ping] }]';
    const idle = 'clients: { idle: { org: harbour, secret: { ref: "sallyport/{stage}/clients/idle" } } }';
    const warned = warnings({ 'scopes.yml': misspelt, 'clients.yml': idle });
    expect(warned).toContain(
      'scopes.yml:1 servers.yml has no server `no-such-server`; this rule grants nothing',
    );
    expect(warned).toContain(
      'clients.yml:1 this client gets no token: write `grants`, of client_credentials, authorization_code, ' +
        'refresh_token, token-exchange, jwt-bearer',
    );
  });

  test('survives being stored as JSON', () => {
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(JSON.parse(JSON.stringify(compiled().snapshot)));
    expect(JSON.parse(JSON.stringify(snapshot)).scopes).toEqual(snapshot.scopes);
  });

  test('needs no services and no organisations', () => {
    const { snapshot: smaller } = compiled({ 'services.yml': undefined, 'orgs.yml': undefined });
    expect([smaller.services, smaller.orgs]).toEqual([[], []]);
    expect(smaller.clients.map((client) => client.org)).toEqual(['harbour', 'harbour']);
  });

  test('has one organisation where none is named', () => {
    const clients = 'clients: {lone: {secret: {ref: "sallyport/{stage}/clients/lone"}}}';
    expect(
      compiled({ 'clients.yml': clients, 'orgs.yml': undefined, 'servers.yml': '', 'services.yml': '' })
        .snapshot.clients[0]?.org,
    ).toBe('default');
    const alone = {
      'clients.yml': clients,
      'orgs.yml': 'orgs: {only: {}}',
      'servers.yml': '',
      'services.yml': '',
    };
    expect(compiled(alone).snapshot.clients[0]?.org).toBe('only');
    expect(problems({ 'clients.yml': clients })).toEqual([
      'clients.yml:1 `clients.lone`: say which organisation: `org: acme`',
    ]);
  });

  test('that is empty grants nothing', () => {
    const empty = {
      'scopes.yml': '',
      'servers.yml': '',
      'clients.yml': '',
      'services.yml': '',
      'orgs.yml': '',
    };
    const nothing: Snapshot = {
      format: 1,
      scopes: [],
      uiScopes: [],
      groups: [],
      servers: [],
      services: [],
      clients: [],
      registration: { metadataDocuments: true, dynamic: false, scopes: [], hosts: [], allowPrivate: false },
      orgs: [],
      idps: [],
    };
    expect(compiled(empty).snapshot).toEqual(nothing);
  });
});

/** file, what is there, what stands there instead, the line's text, the message */
type Twin = readonly [file: string, from: string, to: string, message: RegExp];

const TWINS: readonly Twin[] = [
  ['scopes.yml', 'tides/read:', 'tides read:', /a scope name has no spaces/],
  ['scopes.yml', 'tides/read:', 'tides"read:', /a scope name has no spaces/],
  ['scopes.yml', '- server: tides\n', '- server: ""\n', /write a text here/],
  ['scopes.yml', '- server: tides\n', '- server: /\n', /name the server/],
  [
    'scopes.yml',
    '- server: tides\n',
    '- servers: tides\n',
    /unknown key `servers`; known here: server, methods, tools, deny, prompts, resources, arguments, when/,
  ],
  ['scopes.yml', 'tools: []', 'tool: []', /unknown key `tool`/],
  ['scopes.yml', 'tools: []', 'tools: high_water', /write a list here/],
  ['scopes.yml', 'tools: []', 'tools: [1]', /write a text here/],
  ['scopes.yml', 'tools: []', 'tools: [~]', /write a text here/],
  ['scopes.yml', 'tools: []', 'tools: *none', /there is no anchor `&none` above/],
  ['scopes.yml', 'manage_policy: [all]', 'manage_policy: all', /write a list here/],
  ['scopes.yml', 'manage_policy: [all]', 'list_service: [x]', /the key `list_service` is repeated/],
  ['scopes.yml', 'crew: [deckhand', 'masters: [deckhand', /the key `masters` is repeated/],
  ['scopes.yml', 'tides/execute:', 'tides/read:', /the key `tides\/read` is repeated/],
  ['servers.yml', 'servers:', 'server:', /unknown key `server`; known here: servers/],
  ['servers.yml', '  tides:', '  Tides:', /`Tides` is no name/],
  ['servers.yml', '  tides:', '  ti.des:', /`ti.des` is no name/],
  ['servers.yml', '  tides:', '  "*":', /`\*` is no name/],
  ...[
    'all',
    'oauth',
    'connect',
    'healthz',
    'egress',
    'context',
    'context-store',
    'runs',
    'servers',
    'me',
    'connections',
    'tokens',
    'admin',
    'portal',
    'login',
    'logout',
    'gateway',
  ].map((name): Twin => ['servers.yml', '  tides:', `  ${name}:`, new RegExp(`\`${name}\` is reserved`)]),
  ['servers.yml', 'url: https://tides', 'uri: https://tides', /unknown key `uri`/],
  ['servers.yml', 'https://tides', 'tides', /write an absolute URL/],
  ['servers.yml', 'https://tides', 'ftp://tides', /write an https URL/],
  [
    'servers.yml',
    'https://tides.harbour.example/mcp',
    'https://tides.harbour.example/mcp?key=x',
    /without query/,
  ],
  ['servers.yml', 'https://tides.', 'https://me:pw@tides.', /no user or password/],
  ['servers.yml', 'https://tides.harbour.example/mcp', 'http://169.254.169.254/mcp', /this address/],
  ['servers.yml', ':-https://manifests', ':-http://manifests', /write an https URL, or set `private: true`/],
  [
    'servers.yml',
    ':-https://manifests.harbour.example/mcp}',
    '}',
    /the variable `MANIFESTS_URL` has no value/,
  ],
  ['servers.yml', 'org: harbour ', 'org: harbor ', /there is no organisation `harbor` in orgs.yml/],
  ['servers.yml', 'org: harbour ', 'org: ', /`servers.tides.org`: write a text here/],
  ['servers.yml', 'org: harbour ', 'org: [] ', /`servers.tides.org`: write a text here/],
  ['servers.yml', 'org: harbour ', 'org: "" ', /`servers.tides.org`: write a text here/],
  ['servers.yml', 'private: true', 'private: yes', /write true or false/],
  ['servers.yml', 'private: true', 'private: "true"', /write true or false/],
  ['servers.yml', '{ mode: identity }', '{ mode: identity, mode: none }', /the key `mode` is repeated/],
  ['servers.yml', '{ mode: identity }', '{ mode: Identity }', /write one of: none, passthrough, identity/],
  ['servers.yml', '{ mode: identity }', '{ }', /write `mode`, one of/],
  ['servers.yml', '{ mode: identity }', 'identity', /write a map here/],
  ['servers.yml', 'key: user', 'key: org', /write one of: client, user/],
  ['servers.yml', 'fallback: default', 'fallback: any', /write one of: none, default/],
  ...[
    'Authorization',
    'X-Authorization',
    'Cookie',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'Forwarded',
    'X-Delegation',
    'TE',
  ].map((name): Twin => ['servers.yml', 'X-Berth-Id', name, /this header never travels/]),
  ['servers.yml', 'X-Berth-Id', '"x y"', /this is no header name/],
  ['servers.yml', 'X-Berth-Id', '"x:y"', /this is no header name/],
  ['servers.yml', 'connect: 5s', 'connect: 6s', /write a duration such as 5s, from 100 ms to 5 s/],
  ['servers.yml', 'connect: 5s', 'connect: 0s', /write a duration/],
  ['servers.yml', 'first_byte: 30s', 'first_byte: 56s', /from 100 ms to 55 s/],
  ['servers.yml', 'silence: 240s', 'silence: 241s', /from 100 ms to 240 s/],
  ['servers.yml', 'call: 300s', 'call: 841s', /from 100 ms to 840 s/],
  ['servers.yml', 'call: 300s', 'call: 300', /write a duration/],
  ['servers.yml', 'call: 300s', 'total: 300s', /unknown key `total`/],
  ['servers.yml', 'get_stream: false', 'get_stream: off', /write true or false/],
  ['servers.yml', 'token_ttl_max: 600', 'token_ttl_max: 901', /write a whole number from 60 to 900/],
  ['servers.yml', 'token_ttl_max: 600', 'token_ttl_max: 10m', /write a whole number/],
  ['servers.yml', 'team:pilots', 'everyone', /write public, org, team:NAME or private:SUBJECT/],
  ['servers.yml', 'team:pilots', '', /write a text here/],
  ['services.yml', '  weather-bureau:', '  tides:', /a server has this name/],
  ['services.yml', '  weather-bureau:', '  admin:', /`admin` is reserved/],
  ['services.yml', 'used_by: [tides]', 'used_by: [tide]', /there is no server `tide` in servers.yml/],
  ['services.yml', 'used_by: [tides]', 'used_by: tides', /write a list here/],
  ['services.yml', 'method: GET', 'method: get', /write `method: GET`/],
  ['services.yml', 'method: GET', 'verb: GET', /unknown key `verb`/],
  ['services.yml', 'path: /v2/**', 'path: v2/**', /write `path: \/v2\/\*\*`/],
  ['services.yml', 'path: /v2/**', 'path: /v2?x', /write `path: \/v2\/\*\*`/],
  ['services.yml', 'https://api', 'http://api', /write an https URL/],
  ['clients.yml', '  tide-watcher:', '  tide watcher:', /a client id has letters/],
  ['clients.yml', '  tide-watcher:', `  ${'x'.repeat(129)}:`, /a client id has letters/],
  ['clients.yml', '  master:', '  tide-watcher:', /the key `tide-watcher` is repeated/],
  [
    'clients.yml',
    'org: harbour\n    auth',
    'org: harbor\n    auth',
    /there is no organisation `harbor` in orgs.yml/,
  ],
  ['clients.yml', 'org: harbour\n    auth', 'org: "a b"\n    auth', /an organisation is named by/],
  [
    'clients.yml',
    'org: harbour\n    auth',
    'org:\n    auth',
    /`clients.tide-watcher.org`: write a text here/,
  ],
  ['clients.yml', 'auth: client_secret_basic', 'auth: basic', /write one of: client_secret_basic/],
  [
    'clients.yml',
    'secret: { ref: sallyport/{stage}/clients/tide-watcher }',
    'secret: s3cret',
    /write a map here/,
  ],
  [
    'clients.yml',
    '{ ref: sallyport/{stage}/clients/tide-watcher }',
    '{ value: x }',
    /unknown key `value`; known here: ref/,
  ],
  [
    'clients.yml',
    'sallyport/{stage}/clients/tide-watcher',
    'sallyport/{stage}/credentials/harbour/x',
    /a client secret is under/,
  ],
  [
    'clients.yml',
    'sallyport/{stage}/clients/tide-watcher',
    'sallyport/prod/clients/tide-watcher',
    /a client secret is under/,
  ],
  [
    'clients.yml',
    'grants: [client_credentials]\n    scopes: [tides/read',
    'grants: [password]\n    scopes: [tides/read',
    /write one of: client_credentials/,
  ],
  [
    'clients.yml',
    'scopes: [tides/read, runs/issue]',
    'scopes: [tides/write]',
    /there is no scope `tides\/write`/,
  ],
  [
    'clients.yml',
    'scopes: [tides/read, runs/issue]',
    'scopes: [Tides/read]',
    /there is no scope `Tides\/read`/,
  ],
  ['clients.yml', 'scopes: [tides/read, runs/issue]', 'scopes: ["*"]', /there is no scope `\*`/],
  ['clients.yml', 'scopes: [tides/read, runs/issue]', 'scopes: tides/read', /write a list here/],
  ['clients.yml', 'groups: [masters, crew]', 'groups: masters', /write a list here/],
  ['clients.yml', 'audience: resource', 'audience: any', /write one of: resource, gateway/],
  ['clients.yml', 'token_ttl: 600', 'token_ttl: 901', /write a whole number from 300 to 900/],
  ['clients.yml', 'token_ttl: 600', 'token_ttl: 299', /write a whole number from 300 to 900/],
  ['clients.yml', 'token_ttl: 600', 'tokens_per_hour: 3601', /write a whole number from 0 to 3600/],
  ['clients.yml', 'namespace: voyage-7', 'namespace: "a#b"', /a namespace has letters/],
  ['clients.yml', 'namespace: voyage-7', 'namespace:', /write a text here/],
  ['clients.yml', '{ root_session_id: s-1 }', '{ root_session_id: 1 }', /write a text here/],
  ['clients.yml', '{ root_session_id: s-1 }', '[root_session_id]', /write a map here/],
  ['clients.yml', '{ root_session_id: s-1 }', '', /write `name: value` lines, or leave the key out/],
  ['clients.yml', 'server: tides', 'server: tide', /there is no server `tide` in servers.yml/],
  ['clients.yml', 'disabled: false', 'disabled: no', /write true or false/],
  ['clients.yml', 'disabled: false', 'disabled:', /write true or false/],
  ['clients.yml', 'disabled: false', 'disable: true', /unknown key `disable`/],
  ['orgs.yml', 'suspended: true', 'suspended: 1', /write true or false/],
  ['orgs.yml', 'suspended: true', 'suspend: true', /unknown key `suspend`/],
  ['orgs.yml', '  quay-9:', '  quay 9:', /an organisation is named by/],
  ['orgs.yml', 'orgs:', 'org:', /unknown key `org`/],
];

describe('a configuration with one fault is refused, with file and line', () => {
  test.for(TWINS)('%s: %j → %j', ([file, from, to, message]) => {
    const found = problems(twin(file, from, to));
    const before = (GOOD[file] ?? '').split(from)[0] ?? '';
    const first = before.split('\n').length;
    const last = first + to.split('\n').length + 1;
    const hits = found.filter((problem) => message.test(problem));
    expect(hits, found.join('\n')).not.toEqual([]);
    const lines = hits.map((problem) => Number(/:(\d+) /.exec(problem)?.[1]));
    expect(
      lines.some((line) => line >= first && line <= last),
      found.join('\n'),
    ).toBe(true);
    expect(hits.every((problem) => problem.startsWith(`${file}:`) || to.includes('org'))).toBe(true);
  });

  test('a client that authenticates by a secret says where it is', () => {
    const found = problems({ 'clients.yml': 'clients:\n  lone:\n    org: harbour\n    audience: gateway\n' });
    expect(found).toEqual([
      expect.stringMatching(/^clients.yml:2 `clients.lone`: write where the secret is/),
    ]);
  });

  test.for(['scopes.yml', 'servers.yml', 'clients.yml'])('%s must be there', (name) => {
    expect(problems({ [name]: undefined })).toContain(`${name}:1 this file is missing`);
  });

  test.for(['scopes.yaml', 'secrets.local.yml', 'notes.md', '__proto__', '../scopes.yml'])(
    '%s is no file of it',
    (name) => {
      const files = new Map([...Object.entries(GOOD), [name, '']]);
      const result = compileConfiguration(files);
      expect(result.ok ? [] : result.error.map((problem) => problem.file)).toEqual([name]);
    },
  );

  test('a variable without a value is named with its line, in every file', () => {
    const text = `${GOOD['clients.yml']}  # \${IGNORED}\n  late: { org: "\${ORG_ID}", secret: { ref: "\${SECRET}" } }\n`;
    const line = text.split('\n').length - 1;
    expect(problems({ 'clients.yml': text }).slice(0, 2)).toEqual([
      `clients.yml:${line} the variable \`ORG_ID\` has no value; set it, or write \`\${ORG_ID:-default}\``,
      `clients.yml:${line} the variable \`SECRET\` has no value; set it, or write \`\${SECRET:-default}\``,
    ]);
  });
});

test('every fault of every file is found in one pass', () => {
  const faults = [
    twin('scopes.yml', 'tools: []', 'tool: []'),
    twin('servers.yml', 'private: true', 'private: yes'),
    twin('services.yml', 'method: GET', 'method: get'),
    twin('clients.yml', 'disabled: false', 'disabled: no'),
    twin('orgs.yml', 'suspended: true', 'suspended: 1'),
  ];
  const found = problems(Object.assign({}, ...faults));
  expect(found.map((problem) => problem.split(':')[0]).sort()).toEqual(Object.keys(GOOD).sort());
  const broken = problems({
    ...twin('scopes.yml', 'tools: []', 'tools: ['),
    ...twin('orgs.yml', 'orgs:', 'orgs'),
  });
  expect(new Set(broken.map((problem) => problem.split(':')[0]))).toContain('scopes.yml');
  expect(new Set(broken.map((problem) => problem.split(':')[0]))).toContain('orgs.yml');
});

describe('what is valid and worth a look', () => {
  test.for(['tools/call', 'all', '"*"'])('a /read scope that grants %s', (method) => {
    const found = warnings(twin('scopes.yml', 'ping, tools/list]', `ping, ${method}]`));
    const line = lineOf('scopes.yml', 'tides/read:');
    expect(found).toContain(
      `scopes.yml:${line} the scope \`tides/read\` is named /read but grants \`tools/call\` on tides`,
    );
  });

  test('groups of nothing, and files that say nothing', () => {
    expect(warnings(twin('clients.yml', 'groups: [masters, crew]', 'groups: [mates]'))).toContainEqual(
      expect.stringMatching(/this group is mapped to nothing/),
    );
    expect(warnings({ 'providers.yml': '', 'idps.yml': '' })).toEqual(warnings());
  });

  test('a group’s unknown scopes are skipped, and a group of nothing gives nothing', () => {
    const { snapshot } = compiled(
      twin('clients.yml', 'groups: [masters, crew]', 'groups: [mates, crew, __proto__]'),
    );
    expect(snapshot.clients[1]?.scopes).toEqual(['manifests/execute', 'deckhand', 'tides/read']);
  });
});

test('aliases that multiply are refused, not read', () => {
  const tools = Array.from({ length: 50_000 }, (_, index) => `t${index}`).join(', ');
  const rules = Array.from({ length: 900 }, () => '  - { server: tides, tools: *t }').join('\n');
  const bomb = `a/execute:\n  - { server: tides, tools: &t [${tools}] }\n${rules}\n`;
  expect(problems({ 'scopes.yml': bomb })).toContainEqual(
    expect.stringMatching(/^scopes.yml:\d+ .*aliases stand for more than 100000 values/),
  );
});

const FIXTURE = join(ROOT, '..', 'shared', 'fixtures', 'scopes.yml');

describe.each([FIXTURE].filter(existsSync))('the file of the source system, unmodified', () => {
  const text = existsSync(FIXTURE) ? readFileSync(FIXTURE, 'utf8') : '';
  const servers = [
    'auth_server',
    'currenttime',
    'mcpgw',
    'realserverfaketools',
    'fininfo',
    'sre-gateway',
    'atlassian',
  ];
  const groups = [
    'mcp-registry-admin',
    'mcp-registry-user',
    'mcp-registry-developer',
    'mcp-registry-operator',
  ];
  const load = () =>
    compileConfiguration(
      new Map([
        ['scopes.yml', text],
        [
          'servers.yml',
          `servers:\n${servers.map((name) => `  ${name}: { url: "https://${name.replace('_', '-')}.example.com/mcp" }`).join('\n')}`,
        ],
        [
          'clients.yml',
          `clients:\n${groups.map((name) => `  ${name}: { org: acme, groups: [${name}], secret: { ref: "sallyport/{stage}/clients/${name}" } }`).join('\n')}`,
        ],
      ]),
    );

  /** What the file says, read without any code of ours: scope → server → tools. */
  function toolsOf(scopes: readonly string[], server: string): ReadonlySet<string> {
    const file: Readonly<Record<string, readonly { server: string; methods: string[]; tools: string[] }[]>> =
      parse(text);
    const rules = scopes.flatMap((scope) => (scope.includes('/') ? (file[scope] ?? []) : []));
    const calling = rules.filter((rule) => rule.server === server && rule.methods.includes('tools/call'));
    return new Set(calling.flatMap((rule) => rule.tools));
  }

  test('loads', () => {
    expect(load()).toMatchObject({ ok: true });
  });

  test('gives the client of each group exactly the tools that the file grants', () => {
    const result = load();
    if (!result.ok) throw new Error('refused');
    const policy = new Policy(result.value.snapshot, 1);
    const issuer = new TestIssuer();
    const all = result.value.snapshot.scopes.flatMap(([, rules]) => rules.flatMap((rule) => rule.tools));
    const everyTool = new Set(all);
    expect(everyTool.size).toBeGreaterThan(70);
    const mappings = new Map(result.value.snapshot.groups);
    const counts = groups.map((group) => {
      const scopes = policy.clients.get(group)?.scopes ?? [];
      expect([...scopes].sort()).toEqual([...(mappings.get(group) ?? [])].sort());
      const token = issuer.verified({ client_id: group, sub: group, scope: scopes.join(' ') });
      const caller = Caller.fromToken(token, policy);
      if (!caller.ok) throw new Error(caller.error.reason);
      return servers.flatMap((server) => {
        const granted = toolsOf(scopes, server);
        const callable = [...everyTool].filter((name) => mayCall(policy, caller.value, server, name));
        expect(new Set(callable)).toEqual(granted);
        return callable;
      }).length;
    });
    expect(counts[0]).toBe(everyTool.size);
    for (const count of counts.slice(1)) expect(count).toBeGreaterThan(0);
    for (const count of counts.slice(1)) expect(count).toBeLessThan(counts[0] ?? 0);
  });

  test('warns of each of its /read scopes, which grant `tools/call`', () => {
    const result = load();
    const lints = result.ok
      ? result.value.warnings.filter(({ message }) => message.includes('is named /read'))
      : [];
    expect(lints.map(({ message }) => /`([^`]+)`/.exec(message)?.[1])).toEqual([
      'mcp-servers-unrestricted/read',
      'mcp-servers-restricted/read',
    ]);
  });
});

test('providers are part of a snapshot where there are any', () => {
  const carrier = {
    auth_url: 'https://carrier.example/authorize',
    token_url: 'https://carrier.example/token',
    client_id: 'c-1',
    client_secret: { ref: 'sallyport/{stage}/providers/carrier' },
    user_info_url: 'https://carrier.example/me',
    scopes: ['parcels.read'],
  };
  const namesOf = (providers: object) =>
    compiled({ 'providers.yml': JSON.stringify({ providers }) }).snapshot.providers?.map(({ name }) => name);
  expect(namesOf({ carrier })).toEqual(['carrier']);
  expect(namesOf({})).toBeUndefined();
});
