import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';

type Entry = Readonly<Record<string, unknown>>;

const SERVER = { url: 'https://maps.example.com/mcp' };
const SERVICE = {
  url: 'https://api.example.com/',
  used_by: ['maps'],
  allow: [{ method: 'GET', path: '/v2/**' }],
};

/** What is wrong with a configuration of one server and one service. */
function problems({ server = {}, service = {} }: { server?: Entry; service?: Entry }): readonly string[] {
  const files = {
    'servers.yml': { servers: { maps: { ...SERVER, ...server } } },
    'services.yml': { services: { api: { ...SERVICE, ...service } } },
    'scopes.yml': { 'maps/use': [{ server: 'maps', methods: ['ping'] }] },
    'clients.yml': {},
  };
  const texts = new Map(Object.entries(files).map(([name, file]) => [name, JSON.stringify(file)] as const));
  const compiled = compileConfiguration(texts);
  return compiled.ok ? [] : compiled.error.map(({ file, message }) => `${file} ${message}`);
}

test('a plain server and a plain service have nothing wrong', () => {
  expect(problems({})).toEqual([]);
});

describe('a header may not be listed to travel', () => {
  test.for([
    ...['X-User-Pool-Id', 'X-Client-Id', 'X-Region'],
    ...['X-User', 'X-Username', 'X-Scopes', 'X-Groups', 'X-Auth-Method', 'X-Server-Name', 'X-Tool-Name'],
    ...['X-Org-Id', 'X-Real-IP', 'X-Internal-Token', 'X-Internal-Token-Registry', 'X-Validate-Source-Secret'],
    ...['X-Sallyport-Edge', 'X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'],
    ...['X-Original-URL', 'X-Rewrite-URL', 'X-Upstream-Url', 'Mcp-Session-Id', 'Expect', 'Upgrade'],
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
