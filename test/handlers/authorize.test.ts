import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ClientMetadata } from '../../functions/core/client-metadata.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { readForm } from '../support/browser-agent.ts';
import { startIssuerApp } from '../support/issuer-app.ts';
import {
  agentOf,
  answerOf,
  authorizeUrl,
  type LoginApp,
  loginClient,
  REDIRECT,
  startLoginApp,
} from '../support/login-app.ts';
import { policyOf } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp(() => ({
    clients: [
      loginClient('app', { displayName: 'Map <b>Studio</b>' }),
      loginClient('gateway-app', { audience: 'gateway' }),
      loginClient('machine', { grants: ['client_credentials'] }),
      loginClient('retired', { disabled: true }),
      loginClient('foreign', { org: 'globex' }),
      loginClient('bare', { scopes: [] }),
      loginClient('admin', { scopes: ['admin', 'runs/issue', 'maps/read'] }),
      loginClient('badly-registered', { redirectUris: ['http://app.example.com/cb', 'javascript:alert(1)'] }),
    ],
    orgs: [
      { id: 'acme', suspended: false },
      { id: 'globex', suspended: false },
    ],
  }));
});
afterAll(() => login?.close());
beforeEach(() => {
  login.app.records.length = 0;
});

const open = (url: string) => login.agent().open(url);

describe('a request whose client and redirect URI do not belong together is shown a page and leads nowhere', () => {
  const twice = (name: string, value: string) =>
    `${authorizeUrl()}&${new URLSearchParams({ [name]: value })}`;
  test.for([
    ['no client', authorizeUrl({ client_id: undefined }), 'bad_request'],
    ['an empty client', authorizeUrl({ client_id: '' }), 'bad_request'],
    ['two clients', twice('client_id', 'app'), 'bad_request'],
    ['no redirect URI', authorizeUrl({ redirect_uri: undefined }), 'bad_request'],
    ['two redirect URIs', twice('redirect_uri', REDIRECT), 'bad_request'],
    [
      'a foreign redirect URI after an own one',
      twice('redirect_uri', 'https://evil.example/'),
      'bad_request',
    ],
    ['an unknown client', authorizeUrl({ client_id: 'ghost' }), 'unknown_client'],
    ['a client in other letters', authorizeUrl({ client_id: 'APP' }), 'unknown_client'],
    ['a member of every object', authorizeUrl({ client_id: '__proto__' }), 'unknown_client'],
    ['a disabled client', authorizeUrl({ client_id: 'retired' }), 'unknown_client'],
    ['a client of another grant', authorizeUrl({ client_id: 'machine' }), 'unknown_client'],
    ['another redirect URI', authorizeUrl({ redirect_uri: 'https://evil.example/callback' }), 'redirect_uri'],
    ['a longer redirect URI', authorizeUrl({ redirect_uri: `${REDIRECT}/more` }), 'redirect_uri'],
    ['a redirect URI with a query', authorizeUrl({ redirect_uri: `${REDIRECT}?next=x` }), 'redirect_uri'],
    ['a redirect URI with a fragment', authorizeUrl({ redirect_uri: `${REDIRECT}#x` }), 'redirect_uri'],
    [
      'a redirect URI of a user',
      authorizeUrl({ redirect_uri: 'https://app.example.com@evil.example/callback' }),
      'redirect_uri',
    ],
    ['another loopback path', authorizeUrl({ redirect_uri: 'http://127.0.0.1:5000/other' }), 'redirect_uri'],
    [
      'another loopback host',
      authorizeUrl({ redirect_uri: 'http://localhost:5000/callback' }),
      'redirect_uri',
    ],
    [
      'what was registered and never may be',
      authorizeUrl({ client_id: 'badly-registered', redirect_uri: 'http://app.example.com/cb' }),
      'redirect_uri',
    ],
    [
      'a script that was registered',
      authorizeUrl({ client_id: 'badly-registered', redirect_uri: 'javascript:alert(1)' }),
      'redirect_uri',
    ],
  ] as const)('%s', async ([, url, reason]) => {
    const page = await open(url);
    expect([page.url, page.status, page.headers.get('location')]).toEqual([url, 400, null]);
    expect(page.text).not.toContain('evil.example');
    expect(page.text).not.toContain('<form');
    expect(login.app.records).toMatchObject([{ area: 'login', decision: 'deny', reason, request_id: 'r-1' }]);
  });
});

