import type { KMSClient } from '@aws-sdk/client-kms';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { createAuditLog } from '../functions/aws/audit-log.ts';
import { createContextTables } from '../functions/aws/context-tables.ts';
import { createDataKeys } from '../functions/aws/data-keys.ts';
import type { Dynamo } from '../functions/aws/dynamodb.ts';
import { createRevocationStore } from '../functions/aws/revocations.ts';
import { createSecretStore } from '../functions/aws/secrets.ts';
import { createUpstream } from '../functions/aws/upstream.ts';
import type { AuditRecord } from '../functions/core/audit.ts';
import { Caller } from '../functions/core/caller.ts';
import type { OAuthClient } from '../functions/core/oauth-client.ts';
import type { Counter, RecordStore, Upstream } from '../functions/core/ports.ts';
import { err, ok } from '../functions/core/result.ts';
import { Secret } from '../functions/core/secret.ts';
import { createClientDocuments } from '../functions/handlers/client-metadata-document.ts';
import { createRenewal } from '../functions/handlers/connections/renewal.ts';
import { createTokenLooks } from '../functions/handlers/connections/token-looks.ts';
import type { Opened, Vault } from '../functions/handlers/connections/vault.ts';
import { createOAuthTokens } from '../functions/handlers/credentials/oauth-tokens.ts';
import { createCredentials } from '../functions/handlers/credentials.ts';
import { createForeignKeys } from '../functions/handlers/foreign-keys.ts';
import { ingressOver } from './support/ingress.ts';
import { identityProvider } from './support/logins.ts';
import { NO_CONNECTIONS } from './support/no-connections.ts';
import { clientEntry, policyOf, serverEntry } from './support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from './support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from './support/token-ports.ts';

const issuer = new TestIssuer();
const clock = () => NOW_SECONDS;
const ORGS = ['acme', 'beta'] as const;
const CLIENTS = ['courier', 'second'] as const;
const policy = policyOf({
  groups: [['staff', ['a', 'b']]],
  idps: ORGS.map((org) => identityProvider(org, { org })),
  clients: ORGS.flatMap((org) =>
    CLIENTS.map((id) => clientEntry(`${org}-${id}`, { org, scopes: ['a', 'b'] })),
  ),
});

/** Makes a part, and tells what it keeps: every map that it made for itself. */
function keeping<T>(make: () => T): {
  readonly part: T;
  readonly kept: readonly ReadonlyMap<unknown, unknown>[];
} {
  const kept: Map<unknown, unknown>[] = [];
  const Plain = globalThis.Map;
  class Kept<K, V> extends Plain<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      kept.push(this);
    }
  }
  Reflect.set(globalThis, 'Map', Kept);
  try {
    return { part: make(), kept };
  } finally {
    Reflect.set(globalThis, 'Map', Plain);
  }
}

/** A part that keeps something for a caller, asked for what belongs to caller or thing number `index`. */
type Keeper = {
  readonly name: string;
  readonly bound: number;
  readonly make: () => {
    readonly kept: readonly ReadonlyMap<unknown, unknown>[];
    readonly ask: (index: number) => Promise<unknown>;
  };
};

