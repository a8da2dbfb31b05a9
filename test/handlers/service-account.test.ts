import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import type { Perimeter } from '../../functions/core/perimeter-list.ts';
import type { Egress } from '../../functions/core/policy.ts';
import type { UpstreamFailure, UpstreamRequest } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { callUpstream } from '../../functions/handlers/upstream-call.ts';
import { identityProvider } from '../support/logins.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { StagedSecrets } from '../support/staged-secrets.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const policy = policyOf({
  groups: [['staff', []]],
  idps: [identityProvider('acme', { org: 'acme' })],
  clients: [clientEntry('courier'), clientEntry('beta-courier', { org: 'beta' })],
});
const OWN = 'sallyport/prod/credentials/acme/maps/client.courier';
const DEFAULT = 'sallyport/prod/credentials/acme/maps/_default';
const TOKEN_URL = 'https://auth.example.com/token';
const bearer = (token: string) => ({ type: 'bearer', token });
const oauth = (secret: string, more: object = {}) => ({
  type: 'oauth2',
  token_url: TOKEN_URL,
  client_id: 'gateway',
  client_secret: secret,
  auth: 'client_secret_post',
  ...more,
});

type Answer = { status?: number; headers?: Readonly<Record<string, string>>; body?: unknown };

/** Calls of one caller to one API, which judges the authorization; `tokenEndpoint` answers the forms that it gets. */
function connect({
  secrets,
  accepts,
  egress = {},
  isPrivate = false,
  tokenEndpoint = () => ({ status: 500 }),
  claims = {},
  perimeter,
}: {
  secrets: StagedSecrets;
  accepts: (authorization: string | undefined) => boolean;
  egress?: Partial<Egress>;
  isPrivate?: boolean;
  tokenEndpoint?: (form: URLSearchParams) => Answer | UpstreamFailure['reason'];
  claims?: Readonly<Record<string, unknown>>;
  perimeter?: Perimeter;
}) {
  const api: UpstreamRequest[] = [];
  const forms: URLSearchParams[] = [];
  const tokenRequests: UpstreamRequest[] = [];
  const logged: object[] = [];
  const time = { seconds: NOW_SECONDS };
  const policyNow = { perimeter };
  const target = serverEntry('maps', {
    url: 'https://api.example.com/mcp',
    private: isPrivate,
    egress: { mode: 'service_account', key: 'client', fallback: 'none', ...egress },
  });
  const send = async (request: UpstreamRequest) => {
    if (request.url.host === new URL(target.url).host) {
      api.push(request);
      const status = accepts(request.headers.get('authorization')) ? 200 : 401;
      return ok({ status, headers: new Map<string, string>(), body: new Blob(['x']).stream() });
    }
    const form = new URLSearchParams(Buffer.from(request.body ?? []).toString());
    tokenRequests.push(request);
    forms.push(form);
    const answer = tokenEndpoint(form);
    if (typeof answer === 'string') return err({ reason: answer, detail: 'of the client' });
    const { status = 200, headers = {}, body = {} } = answer;
    return ok({
      status,
      headers: new Map(Object.entries(headers)),
      body: new Blob([typeof body === 'string' ? body : JSON.stringify(body)]).stream(),
    });
  };
  let serial = 0;
  const unused = () => Promise.reject(new Error('not asked for here'));
  const credentials = createCredentials({
    ...NO_CONNECTIONS,
    secrets,
    identityKey: { publicKey: unused, sign: unused },
    stage: 'prod',
    now: () => time.seconds * 1000,
    upstream: { send },
    randomId: () => `serial-${++serial}`,
  });
  const verified = Caller.fromToken(issuer.verified(claims), policy);
  if (!verified.ok) throw new Error(verified.error.reason);
  const caller = verified.value;
  const call = async () => {
    const answer = await callUpstream(
      {
        credentials,
        upstream: { send },
        now: () => time.seconds * 1000,
        log: (entry) => void logged.push(entry),
      },
      {
        caller,
        target,
        method: 'POST',
        url: new URL(target.url),
        headers: new Map(),
        body: Buffer.from('{"order":1}'),
        origin: ORIGIN,
        callerAuthorization: null,
        ...policyNow,
        signal: new AbortController().signal,
        waitUntil: () => {},
        stillHolds: async () => ok(undefined),
      },
    );
    return answer.ok ? answer.value.status : answer.error;
  };
  const sent = () => api.map(({ headers }) => headers.get('authorization'));
  return { call, api, sent, forms, tokenRequests, time, policyNow, logged };
}