test.for(['machine', 'retired'])('no page tells %s from a client that is not there', async (client_id) => {
  for (const redirect_uri of [REDIRECT, 'https://evil.example/callback']) {
    const [page, other] = await Promise.all([
      open(authorizeUrl({ client_id, redirect_uri })),
      open(authorizeUrl({ client_id: 'ghost', redirect_uri })),
    ]);
    expect([page.status, page.text]).toEqual([other.status, other.text]);
  }
});

describe('another error is told to the client, with iss and its state', () => {
  const twice = (name: string, value: string) =>
    `${authorizeUrl()}&${new URLSearchParams({ [name]: value })}`;
  test.for([
    ['no response type', authorizeUrl({ response_type: undefined }), 'invalid_request'],
    ['a token', authorizeUrl({ response_type: 'token' }), 'unsupported_response_type'],
    ['a code and an id token', authorizeUrl({ response_type: 'code id_token' }), 'unsupported_response_type'],
    ['an answer in a fragment', authorizeUrl({ response_mode: 'fragment' }), 'invalid_request'],
    ['an answer in a form', authorizeUrl({ response_mode: 'form_post' }), 'invalid_request'],
    ['no challenge', authorizeUrl({ code_challenge: undefined }), 'invalid_request'],
    ['no challenge method', authorizeUrl({ code_challenge_method: undefined }), 'invalid_request'],
    ['the plain method', authorizeUrl({ code_challenge_method: 'plain' }), 'invalid_request'],
    ['a method in other letters', authorizeUrl({ code_challenge_method: 's256' }), 'invalid_request'],
    ['a short challenge', authorizeUrl({ code_challenge: 'a'.repeat(42) }), 'invalid_request'],
    ['a challenge with padding', authorizeUrl({ code_challenge: `${'a'.repeat(43)}=` }), 'invalid_request'],
    ['a request object', authorizeUrl({ request: 'eyJhbGciOiJub25lIn0.e30.' }), 'request_not_supported'],
    [
      'a request object elsewhere',
      authorizeUrl({ request_uri: 'http://127.0.0.1:1/x' }),
      'request_uri_not_supported',
    ],
    ['a scope twice', `${authorizeUrl({ scope: 'maps/read' })}&scope=maps/execute`, 'invalid_request'],
    ['an unknown parameter twice', `${authorizeUrl({ x: '1' })}&x=2`, 'invalid_request'],
    ['two resources', twice('resource', `${ORIGIN}/other/mcp`), 'invalid_target'],
    ['a foreign resource', authorizeUrl({ resource: 'https://evil.example/maps/mcp' }), 'invalid_target'],
    [
      'a resource that only begins like ours',
      authorizeUrl({ resource: `${ORIGIN}.evil.example/maps/mcp` }),
      'invalid_target',
    ],
    ['a resource with a fragment', authorizeUrl({ resource: `${ORIGIN}/maps/mcp#x` }), 'invalid_target'],
    [
      'a resource with a slash at its end',
      authorizeUrl({ resource: `${ORIGIN}/maps/mcp/` }),
      'invalid_target',
    ],
    ['no resource', authorizeUrl({ resource: undefined }), 'invalid_target'],
    ['the whole gateway', authorizeUrl({ resource: ORIGIN }), 'invalid_target'],
    ['scopes that the client may not have', authorizeUrl({ scope: 'admin openid' }), 'invalid_scope'],
    ['malformed scopes', authorizeUrl({ scope: 'maps/read  maps/execute' }), 'invalid_scope'],
    ['a client without scopes', authorizeUrl({ client_id: 'bare' }), 'invalid_scope'],
    [
      'a client of an organisation without a login',
      authorizeUrl({ client_id: 'foreign' }),
      'unauthorized_client',
    ],
    ['no page', authorizeUrl({ prompt: 'none' }), 'login_required'],
    ['no page and a page', authorizeUrl({ prompt: 'none login' }), 'invalid_request'],
  ] as const)('%s', async ([, url, error]) => {
    const { url: answer } = await open(url);
    expect(answer.startsWith(`${REDIRECT}?`)).toBe(true);
    const members = Object.fromEntries(new URL(answer).searchParams);
    expect(members).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/),
      state: 'client-state',
      iss: ORIGIN,
    });
    expect(login.app.records).toMatchObject([{ area: 'login', decision: 'deny', reason: error }]);
  });

  test.for([
    ['is not there', authorizeUrl({ state: undefined, response_type: 'token' })],
    ['is there twice', `${authorizeUrl({ response_type: 'token' })}&state=other`],
    ['is too long', authorizeUrl({ state: 's'.repeat(2_001) })],
    ['has other characters', authorizeUrl({ state: 'zürich' })],
  ] as const)('without a state that %s', async ([, url]) => {
    const members = answerOf(await open(url));
    expect(members).toMatchObject({ error: expect.any(String), iss: ORIGIN });
    expect(members).not.toHaveProperty('state');
  });

  test('by 303, kept by nobody', async () => {
    const response = await login.app.fetch(authorizeUrl({ response_type: 'token' }).slice(ORIGIN.length));
    expect(response.status).toBe(303);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('x-request-id')).toBe('r-1');
  });

  test('at a redirect URI with a query of its own, and of a scheme of its own, byte for byte', async () => {
    const uris = [
      'https://app.example.com/cb?a=%7e&b',
      'com.example.app:/callback',
      'http://127.0.0.1:49152/callback',
    ];
    const { company, parts } = login;
    const client = loginClient('app', { redirectUris: [...uris, 'http://127.0.0.1/callback'] });
    const app = await startIssuerApp(policyOf({ ...parts, clients: [client], idps: [company.entry] }));
    onTestFinished(() => app.close());
    for (const redirect_uri of uris) {
      const { url } = await agentOf(app).open(authorizeUrl({ redirect_uri, response_type: 'token' }));
      expect(url).toBe(
        `${redirect_uri}${redirect_uri.includes('?') ? '&' : '?'}error=unsupported_response_type&error_description=write+response_type%3Dcode&state=client-state&iss=${encodeURIComponent(ORIGIN)}`,
      );
    }
  });
});