const KEEPERS: readonly Keeper[] = [
  {
    name: 'createAuditLog: heads of chains',
    bound: 200,
    make: () => {
      const options = { table: 'audit', retentionDays: 1, randomId: () => 'c' };
      const { part, kept } = keeping(() => createAuditLog(EMPTY_TABLE, options));
      return { kept, ask: (index) => part.write(recordOf(`org-${index}`)) };
    },
  },
  {
    name: 'createContextTables: sessions at the table',
    bound: 256,
    make: () => {
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' };
      const expiration = new Date((NOW_SECONDS + 3_600) * 1_000);
      const assumeRole = async () => ok({ ...credentials, expiration });
      const options = { tableName: 'context', roleArn: 'role', assumeRole, clock };
      const { part, kept } = keeping(() => createContextTables(options));
      // Its own two come first; the SDK makes others for itself.
      return { kept: kept.slice(0, 2), ask: (index) => part({ orgId: 'acme', namespace: `n${index}` }) };
    },
  },
  {
    name: 'createIngress: tokens that were verified',
    bound: 2_000,
    make: () => {
      const { part, kept } = keeping(() => ingressOver({ policy, keys: issuer.keys }, clock));
      const ask = (index: number) => {
        const authorization = `Bearer ${tokenOf({ jti: `j-${index}` })}`;
        return part.authenticate(new Headers({ authorization }), { kind: 'egress' }, ORIGIN);
      };
      return { kept, ask };
    },
  },
  {
    name: 'createCredentials: identity tokens',
    bound: 2_000,
    make: () => {
      const { part, kept } = keeping(createSignedCredentials);
      const caller = callerOf({});
      return { kept, ask: (index) => putOn(part, caller, `https://server-${index}.example.com/mcp`) };
    },
  },
  {
    name: 'createOAuthTokens: tokens of token endpoints',
    bound: 500,
    make: () => {
      const { part, kept } = keeping(() =>
        createOAuthTokens({ upstream: TOKEN_ENDPOINT, now: () => NOW_SECONDS * 1000, randomId: () => 's' }),
      );
      const ask = (index: number) =>
        part.get({
          name: `secret-${index}`,
          versionId: '1',
          client: OAUTH_CLIENT,
          allowPrivate: false,
          allowLoopback: false,
          perimeter: undefined,
          refused: undefined,
        });
      return { kept: kept.slice(0, 1), ask };
    },
  },
  {
    name: 'createDataKeys: keys of connections',
    bound: 500,
    make: () => {
      const { part, kept } = keeping(() => createDataKeys(UNWRAPPING, 'key', () => 0));
      const ask = (index: number) =>
        part.unwrap('wrapped', { org: 'acme', subject: `idp:user-${index}`, provider: 'carrier' });
      return { kept, ask };
    },
  },
  {
    name: 'createTokenLooks: whether tokens are refused',
    bound: 500,
    make: () => {
      const ports = { now: () => 0, upstream: TOKEN_ENDPOINT };
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: nothing else is looked at
      const { part, kept } = keeping(() => createTokenLooks(ports as never));
      const ask = (index: number) => {
        const owner = { orgId: 'acme', subject: `idp:user-${index}` };
        // biome-ignore lint/nursery/noUnsafeTypeAssertion: nothing else is looked at
        const provider = { name: 'p', private: false, sitesUrl: 'https://p.example.com/sites' } as never;
        return part({ owner, provider }, OPENED.vaulted);
      };
      return { kept, ask };
    },
  },
  {
    name: 'createRevocationStore: what was looked up',
    bound: 10_000,
    make: () => {
      const { part, kept } = keeping(() => createRevocationStore(EMPTY_TABLE, 'auth', clock));
      return { kept, ask: (index) => part.isRevoked(revocable({ jti: `j-${index}` })) };
    },
  },
  {
    name: 'createSecretStore: values',
    bound: 500,
    make: () => {
      const { part, kept } = keeping(() => createSecretStore(secretsManager('there'), clock));
      return { kept, ask: (index) => part.read(`secret-${index}`, { fresh: true }) };
    },
  },
  {
    name: 'createSecretStore: absences',
    bound: 500,
    make: () => {
      const { part, kept } = keeping(() => createSecretStore(secretsManager('missing'), clock));
      return { kept, ask: (index) => part.read(`secret-${index}`, { fresh: true }) };
    },
  },
  {
    name: 'createUpstream: connections',
    bound: 200,
    make: () => {
      const { part, kept } = keeping(createUpstream);
      return { kept, ask: (index) => part.send(refusedRequest(`caller-${index}`)) };
    },
  },
  {
    name: 'createForeignKeys: key sets',
    bound: 500,
    make: () => {
      const upstream = { send: async () => err({ reason: 'unreachable', detail: 'no' } as const) };
      const { part, kept } = keeping(() => createForeignKeys({ upstream, clock }));
      const ask = (index: number) =>
        part.find(`https://idp-${index}.example.com/jwks`, undefined, { allowPrivate: false });
      return { kept, ask };
    },
  },
  {
    name: 'createClientDocuments: documents',
    bound: 500,
    make: () => {
      const { part, kept } = keeping(() =>
        createClientDocuments({
          upstream: DOCUMENT_HOST,
          records: NO_RECORDS,
          counter: NO_COUNTS,
          now: () => 0,
          log: () => {},
        }),
      );
      const ask = (index: number) =>
        part.read(`https://app-${index}.example.com/client`, { allowPrivate: false, sourceIp: '192.0.2.1' });
      return { kept, ask };
    },
  },
];