describe('a secret that is too short to be hidden', () => {
  const basic = { type: 'basic', username: 'somebody', password: 'seven77' };
  test.for<readonly [string, unknown, boolean]>([
    ['a token of 7 characters', bearer('seven77'), true],
    ['a token of 8 characters', bearer('eight888'), false],
    ['a password of 7 characters', basic, true],
    ['a key in the place of the user', { type: 'basic', username: 'sk-live-1', password: '' }, false],
    ['a header', { type: 'header', name: 'X-Api-Key', value: 'seven77' }, true],
  ])('%s is put on, and the operator is told once: %s', async ([, value, isTold]) => {
    const secrets = new StagedSecrets().put(OWN, value);
    const read = await secrets.read(OWN);
    const held = { read: async () => read };
    const { call, logged } = connect({ secrets: Object.assign(secrets, held), accepts: () => true });
    expect([await call(), await call()]).toEqual([200, 200]);
    const entry = { level: 'warn', event: 'weak_credential', detail: expect.stringContaining(OWN) };
    expect(logged).toEqual(isTold ? [entry] : []);
    expect(JSON.stringify(logged)).not.toContain('seven77');
  });
});

describe('a secret that the upstream refuses', () => {
  test('is replaced by the one that is current by then, with the same body, once', async () => {
    const secrets = new StagedSecrets().put(OWN, bearer('old'));
    const { call, sent, api } = connect({
      secrets,
      accepts(authorization) {
        secrets.put(OWN, bearer('new'));
        return authorization === 'Bearer new';
      },
    });
    expect(await call()).toBe(200);
    expect(sent()).toEqual(['Bearer old', 'Bearer new']);
    expect(api.map(({ body }) => Buffer.from(body ?? []).toString())).toEqual(['{"order":1}', '{"order":1}']);
  });

  test.for([2, 3])('is replaced also where the staged one is promoted right before look %i', async (at) => {
    const secrets = new StagedSecrets().put(OWN, bearer('old')).put(OWN, bearer('next'), 'AWSPENDING');
    const { read } = secrets;
    secrets.read = async (name, options) => {
      if (secrets.asked.length === at - 1) {
        secrets.promote(OWN);
        secrets.drop(OWN, 'AWSPENDING');
      }
      return read(name, options);
    };
    const { call, sent } = connect({ secrets, accepts: (authorization) => authorization === 'Bearer next' });
    expect(await call()).toBe(200);
    expect(sent()).toEqual(['Bearer old', 'Bearer next']);
  });

  test('is replaced by the one that a rotation has staged, where there is none newer', async () => {
    const secrets = new StagedSecrets().put(OWN, bearer('old')).put(OWN, bearer('next'), 'AWSPENDING');
    const { call, sent } = connect({ secrets, accepts: (sent) => sent === 'Bearer next' });
    expect(await call()).toBe(200);
    expect(sent()).toEqual(['Bearer old', 'Bearer next']);
    secrets.promote(OWN);
    expect(await call()).toBe(200);
    expect(sent().slice(2)).toEqual(['Bearer next']);
  });

  test.for<readonly [string, (secrets: StagedSecrets) => unknown]>([
    ['nothing is staged', () => {}],
    ['what is staged is current', (secrets) => secrets.put(OWN, bearer('n'), 'AWSPENDING').promote(OWN)],
    ['what is staged is no credential', (secrets) => secrets.put(OWN, 'junk', 'AWSPENDING')],
  ])('stands where %s: the 401 is the answer, of one request', async ([, prepare]) => {
    const secrets = new StagedSecrets().put(OWN, bearer('old'));
    prepare(secrets);
    const { call, sent } = connect({ secrets, accepts: () => false });
    expect(await call()).toBe(401);
    expect(sent()).toHaveLength(1);
  });

  test('is tried in no third version: the second 401 is the answer', async () => {
    const secrets = new StagedSecrets().put(OWN, bearer('old')).put(OWN, bearer('next'), 'AWSPENDING');
    const { call, sent } = connect({ secrets, accepts: () => false });
    expect(await call()).toBe(401);
    expect(sent()).toHaveLength(2);
  });

  test('that may not be read any more is a denial, and not the 401', async () => {
    const secrets = new StagedSecrets().put(OWN, bearer('old'));
    const { call } = connect({
      secrets,
      accepts() {
        secrets.refuse(OWN, 'denied');
        return false;
      },
    });
    expect(await call()).toMatchObject({ reason: 'missing_credential' });
  });
});

