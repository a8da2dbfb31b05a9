import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';

type Entry = Readonly<Record<string, unknown>>;

const SERVER = { url: 'https://maps.example.com/mcp' };
const SERVICE = {
  url: 'https://api.example.com/',
  used_by: ['maps'],
  allow: [{ method: 'GET', path: '/v2/**' }],
};

type Changes = {
  server?: Entry;
  service?: Entry;
  perimeter?: unknown;
  others?: Readonly<Record<string, Entry>>;
};

function compile({ server = {}, service = {}, perimeter, others = {} }: Changes) {
  const files = {
    'servers.yml': { servers: { maps: { ...SERVER, ...server }, ...others }, perimeter },
    'services.yml': { services: { api: { ...SERVICE, ...service } } },
    'scopes.yml': { 'maps/use': [{ server: 'maps', methods: ['ping'] }] },
    'clients.yml': {},
  };
  const texts = new Map(Object.entries(files).map(([name, file]) => [name, JSON.stringify(file)] as const));
  return compileConfiguration(texts);
}

/** What is wrong with a configuration of one server and one service. */
function problems(changes: Changes): readonly string[] {
  const compiled = compile(changes);
  return compiled.ok ? [] : compiled.error.map(({ file, message }) => `${file} ${message}`);
}

test('a plain server and a plain service have nothing wrong', () => {
  expect(problems({})).toEqual([]);
});

test('a service that says neither who uses it nor what is allowed is there, and opens nothing', () => {
  const compiled = compile({ service: { used_by: undefined, allow: undefined } });
  expect(compiled.ok && compiled.value.snapshot.services).toMatchObject([{ usedBy: [], allow: [] }]);
});

test.for(['identity', 'hybrid'])('a server in mode %s with the url of another opens its services', (mode) => {
  const twin = { ...SERVER, egress: { mode } };
  expect(problems({ others: { twin } })).toContainEqual(
    expect.stringMatching(/^services.yml .*`twin` has the url of `maps`/),
  );
});

describe('the limits of a server', () => {
  test('stand with it, and are limits like those of scopes.yml', () => {
    const limits = [
      { per: ['tool', 'client'], requests: 60, window: '1m', tools: ['route'], scope: 'runs/issue' },
      { per: ['org'], requests: 1_000, window: '1h' },
    ];
    const compiled = compile({ server: { limits } });
    expect(compiled.ok && compiled.value.snapshot.limits).toEqual([
      {
        per: ['client', 'tool'],
        requests: 60,
        windowSeconds: 60,
        server: 'maps',
        tools: ['route'],
        scope: 'runs/issue',
        at: expect.stringMatching(/^servers.yml:/),
      },
      {
        per: ['org'],
        requests: 1_000,
        windowSeconds: 3_600,
        server: 'maps',
        at: expect.stringMatching(/^servers.yml:/),
      },
    ]);
    expect(compiled.ok && compiled.value.snapshot.format).toBe(2);
  });

  test.for([
    [{ per_minute: 1 }, /list/],
    [[{ per: ['client'], requests: 1, window: '1m', server: 'other' }], /unknown key `server`/],
    [[{ per: ['client'], requests: 1, window: '1m', scope: 'nowhere' }], /there is no scope `nowhere`/],
    [[{ per: ['client'] }], /write how many in which time/],
    [[{ requests: 1, window: '1m' }], /write what is counted by/],
    [
      Array.from({ length: 21 }, () => ({ per: ['client'], requests: 1, window: '1m' })),
      /write 20 limits at most/,
    ],
  ] as const)('are refused where nobody can count by them: %j', ([limits, words]) => {
    expect(problems({ server: { limits } })).toContainEqual(expect.stringMatching(words));
  });
});

describe('a header may not be listed to travel', () => {
  test.for([
    ...['X-User-Pool-Id', 'X-Client-Id', 'X-Region'],
    ...['X-User', 'X-Username', 'X-Scopes', 'X-Groups', 'X-Auth-Method', 'X-Server-Name', 'X-Tool-Name'],
    ...['X-Org-Id', 'X-Real-IP', 'X-Internal-Token', 'X-Internal-Token-Registry', 'X-Validate-Source-Secret'],
    ...['X-Sallyport-Edge', 'X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'],
    ...['X-Original-URL', 'X-Rewrite-URL', 'X-Upstream-Url', 'Mcp-Session-Id', 'Expect', 'Upgrade'],
    ...['X-Provider-Authorization', 'X_User', 'X_Forwarded_For', 'X_HTTP_Method_Override', 'X_Original_URL'],
    ...['Remote-User', 'X-Remote-User', 'X-Auth-Request-Email', 'X-Amzn-Oidc-Identity', 'HTTP2-Settings'],
    ...['X-MS-Client-Principal', 'X-MS-Client-Principal-Name', 'Client-Cert', 'X-Client-Cert-Chain'],
    ...['True-Client-IP', 'X-Envoy-Original-Path'],
  ])('that says who calls, selects at the gate or makes it another request: %s', (name) => {
    const says = expect.stringMatching(/this header never travels$/);
    expect(problems({ server: { headers: [name] } })).toEqual([says]);
    expect(problems({ service: { headers: [name] } })).toEqual([says]);
  });

  test.for([
    'X-Provider-Id',
    'X-Atlassian-Cloud-Id',
    'X-Service-Token',
    'X-Api-Version',
    'X-Users',
    'X-Methods',
  ])('unless it does none of that: %s', (name) => {
    expect(problems({ server: { headers: [name] }, service: { headers: [name] } })).toEqual([]);
  });
});