describe('what an environment keeps is bounded', () => {
  test.for(KEEPERS)('$name', async ({ bound, make }) => {
    const { kept, ask } = make();
    let most = 0;
    for (let index = 0; index < bound + 100; index += 1) {
      await ask(index);
      most = Math.max(most, ...kept.map(({ size }) => size));
    }
    expect(most).toBe(bound);
  });

  test.for(KEEPERS)('$name, once for each and no more', async ({ make }) => {
    const { kept, ask } = make();
    for (const index of [1, 2, 1, 2, 1]) await ask(index);
    expect(Math.max(...kept.map(({ size }) => size))).toBe(2);
  });
});

test('a refresh is kept while it is under way, one for each connection, and not a moment longer', async () => {
  const go = Promise.withResolvers<void>();
  const vault: Pick<Vault, 'note' | 'read'> = {
    async note() {
      await go.promise;
      return err({ reason: 'unavailable', detail: 'a test’s outage' });
    },
    read: async () => ok(OPENED),
  };
  const ports = { now: () => 0, randomBytes: () => new Uint8Array(12) };
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what gets no lease needs none of the other ports
  const { part, kept } = keeping(() => createRenewal(ports as never, vault as never));
  const asked = [1, 2, 1, 2, 1].map((index) =>
    part(
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: who gets no lease asks no provider
      { place: { owner: { orgId: 'acme', subject: `u-${index}` }, provider: 'p' }, provider: {} as never },
      OPENED,
      'now',
    ),
  );
  expect(kept.map(({ size }) => size)).toEqual([2]);
  go.resolve();
  await Promise.all(asked);
  expect(kept.map(({ size }) => size)).toEqual([0]);
});

/** Callers that are one another but for one thing. */
const APART: readonly (readonly [what: string, first: Claims, second: Claims])[] = [
  ['organisation', { org_id: 'acme' }, { org_id: 'beta', client_id: 'beta-courier', sub: 'beta:ann' }],
  ['client', {}, { client_id: 'acme-second' }],
  ['subject', { sub: 'acme:ann' }, { sub: 'acme:bob' }],
  ['token', { jti: 'j-1' }, { jti: 'j-2' }],
];

describe('callers apart by their', () => {
  test.for(APART)('%s have nothing of what is kept in common', async ([, first, second]) => {
    const identities = keeping(createSignedCredentials);
    const tokens = await Promise.all(
      [first, second].map((claims) => putOn(identities.part, callerOf(claims), 'https://a.example.com/mcp')),
    );
    expect(Math.max(...identities.kept.map(({ size }) => size))).toBe(2);
    expect(new Set(tokens).size).toBe(2);

    const revocations = keeping(() => createRevocationStore(EMPTY_TABLE, 'auth', clock));
    for (const claims of [first, second]) await revocations.part.isRevoked(callerOf(claims));
    expect(revocations.kept.map(({ size }) => size)).toEqual([2]);
  });

  test('scopes have no identity token in common', async () => {
    const { part } = keeping(createSignedCredentials);
    const url = 'https://a.example.com/mcp';
    expect(await putOn(part, callerOf({ scope: 'a' }), url)).not.toBe(
      await putOn(part, callerOf({ scope: 'a b' }), url),
    );
  });

  test('isolation key have no connections in common', async () => {
    const { part, kept } = keeping(createUpstream);
    for (const key of ['a', 'b']) await part.send(refusedRequest(key));
    expect(kept.map(({ size }) => size)).toEqual([2]);
  });
});

test('no key of what is kept holds a token or a secret', async () => {
  const ingress = KEEPERS.find(({ name }) => name.startsWith('createIngress'))?.make();
  await ingress?.ask(1);
  const keys = (ingress?.kept ?? []).flatMap((map) => [...map.keys()]);
  expect(keys).toHaveLength(1);
  const [, , signature = ''] = tokenOf({ jti: 'j-1' }).split('.');
  expect(JSON.stringify(keys)).not.toContain(signature);
});

const OAUTH_CLIENT: OAuthClient = {
  tokenUrl: 'https://auth.example.com/token',
  clientId: 'c',
  auth: { method: 'client_secret_post', secret: new Secret('s') },
  parameters: [],
};

const TOKEN_ENDPOINT: Upstream = {
  send: async () =>
    ok({
      status: 200,
      headers: new Map(),
      body: new Blob(['{"access_token":"t","token_type":"bearer"}']).stream(),
    }),
};