describe('whose secret it is', () => {
  const both = () => new StagedSecrets().put(DEFAULT, bearer('shared')).put(OWN, bearer('own'));
  const all = () => true;

  test.for<readonly [string, Partial<Egress>, Readonly<Record<string, unknown>>, string]>([
    ['the agent’s own', {}, {}, 'AWSCURRENT acme/maps/client.courier'],
    [
      'the agent’s, for its user',
      {},
      { sub: 'acme:ann', groups: ['staff'] },
      'AWSCURRENT acme/maps/client.courier',
    ],
    [
      'the user’s',
      { key: 'user' },
      { sub: 'acme:ann', groups: ['staff'] },
      `AWSCURRENT acme/maps/user.b64.${btoa('acme:ann')}`,
    ],
    [
      'that of its own organisation',
      {},
      { org_id: 'beta', client_id: 'beta-courier', sub: 'beta-courier' },
      'AWSCURRENT beta/maps/client.beta-courier',
    ],
  ])('%s', async ([, egress, claims, name]) => {
    const secrets = both();
    await connect({ secrets, accepts: all, egress, claims }).call();
    expect(secrets.asked).toEqual([name.replace(/=+$/, '')]);
  });

  test('a shared one stands in only where the entry says so', async () => {
    const secrets = new StagedSecrets().put(DEFAULT, bearer('shared'));
    const without = connect({ secrets, accepts: all });
    expect(await without.call()).toEqual({
      reason: 'missing_credential',
      detail: `create the secret \`${OWN}\``,
    });
    expect(without.api).toEqual([]);
    const withFallback = connect({ secrets, accepts: all, egress: { fallback: 'default' } });
    expect(await withFallback.call()).toBe(200);
    expect(withFallback.sent()).toEqual(['Bearer shared']);
  });

  test.for(['denied', 'unavailable'] as const)('a shared one stands in for none that is %s', async (why) => {
    const secrets = both().refuse(OWN, why);
    const { call, api } = connect({ secrets, accepts: all, egress: { fallback: 'default' } });
    expect(await call()).toMatchObject({
      reason: why === 'denied' ? 'missing_credential' : 'unavailable',
    });
    expect(api).toEqual([]);
  });

  test('where neither is there, its own is what is asked for', async () => {
    const { call } = connect({
      secrets: new StagedSecrets(),
      accepts: all,
      egress: { fallback: 'default' },
    });
    expect(await call()).toMatchObject({ detail: `create the secret \`${OWN}\`` });
  });

  test('a shared one is rotated as any other', async () => {
    const secrets = new StagedSecrets()
      .put(DEFAULT, bearer('old'))
      .put(DEFAULT, bearer('next'), 'AWSPENDING');
    const { call, sent } = connect({
      secrets,
      accepts: (sent) => sent === 'Bearer next',
      egress: { fallback: 'default' },
    });
    expect(await call()).toBe(200);
    expect(sent()).toEqual(['Bearer old', 'Bearer next']);
  });

  test('a value that is no credential is a denial that does not repeat it', async () => {
    const { call, api } = connect({ secrets: new StagedSecrets().put(OWN, 'sk-live-junk'), accepts: all });
    const denial = await call();
    expect(denial).toMatchObject({ reason: 'missing_credential' });
    expect(JSON.stringify(denial)).not.toContain('sk-live');
    expect(api).toEqual([]);
  });
});