describe('the consent page', () => {
  test('says who asks, where the answer goes, for what, and lets one choose where to log in', async () => {
    const page = await open(authorizeUrl());
    expect(page.status).toBe(200);
    expect(page.text).toContain('<html lang="en">');
    expect(page.text).toContain(
      '<title>Allow Map &lt;b&gt;Studio&lt;/b&gt; to act for you? – Sallyport</title>',
    );
    expect(page.text).toContain('<dd>app.example.com</dd>');
    expect(page.text).toContain('<dd>The server maps</dd>');
    expect(page.text).toContain('See which tools, resources and prompts there are<code>maps/read</code>');
    expect(page.text).toContain('Use tools<code>maps/execute</code>');
    expect(page.text).not.toContain('Signed in as');
    expect(page.text).not.toContain('class="warning"');
    expect(readForm(page.text).buttons.map(({ text, value }) => [text, value])).toEqual([
      ['Allow and sign in with company login', 'idp:company'],
      ['Allow and sign in with partner login', 'idp:partner'],
      ['Do not allow', 'deny'],
    ]);
  });

  test('asks for no more than was asked for, and than the client may have', async () => {
    const page = await open(authorizeUrl({ scope: 'maps/execute admin offline_access' }));
    expect(page.text).toContain('<code>maps/execute</code>');
    expect(page.text).not.toContain('<code>maps/read</code>');
    expect(page.text).not.toContain('<code>admin</code>');
    expect(page.text).not.toContain('offline_access');
  });

  test('says in words what administration and built-in scopes are', async () => {
    const page = await open(authorizeUrl({ client_id: 'admin' }));
    expect(page.text).toContain('Change who may do what<code>admin</code>');
    expect(page.text).toContain(
      'Open runs, and give tokens for them to other programs<code>runs/issue</code>',
    );
  });

  test.for([
    ['http://127.0.0.1:49152/callback', 'a program on this computer (127.0.0.1:49152)'],
    ['com.example.app:/callback', 'the app on this computer that opens com.example.app: links'],
  ] as const)('warns where the answer goes to %s', async ([redirect_uri, words]) => {
    const page = await open(authorizeUrl({ redirect_uri }));
    expect(page.text).toContain(`<dd>${words}</dd>`);
    expect(page.text).toContain(
      'no one can tell from here which. Allow it only if you have just started it yourself.',
    );
  });

  describe('of an application that nobody entered', () => {
    const id = 'https://client.example.net/app.json';
    const said = {
      clientName: 'Trusted Bank',
      redirectUris: ['https://client.example.net/callback'],
      grants: ['authorization_code'],
      auth: 'none',
      jwks: [],
      jwksUri: undefined,
    } as const;
    const registration = {
      metadataDocuments: true,
      dynamic: true,
      scopes: ['maps/read'],
      hosts: [],
      allowPrivate: false,
    };
    const redirect_uri = 'https://client.example.net/callback';
    const read = async (
      parts: Partial<Snapshot>,
      metadata: Partial<ClientMetadata> = {},
      changes: Parameters<typeof authorizeUrl>[0] = {},
    ) => {
      const clientDocuments = { read: () => Promise.resolve(ok({ ...said, ...metadata })) };
      const app = await startIssuerApp(policyOf({ ...login.parts, registration, ...parts }), {
        clientDocuments,
      });
      onTestFinished(() => app.close());
      return agentOf(app).open(authorizeUrl({ client_id: id, redirect_uri, ...changes }));
    };

    describe('leads nobody away by an error', () => {
      test.for([
        ['another response type', { response_type: 'x' }, 'unsupported_response_type'],
        ['scopes of nobody', { scope: 'nothing' }, 'invalid_scope'],
        ['no page', { prompt: 'none' }, 'login_required'],
        ['no challenge', { code_challenge: undefined }, 'invalid_request'],
        ['a foreign resource', { resource: 'https://evil.example/' }, 'invalid_target'],
      ] as const)('that it makes with %s: a page says where it would go', async ([, changes, error]) => {
        const page = await read(
          {},
          { redirectUris: ['https://away.example.org/cb'] },
          {
            redirect_uri: 'https://away.example.org/cb',
            ...changes,
          },
        );
        expect([page.url.startsWith(ORIGIN), page.status, page.headers.get('location')]).toEqual([
          true,
          400,
          null,
        ]);
        expect(page.text).toContain('<dd>client.example.net</dd>');
        expect(page.text).toContain('<dd>away.example.org</dd>');
        expect(page.text).toContain(`<code>${error}</code>`);
        expect(page.text).not.toMatch(/<form|<script|refresh|Trusted Bank|evil/);
        const [, link = ''] = /<a href="([^"]*)"/.exec(page.text) ?? [];
        const answer = new URL(link.replaceAll('&amp;', '&'));
        expect(answer.origin + answer.pathname).toBe('https://away.example.org/cb');
        expect(Object.fromEntries(answer.searchParams)).toMatchObject({ error, state: 'client-state' });
      });

      test('unless an administrator entered it', async () => {
        const entered = loginClient(id, { org: 'acme', displayName: 'Map Studio', redirectUris: [] });
        const { url } = await read({ clients: [entered] }, {}, { response_type: 'x' });
        expect(url.startsWith(`${redirect_uri}?error=unsupported_response_type&`)).toBe(true);
      });
    });

    test('goes by its address, whatever it calls itself', async () => {
      const { text } = await read({});
      expect(text).toContain('<h1>Allow client.example.net to act for you?</h1>');
      expect(text).toContain('<dd>client.example.net (it calls itself “<bdi>Trusted Bank</bdi>”)</dd>');
      expect(text).toContain('Nobody here has looked at this application');
      expect(text).toContain('its address <strong>client.example.net</strong>');
    });

    test('shows no marks that turn or hide what is written', async () => {
      const { text } = await read({}, { clientName: `Bank\u202egnp.exe\u200b\u0007${'x'.repeat(200)}` });
      expect(text).toContain(`“<bdi>Bankgnp.exe${'x'.repeat(69)}</bdi>”`);
    });

    test.for([
      'Claude”. Checked by your administrator: “Claude',
      'Claude". Checked by your administrator: "Claude',
      'Claude‟. Checked by your administrator: «Claude',
    ])('cannot end the quotation of its name: %s', async (clientName) => {
      const { text } = await read({}, { clientName });
      expect(text).toContain('“<bdi>Claude. Checked by your administrator: Claude</bdi>”)</dd>');
    });

    test('is no more vetted for an entry that only limits it', async () => {
      const limiting = loginClient(id, { org: 'acme', redirectUris: [] });
      const { text } = await read({ clients: [limiting] });
      expect(text).toContain('(it calls itself “<bdi>Trusted Bank</bdi>”)');
      expect(text).toContain('Nobody here has looked at this application');
    });

    test('is one that an administrator entered, where there is an entry', async () => {
      const { text } = await read({
        clients: [loginClient(id, { org: 'acme', displayName: 'Map Studio', redirectUris: [] })],
      });
      expect(text).toContain('<dd>client.example.net (Map Studio)</dd>');
      expect(text).not.toContain('Nobody here has looked');
    });
  });

  test('is the same for a server that exists and one that does not', async () => {
    const read = async (name: string) => {
      const { text } = await open(authorizeUrl({ resource: `${ORIGIN}/${name}/mcp` }));
      return text.replaceAll(`The server ${name}`, 'X').replace(/name="ticket" value="[^"]*"/, '');
    };
    expect(await read('maps')).toBe(await read('no-such-server'));
    expect(await read('secret')).toBe(await read('no-such-server'));
  });

  test('of a gateway client is for every server', async () => {
    const page = await open(authorizeUrl({ client_id: 'gateway-app', resource: undefined }));
    expect(page.text).toContain('Every server that these permissions reach');
  });

  test('can be framed by nobody, runs no script, loads nothing, is kept nowhere', async () => {
    const { headers, text } = await open(authorizeUrl());
    const csp = headers.get('content-security-policy') ?? '';
    expect(csp).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action [^;]+; frame-ancestors 'none'$/,
    );
    expect(csp).not.toMatch(/unsafe|script-src|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script|\son[a-z]+=|\sstyle=|javascript:|src=/i);
  });

  test.for([
    [REDIRECT, "'self' https: IDP"],
    ['http://127.0.0.1:49152/callback', "'self' https: http://127.0.0.1:49152 IDP"],
    ['com.example.app:/callback', "'self' https: com.example.app: IDP"],
  ] as const)('lets its form lead to %s', async ([redirect_uri, sources]) => {
    const { headers } = await open(authorizeUrl({ redirect_uri }));
    const [, action = ''] = /form-action ([^;]+)/.exec(headers.get('content-security-policy') ?? '') ?? [];
    const idps = [login.company, login.partner].map(({ issuer }) => issuer).join(' ');
    expect(action).toBe(sources.replace('IDP', idps));
  });

  test('marks the browser with a cookie for this host alone, and keeps the mark', async () => {
    const browser = login.agent();
    const first = await browser.open(authorizeUrl());
    expect(first.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-sallyport_browser=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    const second = await browser.open(authorizeUrl());
    expect(second.headers.getSetCookie()).toEqual(first.headers.getSetCookie());
    expect((await open(authorizeUrl())).headers.getSetCookie()).not.toEqual(first.headers.getSetCookie());
  });

  test('writes nothing down before it is answered', async () => {
    await open(authorizeUrl());
    expect(login.app.records).toEqual([]);
  });
});