/** Answers every URL with the document of a client of that id. */
const DOCUMENT_HOST: Upstream = {
  send: async ({ url }) => {
    const document = { client_id: url.href, redirect_uris: ['https://app.example.com/cb'] };
    const headers = new Map([['content-type', 'application/json']]);
    return ok({ status: 200, headers, body: new Blob([JSON.stringify(document)]).stream() });
  },
};

/** A counter that never has enough. */
const NO_COUNTS: Counter = {
  count: () => Promise.resolve(ok(undefined)),
  read: () => Promise.resolve(ok(0)),
};

const NO_RECORDS: RecordStore = {
  create: async () => ok(undefined),
  read: async () => ok(undefined),
  replace: async () => ok(undefined),
};

function recordOf(orgId: string): AuditRecord {
  return {
    ts: '2026-11-21T10:00:00.000Z',
    request_id: 'r-1',
    event: 'decision',
    area: 'access',
    decision: 'allow',
    reason: 'a',
    org_id: orgId,
  };
}

type Claims = Readonly<Record<string, unknown>>;

function claimsOf(claims: Claims): Claims {
  return { client_id: 'acme-courier', sub: 'acme:ann', groups: ['staff'], scope: 'a b', ...claims };
}

function tokenOf(claims: Claims): string {
  return issuer.accessToken(claimsOf(claims));
}

function callerOf(claims: Claims): Caller {
  const caller = Caller.fromToken(issuer.verified(claimsOf(claims)), policy);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  return caller.value;
}

function revocable({ jti }: { readonly jti: string }) {
  const times = { issuedAtSeconds: NOW_SECONDS, expiresAtSeconds: NOW_SECONDS + 300 };
  return { orgId: 'acme', clientId: 'courier', subject: 'idp:ann', jti, ...times };
}

/** Signs with what was signed, so that two tokens are the same where they say the same. */
function createSignedCredentials() {
  return createCredentials({
    ...NO_CONNECTIONS,
    ...NO_TOKEN_ENDPOINT,
    secrets: { read: async () => err({ reason: 'missing', detail: 'none' }) },
    identityKey: {
      publicKey: async () => ok(issuer.identity.published),
      sign: async (signingInput) => ok(Buffer.from(signingInput).toString('base64url')),
    },
    stage: 'test',
    now: () => NOW_SECONDS * 1000,
  });
}

async function putOn(
  credentials: ReturnType<typeof createCredentials>,
  caller: Caller,
  url: string,
): Promise<string | undefined> {
  const target = serverEntry('a', { url, egress: { mode: 'identity', key: 'client', fallback: 'none' } });
  const headers = new Map<string, string>();
  const context = { origin: ORIGIN, callerAuthorization: null, refused: undefined };
  await credentials.put({ caller, target, outgoing: { url: new URL(url), headers }, ...context });
  return headers.get('authorization');
}

// biome-ignore lint/nursery/noUnsafeTypeAssertion: of the client, data keys need `send` alone
const UNWRAPPING = { send: async () => ({ Plaintext: new Uint8Array(32) }) } as unknown as KMSClient;

const OPENED: Opened = {
  vaulted: {
    consentId: 'c',
    generation: 1,
    status: 'active',
    accessToken: new Secret('a'),
    refreshToken: new Secret('r'),
    expiresAtSeconds: 1,
    granted: [],
    asked: [],
    account: undefined,
    cloudIds: [],
    connectedAtSeconds: 0,
    refreshedAtSeconds: 0,
  },
  envelope: { wrappedKey: 'w', sealed: 's' },
  record: { text: '', revision: 1, expiresAtSeconds: 1 },
};

const EMPTY_TABLE: Dynamo = { call: async () => ok({ Responses: { auth: [] } }) };

function secretsManager(answer: 'there' | 'missing'): SecretsManagerClient {
  const send = async () => {
    if (answer === 'there') return { SecretString: 'a', VersionId: '1' };
    const error = new Error('no');
    error.name = 'ResourceNotFoundException';
    throw error;
  };
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: of the client, the store calls `send` alone
  return { send } as unknown as SecretsManagerClient;
}

/** To an address that is refused before anything connects. */
function refusedRequest(isolationKey: string) {
  const { timeout } = serverEntry('a');
  return {
    url: new URL('http://127.0.0.1:1/'),
    method: 'GET',
    headers: new Map(),
    body: undefined,
    allowPrivate: false,
    isolationKey,
    timeout,
    signal: new AbortController().signal,
  };
}