test.for<readonly [string, boolean]>([
  ['https://api.example.com/mcp', true],
  ['https://api.example.com', true],
  ['https://api.example.com/', true],
  ['https://api.example.com:443/mcp/', true],
  ['http://api.example.com/mcp', false],
  ['https://api.example.com:8443/mcp', false],
  ['https://api.example.org/mcp', false],
  ['https://old.example.com/mcp', false],
  ['https://api.example.com/m', false],
  ['https://api.example.com/mcp/v2', false],
])('a secret that is bound to %s goes to https://api.example.com/mcp: %s', async ([url, isSent]) => {
  for (const value of [{ ...bearer('t'), url }, oauth('s', { url })]) {
    const { call, api, forms } = connect({
      secrets: new StagedSecrets().put(OWN, value),
      accepts: () => true,
      tokenEndpoint: endpointOf(() => true),
    });
    const answer = await call();
    expect(answer).toEqual(
      isSent ? 200 : { reason: 'missing_credential', detail: `the secret \`${OWN}\` is for another URL` },
    );
    expect([api.length, forms.length > 0 && !isSent]).toEqual([isSent ? 1 : 0, false]);
  }
});

/** Gives tokens `{secret}-1`, `{secret}-2`… to the clients whose secret it takes. */
function endpointOf(takes: (secret: string | null) => boolean, lifetime = 3_600) {
  let issued = 0;
  return (form: URLSearchParams): Answer => {
    const secret = form.get('client_secret');
    if (!takes(secret)) return { status: 401, body: { error: 'invalid_client', error_description: secret } };
    issued += 1;
    return { body: { access_token: `${secret}-${issued}`, token_type: 'bearer', expires_in: lifetime } };
  };
}

