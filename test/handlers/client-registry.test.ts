import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CLOSED_REGISTRATION, type Registration } from '../../functions/core/open-client.ts';
import type { Policy, Snapshot } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { assertionForm } from '../support/assertions.ts';
import { makeEcKey } from '../support/foreign-issuer.ts';
import { answerOf, authorizeUrl, type LoginApp, startLoginApp, VERIFIER } from '../support/login-app.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const REDIRECT = 'http://127.0.0.1/callback';
const RESOURCE = `${ORIGIN}/maps/mcp`;
const OPEN: Registration = {
  ...CLOSED_REGISTRATION,
  metadataDocuments: true,
  dynamic: true,
  scopes: ['maps/read'],
  allowPrivate: true,
};
const key = makeEcKey();

let login: LoginApp;
let host: RecordingServer;
let policy: Policy;
/** What the documents say beside the least that one says; a test may change it. */
let document: object;

const METADATA = {
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  client_name: 'Field Notes',
};

beforeAll(async () => {
  host = await startRecordingServer((request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ client_id: host.origin + request.url, ...METADATA, ...document }));
  });
  login = await startLoginApp(() => ({ registration: OPEN }));
  Object.assign(login.app.ports.rulebook, {
    read: () => Promise.resolve(ok({ policy, keys: login.app.issuer.keys })),
  });
});
afterAll(async () => {
  await login?.close();
  await host?.close();
});

beforeEach(() => {
  document = {};
  login.app.nowSeconds = NOW_SECONDS;
  apply({});
});

/** What runs from now on. */
function apply(changes: Partial<Snapshot>): void {
  policy = policyOf({ ...login.parts, ...changes });
}

const documentId = () => `${host.origin}/clients/${crypto.randomUUID()}.json`;

async function registeredId(): Promise<string> {
  const response = await login.app.fetch('/oauth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...METADATA, ...document }),
  });
  return JSON.parse(await response.text()).client_id;
}

/** Consent, login and back; the answer that the client gets, at another port than the registered one. */
function logIn(clientId: string) {
  const redirect_uri = 'http://127.0.0.1:49152/callback';
  return login.login(login.agent(), { client_id: clientId, redirect_uri, scope: undefined });
}

async function redeem(clientId: string, code: string, proof: Readonly<Record<string, string>> = {}) {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: 'http://127.0.0.1:49152/callback',
    code_verifier: VERIFIER,
    resource: RESOURCE,
    client_id: clientId,
    ...proof,
  };
  const response = await login.app.post('/oauth/token', form);
  return { status: response.status, ...JSON.parse(await response.text()) };
}

async function refresh(clientId: string, token: string) {
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: clientId };
  const response = await login.app.post('/oauth/token', form);
  return { status: response.status, ...JSON.parse(await response.text()) };
}

async function admitted(token: string) {
  const headers = new Headers({ authorization: `Bearer ${token}` });
  const admission = await login.app.ports.ingress.authenticate(
    headers,
    { kind: 'mcp', server: 'maps' },
    ORIGIN,
  );
  return admission.ok ? admission.value.caller : admission.error.reason;
}

test.for<readonly [string, Partial<Registration>, RegExp]>([
  [
    'whose document would be on this machine',
    { allowPrivate: false },
    /http on this machine takes `private: true`/,
  ],
  ['of a class that is not admitted', { metadataDocuments: false }, /does not admit it/],
])('a client %s is nobody, and the log says why', async ([, changes, detail]) => {
  apply({ registration: { ...OPEN, ...changes } });
  const lines: Readonly<Record<string, unknown>>[] = [];
  const { log } = login.app.ports;
  Object.assign(login.app.ports, { log: (line: (typeof lines)[number]) => lines.push(line) });
  onTestFinished(() => void Object.assign(login.app.ports, { log }));
  const id = documentId();
  const page = await login.agent().open(authorizeUrl({ client_id: id, redirect_uri: REDIRECT }));
  expect(page.status).toBe(400);
  expect(lines).toEqual([
    { level: 'warn', event: 'client_document_refused', client_id: id, detail: expect.stringMatching(detail) },
  ]);
});

test('a client that registered itself for some scopes asks for no others', async () => {
  apply({ registration: { ...OPEN, scopes: ['maps/read', 'maps/execute'] } });
  document = { scope: 'maps/execute admin' };
  const { code = '' } = answerOf(await logIn(await registeredId()));
  expect(code).not.toBe('');
  const stored = await login.storedCode(`https://x.example/?code=${encodeURIComponent(code)}`);
  expect(stored?.grant.scopes).toEqual(['maps/execute']);
});