describe('a method of a service’s allow-list', () => {
  test.for(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', '*'])('may be %s', (method) => {
    expect(problems({ service: { allow: [{ method, path: '/**' }] } })).toEqual([]);
  });

  test.for(['TRACE', 'CONNECT', 'OPTIONS', 'PROPFIND', 'get', 'GET ', '', '**', 7])(
    'may not be %j, which never arrives',
    (method) => {
      const found = problems({ service: { allow: [{ method, path: '/**' }] } });
      expect(found.at(-1)).toMatch(
        /write `method: GET`, one of GET, HEAD, POST, PUT, PATCH, DELETE, or `\*`/,
      );
    },
  );
});

describe('the mode `passthrough`', () => {
  test('is for servers', () => {
    expect(problems({ server: { egress: { mode: 'passthrough' } } })).toEqual([]);
  });

  test('is refused for services: who calls them has no token of the caller’s', () => {
    expect(problems({ service: { egress: { mode: 'passthrough' } } })).toEqual([
      expect.stringMatching(/^services.yml .*no token of the caller’s to pass on/),
    ]);
  });
});

describe('the perimeter', () => {
  const hosts = ['maps.example.com', '*.example.com'];

  test('is stored as it is written, and keeps functions that do not know it from deciding', () => {
    const perimeter = { hosts: ['MAPS.example.com', 'api.example.com'], networks: ['10.20.0.0/16'] };
    const compiled = compile({ perimeter });
    expect(compiled.ok && [compiled.value.snapshot.format, compiled.value.snapshot.perimeter]).toEqual([
      3,
      { hosts: ['maps.example.com', 'api.example.com'], networks: ['10.20.0.0/16'] },
    ]);
    const without = compile({});
    expect(without.ok && [without.value.snapshot.format, 'perimeter' in without.value.snapshot]).toEqual([
      1,
      false,
    ]);
  });

  test.for<readonly [string, Changes]>([
    ['servers and services on it', { perimeter: { hosts } }],
    [
      'an address in a network of it',
      {
        perimeter: { hosts, networks: ['10.20.0.0/16'] },
        server: { url: 'http://10.20.1.1/mcp', private: true },
      },
    ],
  ])('takes %s', ([, changes]) => {
    expect(problems(changes)).toEqual([]);
  });

  test.for<readonly [string, Changes, string]>([
    ['a server elsewhere', { perimeter: { hosts: ['api.example.com'] } }, 'servers.yml'],
    ['a service elsewhere', { perimeter: { hosts: ['maps.example.com'] } }, 'services.yml'],
    [
      'an address in none of its networks',
      {
        perimeter: { hosts, networks: ['10.20.0.0/16'] },
        server: { url: 'http://10.21.1.1/mcp', private: true },
      },
      'servers.yml',
    ],
    [
      'an address where it has none',
      { perimeter: { hosts }, server: { url: 'http://10.20.1.1/mcp', private: true } },
      'servers.yml',
    ],
  ])('refuses %s, and says what may be behind the gate', ([, changes, file]) => {
    // Where a server is none, the service that it may use says so too.
    const found = problems(changes).filter((problem) => !problem.includes('there is no server `maps`'));
    expect(found).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${file} .*is outside the perimeter: what is behind the gate, .*is inside the enterprise`,
        ),
      ),
    ]);
  });

  test.for<readonly [unknown, RegExp]>([
    [null, /write `hosts: \[...\]`/],
    [{}, /write `hosts: \[...\]`/],
    [[], /write `hosts: \[...\]`/],
    ['maps.example.com', /write a map here/],
    [{ hosts: 'maps.example.com' }, /write a list here/],
    [{ host: [] }, /unknown key `host`/],
    ...[
      'https://maps.example.com',
      'maps.example.com:443',
      'maps.example.com/mcp',
      '*',
      '*.',
      'maps.*',
      '',
    ].map((host) => [{ hosts: [...hosts, host] }, /write a (?:host name|text)/] as const),
    ...['**.example.com', 'a*.example.com', '.example.com', 'maps.example.com.', 'a b', 'é.example.com'].map(
      (host) => [{ hosts: [...hosts, host] }, /write a host name/] as const,
    ),
    ...['10.1.2.3', '[fd12::1]', 'fd12::1', '127.1', '0x7f000001'].map(
      (host) => [{ hosts: [...hosts, host] }, /an address belongs to `networks`/] as const,
    ),
    ...['10.0.0.0', '10.0.0.0/33', 'example.com/24', '10.0.0.0-10.0.0.9', '', '/8'].map(
      (network) => [{ hosts, networks: [network] }, /write a (?:network|text)/] as const,
    ),
    [{ hosts, networks: ['10.20.3.4/16'] }, /this network is written 10\.20\.0\.0\/16/],
    [{ hosts, networks: ['010.0.0.0/8'] }, /this network is written 8\.0\.0\.0\/8/],
    [{ hosts, networks: ['10.1/16'] }, /this network is written 10\.0\.0\.0\/16/],
    [{ hosts, networks: ['10.0.0.0/08'] }, /this network is written 10\.0\.0\.0\/8/],
    [{ hosts, networks: ['fd12:0::/32'] }, /this network is written fd12::\/32/],
    ...[
      '0.0.0.0/0',
      '::/0',
      '169.254.0.0/16',
      'fd00:ec2::/32',
      '100.64.0.0/10',
      'fe80::/10',
      '64:ff9b::/96',
    ].map((network) => [{ hosts, networks: [network] }, /nothing is ever sent/] as const),
  ])('is not %j', ([perimeter, message]) => {
    const found = problems({ perimeter });
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((problem) => problem.startsWith('servers.yml')).join('\n')).toMatch(message);
  });
});