describe('a token by client credentials', () => {
  test('is asked for once and serves until 60 s before its end', async () => {
    const secrets = new StagedSecrets().put(OWN, oauth('s', { scope: 'gw:invoke' }));
    const { call, sent, forms, tokenRequests, time } = connect({
      secrets,
      accepts: () => true,
      tokenEndpoint: endpointOf(() => true),
    });
    await Promise.all(Array.from({ length: 100 }, call));
    time.seconds += 3_539;
    await call();
    expect(forms.map(String)).toEqual([
      'grant_type=client_credentials&scope=gw%3Ainvoke&client_id=gateway&client_secret=s',
    ]);
    const [request] = tokenRequests;
    expect([request?.method, request?.url.href, request?.allowPrivate]).toEqual(['POST', TOKEN_URL, false]);
    expect(request?.isolationKey).not.toContain('gateway');
    time.seconds += 1;
    await call();
    expect(new Set(sent())).toEqual(new Set(['Bearer s-1', 'Bearer s-2']));
    expect(forms).toHaveLength(2);
  });

  test('that the upstream refuses is replaced, however young, and that once in 5 s', async () => {
    const secrets = new StagedSecrets().put(OWN, oauth('s'));
    const revoked = new Set(['Bearer s-1']);
    const { call, sent, forms, time } = connect({
      secrets,
      accepts: (authorization = '') => !revoked.has(authorization),
      tokenEndpoint: endpointOf(() => true),
    });
    expect(await Promise.all([call(), call(), call()])).toEqual([200, 200, 200]);
    expect(forms).toHaveLength(2);
    revoked.add('Bearer s-2');
    for (let turn = 0; turn < 20; turn += 1) expect(await call()).toBe(401);
    expect(forms).toHaveLength(2);
    expect(sent().at(-1)).toBe('Bearer s-2');
    time.seconds += 5;
    expect(await call()).toBe(200);
  });

  test('is asked for with the staged secret where the endpoint refuses the current one', async () => {
    const secrets = new StagedSecrets().put(OWN, oauth('old')).put(OWN, oauth('next'), 'AWSPENDING');
    const { call, sent, forms } = connect({
      secrets,
      accepts: () => true,
      tokenEndpoint: endpointOf((secret) => secret === 'next'),
    });
    expect(await call()).toBe(200);
    secrets.promote(OWN);
    expect(await call()).toBe(200);
    expect(sent()).toEqual(['Bearer next-1', 'Bearer next-1']);
    expect(forms.map((form) => form.get('client_secret'))).toEqual(['old', 'next']);
  });

  test('is denied where the endpoint refuses every secret, and the endpoint is left alone for 5 s', async () => {
    const secrets = new StagedSecrets().put(OWN, oauth('s3cret'));
    const { call, forms, api, time } = connect({
      secrets,
      accepts: () => true,
      tokenEndpoint: endpointOf(() => false),
    });
    const denials = [await call(), await call(), await call()];
    expect(denials[0]).toEqual({
      reason: 'missing_credential',
      detail: `the token endpoint of secret \`${OWN}\`: status 401, invalid_client`,
    });
    expect(forms).toHaveLength(1);
    expect(api).toEqual([]);
    time.seconds += 5;
    await call();
    expect(forms).toHaveLength(2);
  });

  test('serves until its end while the endpoint is out', async () => {
    const state = { isOut: false };
    const secrets = new StagedSecrets().put(OWN, oauth('s'));
    const endpoint = endpointOf(() => true, 300);
    const { call, time } = connect({
      secrets,
      accepts: () => true,
      tokenEndpoint: (form) => (state.isOut ? 'timeout' : endpoint(form)),
    });
    expect(await call()).toBe(200);
    state.isOut = true;
    time.seconds += 299;
    expect(await call()).toBe(200);
    time.seconds += 1;
    expect(await call()).toMatchObject({ reason: 'unavailable' });
    state.isOut = false;
    expect(await call()).toMatchObject({ reason: 'unavailable' });
    time.seconds += 2;
    expect(await call()).toBe(200);
  });

  test.for([0, 300])(
    'an endpoint that is out is asked once in 2 s, with a token of %i s',
    async (lifetime) => {
      const state = { isOut: lifetime === 0 };
      const endpoint = endpointOf(() => true, 300);
      const { call, time, forms } = connect({
        secrets: new StagedSecrets().put(OWN, oauth('s')),
        accepts: () => true,
        tokenEndpoint: (form) => (state.isOut ? 'timeout' : endpoint(form)),
      });
      await call();
      state.isOut = true;
      time.seconds += 290;
      for (let turn = 0; turn < 20; turn += 1) await call();
      expect(forms).toHaveLength(2);
      time.seconds += 2;
      await call();
      expect(forms).toHaveLength(3);
    },
  );

  test('that is held is not put on once its endpoint is off the perimeter', async () => {
    const { call, forms, policyNow } = connect({
      secrets: new StagedSecrets().put(OWN, oauth('s')),
      accepts: () => true,
      tokenEndpoint: endpointOf(() => true),
    });
    expect(await call()).toBe(200);
    policyNow.perimeter = { hosts: ['api.example.com'], networks: [] };
    expect(await call()).toMatchObject({ reason: 'outside_perimeter' });
    expect(forms).toHaveLength(1);
  });

  test('a refused token leaves the 401 where the endpoint refuses the client since', async () => {
    const state = { takes: true };
    const secrets = new StagedSecrets().put(OWN, oauth('s'));
    const { call, time } = connect({
      secrets,
      accepts: () => false,
      tokenEndpoint: endpointOf(() => state.takes),
    });
    expect(await call()).toBe(401);
    state.takes = false;
    time.seconds += 5;
    expect(await call()).toBe(401);
  });

  test.for<
    readonly [string, ReturnType<NonNullable<Parameters<typeof connect>[0]['tokenEndpoint']>>, string]
  >([
    ['cannot be reached', 'unreachable', 'unavailable'],
    ['redirects', 'redirect', 'outside_perimeter'],
    ['is at a forbidden address', 'refused_address', 'outside_perimeter'],
    ['fails', { status: 503 }, 'unavailable'],
    ['limits', { status: 429, body: { error: 'slow_down' } }, 'unavailable'],
    ['limits with 403', { status: 403, headers: { 'retry-after': '5' } }, 'unavailable'],
    ['is late', { status: 408 }, 'unavailable'],
    ['encodes its refusal', { status: 401, headers: { 'content-encoding': 'gzip' } }, 'missing_credential'],
    ['answers HTML', { body: '<html>' }, 'unavailable'],
    ['answers no token', { body: { token: 'x' } }, 'unavailable'],
    ['answers more than 64 KB', { body: 'x'.repeat(65_537) }, 'unavailable'],
    ['encodes its answer', { headers: { 'content-encoding': 'gzip' } }, 'unavailable'],
    ['answers an error with 200', { body: { error: 'invalid_scope' } }, 'missing_credential'],
    ['echoes the secret as its error', { status: 400, body: { error: 's3cret' } }, 'missing_credential'],
  ])('where the endpoint %s: a denial that names no secret', async ([, answer, reason]) => {
    const secrets = new StagedSecrets().put(OWN, oauth('s3cret'));
    const { call, api } = connect({ secrets, accepts: () => true, tokenEndpoint: () => answer });
    const denial = await call();
    expect(denial).toMatchObject({ reason });
    expect(JSON.stringify(denial)).not.toContain('s3cret');
    expect(api).toEqual([]);
  });

  test.for<readonly [string, boolean, boolean]>([
    ['http://auth.example.com/token', false, false],
    ['https://127.0.0.1/token', false, false],
    ['https://auth.example.com/token?x=1', false, false],
    ['https://u:p@auth.example.com/token', false, false],
    ['not a URL', false, false],
    ['http://10.0.0.1/token', true, true],
    ['http://127.0.0.1/token', true, false],
    ['http://[::1]/token', true, false],
    ['http://localhost/token', true, false],
    ['http://a.localhost/token', true, false],
    ['http://169.254.169.254/token', true, false],
  ])('from %s for a target with private: %s is asked for: %s', async ([url, isPrivate, isAsked]) => {
    const secrets = new StagedSecrets().put(OWN, oauth('s', { token_url: url }));
    const { call, tokenRequests } = connect({
      secrets,
      accepts: () => true,
      isPrivate,
      tokenEndpoint: endpointOf(() => true),
    });
    const answer = await call();
    expect(tokenRequests.map((one) => [one.allowPrivate, one.refusesLoopback])).toEqual(
      isAsked ? [[true, true]] : [],
    );
    expect(answer).toEqual(isAsked ? 200 : expect.objectContaining({ reason: 'outside_perimeter' }));
  });

  test.for<readonly [string, boolean]>([
    ['auth.example.com', true],
    ['*.example.com', true],
    ['api.example.com', false],
  ])('is asked for on the perimeter alone: the endpoint where it has %s: %s', async ([host, isAsked]) => {
    const secrets = new StagedSecrets().put(OWN, oauth('s'));
    const { call, tokenRequests } = connect({
      secrets,
      accepts: () => true,
      tokenEndpoint: endpointOf(() => true),
      perimeter: { hosts: ['api.example.com', host], networks: ['10.0.0.0/8'] },
    });
    const answer = await call();
    expect(tokenRequests.map(({ privateNetworks }) => privateNetworks)).toEqual(
      isAsked ? [['10.0.0.0/8']] : [],
    );
    expect(answer).toEqual(isAsked ? 200 : expect.objectContaining({ reason: 'outside_perimeter' }));
  });

  test('with a key that cannot sign is a denial', async () => {
    const { client_secret: _, ...rest } = oauth('x');
    const value = { ...rest, auth: 'private_key_jwt', private_key: 'sk-no-key' };
    const { call, forms } = connect({ secrets: new StagedSecrets().put(OWN, value), accepts: () => true });
    const denial = await call();
    expect(denial).toMatchObject({ reason: 'missing_credential' });
    expect(JSON.stringify(denial)).not.toContain('sk-no-key');
    expect(forms).toEqual([]);
  });

  test('of two organisations with equal names is two tokens', async () => {
    const secrets = new StagedSecrets()
      .put(OWN, oauth('of-acme'))
      .put('sallyport/prod/credentials/beta/maps/client.beta-courier', oauth('of-beta'));
    const shared = { secrets, accepts: () => true, tokenEndpoint: endpointOf(() => true) };
    const acme = connect(shared);
    const beta = connect({
      ...shared,
      claims: { org_id: 'beta', client_id: 'beta-courier', sub: 'beta-courier' },
    });
    await acme.call();
    await beta.call();
    expect([acme.sent(), beta.sent()]).toEqual([['Bearer of-acme-1'], ['Bearer of-beta-2']]);
  });
});