describe('without what it needs', () => {
  test('there is no login where no provider is set up', async () => {
    const app = await startIssuerApp(policyOf({ ...login.parts, idps: [] }));
    onTestFinished(() => app.close());
    const page = await agentOf(app).open(authorizeUrl());
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('No login is configured here')]);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  test('it is unavailable, and leads nowhere', async () => {
    const down = { ok: false, error: { reason: 'unavailable', detail: 'a test’s outage' } } as const;
    for (const ports of [
      { rulebook: { read: () => Promise.resolve(down) } },
      { sealer: () => Promise.resolve(undefined) },
    ]) {
      const app = await startIssuerApp(policyOf(login.parts), ports);
      onTestFinished(() => app.close());
      const page = await agentOf(app).open(authorizeUrl());
      expect([page.status, page.headers.get('retry-after')]).toEqual([503, '2']);
      expect(page.text).not.toContain('outage');
    }
  });
});

describe('the metadata', () => {
  const read = async (path: string) => {
    const response = await login.app.fetch(path);
    const metadata: Record<string, unknown> = JSON.parse(await response.text());
    return metadata;
  };

  test.for(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    'at %s tells of the login where there is one',
    async (path) => {
      expect(await read(path)).toMatchObject({
        issuer: ORIGIN,
        authorization_endpoint: `${ORIGIN}/oauth/authorize`,
        response_types_supported: ['code'],
        response_modes_supported: ['query'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        grant_types_supported: expect.arrayContaining(['client_credentials', 'authorization_code']),
      });
    },
  );

  test.for([
    ['no provider', { idps: [] }],
    ['one of a suspended organisation', { orgs: [{ id: 'acme', suspended: true }] }],
  ] as const)('tells of none with %s', async ([, change]) => {
    const app = await startIssuerApp(policyOf({ ...login.parts, ...change }));
    onTestFinished(() => app.close());
    const response = await app.fetch('/.well-known/oauth-authorization-server');
    const metadata: Record<string, unknown> = JSON.parse(await response.text());
    expect(metadata['response_types_supported']).toEqual([]);
    expect(metadata['grant_types_supported']).not.toContain('authorization_code');
    expect(metadata['grant_types_supported']).not.toContain('refresh_token');
    expect(metadata).not.toHaveProperty('code_challenge_methods_supported');
  });
});
