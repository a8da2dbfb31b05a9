import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import type { ClientEntry } from '../../../functions/core/policy.ts';

const DOCUMENT = 'https://app.example.com/client.json';
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const EC_KEY = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'k-1', use: 'sig' };
const SECRET = { ref: 'sallyport/{stage}/clients/c' };

function compile(clients: unknown, registration?: unknown) {
  const files = {
    'scopes.yml': JSON.stringify({
      'maps/read': [{ server: 'maps', methods: ['ping'] }],
      'UI-Scopes': { admin: { manage_policy: ['all'] } },
      group_mappings: { crew: ['maps/read'] },
    }),
    'servers.yml': JSON.stringify({ servers: { maps: { url: 'https://maps.example.com/mcp' } } }),
    'clients.yml': JSON.stringify({ clients, ...(registration === undefined ? {} : { registration }) }),
  };
  return compileConfiguration(new Map(Object.entries(files)));
}

function compiled(clients: unknown, registration?: unknown) {
  const result = compile(clients, registration);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function clientOf(members: unknown, id = 'c'): ClientEntry | undefined {
  return compiled({ [id]: members }).snapshot.clients[0];
}

function problemsOf(members: unknown, id = 'c', registration?: unknown): readonly string[] {
  const result = compile({ [id]: members }, registration);
  return result.ok ? [] : result.error.map(({ message }) => message);
}

function warningsOf(members: unknown, id = 'c', registration?: unknown): readonly string[] {
  return compiled({ [id]: members }, registration).warnings.map(({ message }) => message);
}

const signer = { auth: 'private_key_jwt', grants: ['client_credentials'] };
const app = {
  auth: 'none',
  grants: ['authorization_code', 'refresh_token'],
  redirect_uris: ['http://localhost/cb', 'com.example.app:/cb'],
};

describe('a client that signs', () => {
  test('has its public keys in the file', () => {
    expect(clientOf({ ...signer, jwks: { keys: [EC_KEY] } })).toMatchObject({
      auth: 'private_key_jwt',
      secretName: '',
      jwks: [EC_KEY],
      jwksUri: undefined,
    });
  });

  test('or publishes them', () => {
    expect(clientOf({ ...signer, jwks_uri: 'https://app.example.com/jwks' })).toMatchObject({
      jwks: [],
      jwksUri: 'https://app.example.com/jwks',
      jwksUriPrivate: false,
    });
    const local = { ...signer, jwks_uri: 'http://127.0.0.1:9000/jwks', jwks_uri_private: true };
    expect(clientOf(local)).toMatchObject({ jwksUri: 'http://127.0.0.1:9000/jwks', jwksUriPrivate: true });
  });

  test.for<readonly [string, unknown, RegExp]>([
    ['no keys', {}, /write where the public keys are/],
    ['two places of keys', { jwks: { keys: [EC_KEY] }, jwks_uri: 'https://a.example/j' }, /write where/],
    ['an empty set', { jwks: { keys: [] } }, /at least one key/],
    ['a list instead of a set', { jwks: [EC_KEY] }, /write a map here/],
    [
      'a private key',
      { jwks: { keys: [ec.privateKey.export({ format: 'jwk' })] } },
      /`clients.c.jwks.keys\[0\].d`: this is a private key/,
    ],
    ['a shared key', { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, /this is a private key/],
    ['a key on another curve', { jwks: { keys: [{ ...EC_KEY, crv: 'P-384' }] } }, /this is no key for/],
    ['a point that is none', { jwks: { keys: [{ ...EC_KEY, x: EC_KEY.y }] } }, /this is no key for/],
    ['a key for encryption', { jwks: { keys: [{ ...EC_KEY, use: 'enc' }] } }, /this is no key for/],
    ['a short RSA key', { jwks: { keys: [shortKey()] } }, /this is no key for/],
    ['a secret', { jwks: { keys: [EC_KEY] }, secret: SECRET }, /has no secret/],
    [
      'keys over http',
      { jwks_uri: 'http://app.example.com/jwks' },
      /https URL, or set `jwks_uri_private: true`/,
    ],
    ['keys on loopback', { jwks_uri: 'https://127.0.0.1/jwks' }, /needs `jwks_uri_private: true`/],
    [
      'keys at a metadata service',
      { jwks_uri: 'http://169.254.169.254/j', jwks_uri_private: true },
      /refused/,
    ],
  ])('has not %s', ([, members, message]) => {
    expect(problemsOf({ ...signer, ...Object(members) })).toContainEqual(expect.stringMatching(message));
  });

  test('has keys alone: a client with a secret has none', () => {
    const found = problemsOf({ secret: SECRET, grants: ['client_credentials'], jwks: { keys: [EC_KEY] } });
    expect(found).toEqual([expect.stringMatching(/only a client with `auth: private_key_jwt` has keys/)]);
  });
});

describe('a public client', () => {
  test('acts for users', () => {
    expect(clientOf({ ...app, display_name: 'The App' })).toMatchObject({
      auth: 'none',
      secretName: '',
      displayName: 'The App',
      grants: app.grants,
      redirectUris: app.redirect_uris,
    });
    expect(warningsOf(app)).toEqual([]);
  });

  test.for(['client_credentials', 'token-exchange', 'jwt-bearer'])('never uses %s', (grant) => {
    const found = problemsOf({ ...app, grants: ['authorization_code', grant] });
    expect(found).toEqual([expect.stringMatching(/may use authorization_code and refresh_token alone/)]);
  });

  test('has no secret', () => {
    expect(problemsOf({ ...app, secret: SECRET })).toEqual([expect.stringMatching(/has no secret/)]);
  });
});

test('a redirect URI has the form of one', () => {
  const found = problemsOf({
    ...app,
    redirect_uris: ['https://app.example.com/cb', 'http://app.example.com/cb'],
  });
  expect(found).toEqual([expect.stringMatching(/^`clients.c.redirect_uris\[1\]`: write https; http is for/)]);
});

test('namespaces of runs have the form of one', () => {
  const found = problemsOf({ secret: SECRET, run_namespaces: ['proj-a', 'a#b', ''] });
  expect(found).toEqual([
    expect.stringMatching(/run_namespaces\[1\]`: a namespace has/),
    expect.stringMatching(/run_namespaces\[2\]`: write a text/),
  ]);
});

test('whose tokens may be exchanged is somebody in the file', () => {
  const exchanging = { secret: SECRET, grants: ['token-exchange'], exchange_from: ['d'] };
  const other = { secret: SECRET, grants: ['client_credentials'] };
  expect(compiled({ c: exchanging, d: other }).snapshot.clients[0]?.exchangeFrom).toEqual(['d']);
  expect(problemsOf(exchanging)).toEqual([expect.stringMatching(/there is no client `d` in clients.yml/)]);
});

test('that says that it gets no token of ours is not asked about it', () => {
  expect(compiled({ c: { auth: 'none', grants: [] } }).warnings).toEqual([]);
});

describe('what is valid and worth a look', () => {
  test.for<readonly [string, unknown, RegExp]>([
    ['no grant', { secret: SECRET }, /this client gets no token: write `grants`/],
    ['refreshing alone', { secret: SECRET, grants: ['refresh_token'] }, /nothing gives it a first/],
    [
      'a login that ends nowhere',
      { secret: SECRET, grants: ['authorization_code'] },
      /it has no `redirect_uris`/,
    ],
    [
      'an address that no code is sent to',
      { secret: SECRET, grants: ['client_credentials'], redirect_uris: ['https://a.example/'] },
      /no code is sent there/,
    ],
    [
      'an exchange without its grant',
      { secret: SECRET, grants: ['client_credentials'], exchange_from: ['c'] },
      /nothing is exchanged/,
    ],
    [
      'limits',
      { secret: SECRET, grants: ['client_credentials'], limits: { a: 1 } },
      /granted by `limits` yet/,
    ],
  ])('%s', ([, members, message]) => {
    expect(warningsOf(members)).toEqual([expect.stringMatching(message)]);
  });
});

describe('who may be a client without an entry', () => {
  test('clients with a document, with every server scope, where nothing is said', () => {
    expect(compiled({}).snapshot.registration).toEqual({
      metadataDocuments: true,
      dynamic: false,
      scopes: ['maps/read'],
      hosts: [],
      allowPrivate: false,
    });
  });

  test('whom the section names', () => {
    const section = {
      metadata_documents: false,
      dynamic: true,
      scopes: ['admin', 'runs/issue'],
      hosts: ['app.example.com', 'localhost:4443', '[2001:db8::1]'],
      private: true,
    };
    const { snapshot, warnings } = compiled({}, section);
    expect(snapshot.registration).toEqual({
      metadataDocuments: false,
      dynamic: true,
      scopes: ['admin', 'runs/issue'],
      hosts: ['app.example.com', 'localhost:4443', '[2001:db8::1]'],
      allowPrivate: true,
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/anybody can register/),
      expect.stringMatching(/for one machine alone/),
    ]);
  });

  test.for<readonly [unknown, RegExp]>([
    [{ open: true }, /unknown key `open`/],
    [{ dynamic: 'yes' }, /write true or false/],
    [{ scopes: ['maps/write'] }, /there is no scope `maps\/write`/],
    [{ scopes: 'maps/read' }, /write a list here/],
    [{ hosts: [] }, /name a host, or leave the key out/],
    ...[
      'https://app.example.com',
      'app.example.com/x',
      'App.example.com',
      '*.example.com',
      'a b',
      'a:443',
      '1',
    ].map((host): readonly [unknown, RegExp] => [{ hosts: [host] }, /write a host in lower case/]),
    [true, /write a map here/],
  ])('%j is refused', ([section, message]) => {
    const result = compile({}, section);
    expect(result.ok ? [] : result.error.map((problem) => problem.message)).toEqual([
      expect.stringMatching(message),
    ]);
  });
});

test('a client may make as many tokens in an hour as its entry says; functions that know no such entry refuse the policy', () => {
  expect(clientOf({ ...app, tokens_per_hour: 3 })).toMatchObject({ vendedPerHour: 3 });
  expect(clientOf({ ...app })).not.toHaveProperty('vendedPerHour');
  const formatOf = (members: unknown) => compiled({ c: members }).snapshot.format;
  expect([formatOf({ ...app, tokens_per_hour: 3 }), formatOf({ ...app })]).toEqual([2, 1]);
});

describe('an entry for an open client', () => {
  test('bounds it', () => {
    const members = { display_name: 'App', scopes: ['admin'], audience: 'gateway', token_ttl: 300 };
    expect(clientOf(members, DOCUMENT)).toMatchObject({
      id: DOCUMENT,
      org: 'default',
      displayName: 'App',
      auth: 'none',
      grants: ['authorization_code', 'refresh_token'],
      scopes: ['admin'],
      audience: 'gateway',
      tokenTtlSeconds: 300,
      disabled: false,
    });
    expect(warningsOf(members, DOCUMENT)).toEqual([]);
  });

  test('gives what they all may have where it says nothing, or disables', () => {
    expect(clientOf({}, DOCUMENT)?.scopes).toEqual(['maps/read']);
    expect(clientOf({ scopes: [] }, DOCUMENT)?.scopes).toEqual([]);
    expect(clientOf({ disabled: true }, 'dyn.abc')).toMatchObject({ id: 'dyn.abc', disabled: true });
    expect(warningsOf({ disabled: true }, 'dyn.abc')).toEqual([]);
  });

  test('says nothing of what the client itself says', () => {
    for (const key of ['auth', 'secret', 'redirect_uris', 'jwks_uri', 'grants', 'groups', 'namespace']) {
      expect(problemsOf({ [key]: 'x' }, DOCUMENT)).toEqual([expect.stringMatching(`unknown key \`${key}\``)]);
    }
  });

  test('is worth a look where its client is not admitted', () => {
    const message = [expect.stringMatching(/`registration` does not admit it/)];
    expect(warningsOf({}, 'dyn.abc')).toEqual(message);
    expect(warningsOf({}, DOCUMENT, { hosts: ['other.example.com'] })).toEqual(message);
  });

  test.for([
    'http://app.example.com/c',
    'https://app.example.com',
    'https://app.example.com/c#x',
    'HTTPS://a.b/c',
  ])('is for a URL that can be one: %s is not', (id) => {
    expect(problemsOf({}, id)).toEqual([
      expect.stringMatching(/this client id is no URL of a metadata document/),
    ]);
  });
});

function shortKey(): unknown {
  return generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
}