describe.for([
  ['a client with a document', () => Promise.resolve(documentId())],
  ['a client that registered itself', registeredId],
] as const)('%s', ([, makeId]) => {
  test('gets a token of its user, with what such clients may have, and is let in', async () => {
    const id = await makeId();
    const { code = '' } = answerOf(await logIn(id));
    const granted = await redeem(id, code);
    expect(granted).toMatchObject({ status: 200, scope: 'maps/read', refresh_token: expect.any(String) });
    expect(await admitted(granted.access_token)).toMatchObject({
      clientId: id,
      orgId: 'acme',
      kind: 'user',
      scopes: ['maps/read'],
      isGatewayClient: false,
    });
    expect(await refresh(id, granted.refresh_token)).toMatchObject({ status: 200, scope: 'maps/read' });
  });

  test('has no token of its own, and none for every server', async () => {
    const id = await makeId();
    const own = await login.app.post('/oauth/token', { grant_type: 'client_credentials', client_id: id });
    expect([own.status, await own.json()]).toMatchObject([400, { error: 'unauthorized_client' }]);
    const asked = await login
      .agent()
      .open(authorizeUrl({ client_id: id, redirect_uri: REDIRECT, resource: ORIGIN }));
    expect([asked.status, asked.text]).toEqual([400, expect.stringContaining('<code>invalid_target</code>')]);
  });

  test('is told that its user has not allowed it', async () => {
    const id = await makeId();
    const browser = login.agent();
    const page = await browser.open(authorizeUrl({ client_id: id, redirect_uri: REDIRECT }));
    const answer = await browser.submit(page, (text) => text === 'Do not allow');
    expect(answer.url.startsWith(`${REDIRECT}?`)).toBe(true);
    expect(answerOf(answer)).toMatchObject({ error: 'access_denied', state: 'client-state' });
  });

  test('has no code sent anywhere but where it said', async () => {
    const id = await makeId();
    for (const redirect_uri of ['https://evil.example/', `${REDIRECT}/`, 'http://localhost/callback']) {
      const shown = await login.agent().open(authorizeUrl({ client_id: id, redirect_uri }));
      expect([shown.status, shown.url.startsWith(ORIGIN)]).toEqual([400, true]);
    }
  });

  test.for<readonly [string, (id: string) => Partial<Snapshot>]>([
    [
      'its class is switched off',
      () => ({ registration: { ...OPEN, metadataDocuments: false, dynamic: false } }),
    ],
    ['nobody says any more who may be a client', () => ({ registration: undefined })],
    ['its entry disables it', (id) => ({ clients: [clientEntry(id, { disabled: true })] })],
    ['its entry is another organisation’s', (id) => ({ clients: [clientEntry(id, { org: 'globex' })] })],
  ])('is nobody once %s', async ([, changes]) => {
    const id = await makeId();
    const { code = '' } = answerOf(await logIn(id));
    const { access_token: token, refresh_token: refreshToken } = await redeem(id, code);
    expect(await admitted(token)).toMatchObject({ clientId: id });
    apply(changes(id));
    expect(await admitted(token)).toMatch(/^(?:unknown_client|client_disabled|org_mismatch)$/);
    expect((await refresh(id, refreshToken)).status).not.toBe(200);
    const seen = host.seen.length;
    const shown = await login.agent().open(authorizeUrl({ client_id: documentId(), redirect_uri: REDIRECT }));
    const isOff = policy.openClient(id) === undefined;
    if (isOff) expect([shown.status, host.seen.length]).toEqual([400, seen]);
  });

  test('is bounded by an entry of its own', async () => {
    const id = await makeId();
    apply({ clients: [clientEntry(id, { grants: ['authorization_code'], scopes: ['maps/execute'] })] });
    const { code = '' } = answerOf(await logIn(id));
    const granted = await redeem(id, code);
    expect(granted).toMatchObject({ status: 200, scope: 'maps/execute' });
    expect(granted.refresh_token).toBe(undefined);
  });

  test('refreshes nothing where it did not say that it would', async () => {
    document = { grant_types: ['authorization_code'] };
    const id = await makeId();
    const { code = '' } = answerOf(await logIn(id));
    const granted = await redeem(id, code);
    expect([granted.status, granted.refresh_token]).toEqual([200, undefined]);
  });

  test('proves who it is where it said that it would', async () => {
    document = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.published] } };
    const id = await makeId();
    const { code = '' } = answerOf(await logIn(id));
    expect(await redeem(id, code)).toMatchObject({ status: 401, error: 'invalid_client' });
    const other = assertionForm(makeEcKey(), id);
    expect(await redeem(id, code, other)).toMatchObject({ status: 401, error: 'invalid_client' });
    const proof = assertionForm(key, id);
    expect(await redeem(id, code, proof)).toMatchObject({ status: 200, scope: 'maps/read' });
    expect(await redeem(id, code, proof)).toMatchObject({ status: 401, error: 'invalid_client' });
  });
});

test('a client whose document is bad is nobody, and one whose host is down cannot be asked', async () => {
  const id = documentId();
  document = { client_secret: 'x' };
  const shown = await login.agent().open(authorizeUrl({ client_id: id, redirect_uri: REDIRECT }));
  expect([shown.status, shown.headers.get('location')]).toEqual([400, null]);
  expect((await refresh(id, 'x')).status).toBe(401);
  const gone = await login.app.post('/oauth/token', {
    grant_type: 'refresh_token',
    refresh_token: 'x',
    client_id: 'https://127.0.0.1:1/client.json',
  });
  expect([gone.status, gone.headers.get('retry-after')]).toEqual([503, '2']);
});

test('a client that registered itself is nobody where its record is gone', async () => {
  const id = await registeredId();
  login.app.nowSeconds += 90 * 86_400;
  expect((await refresh(id, 'x')).status).toBe(401);
  const down = { reason: 'unavailable', detail: 'a test’s outage' } as const;
  const read = login.app.ports.records.read;
  onTestFinished(() => void Object.assign(login.app.ports.records, { read }));
  Object.assign(login.app.ports.records, {
    read: (asked: { readonly kind: string }) =>
      asked.kind === 'CLIENT' ? Promise.resolve({ ok: false, error: down }) : ok(undefined),
  });
  expect((await refresh(id, 'x')).status).toBe(503);
});

test('the consent page names the host of a document, whatever the document says', async () => {
  document = { client_name: 'Your Bank' };
  const id = documentId();
  const shown = await login.agent().open(authorizeUrl({ client_id: id, redirect_uri: REDIRECT }));
  expect(shown.status).toBe(200);
  expect(shown.text).toContain(new URL(id).host);
});
