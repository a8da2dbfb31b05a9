import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readProviders } from '../../../functions/core/configuration/providers.ts';
import { type ConfigurationProblem, YamlReader } from '../../../functions/core/configuration/yaml-reader.ts';
import { authorizationUrl, connectCallbackUrl, type Provider } from '../../../functions/core/provider.ts';
import { interpolated } from '../../support/interpolated.ts';

const ORGS = [
  { id: 'acme', suspended: false },
  { id: 'globex', suspended: false },
];

function read(text: string) {
  const problems: ConfigurationProblem[] = [];
  const reader = YamlReader.open('providers.yml', interpolated(text, {}).text, problems);
  return { ...readProviders(reader, ORGS), problems: problems.map(({ message }) => message) };
}

function readOne(text: string): Provider {
  const { providers, problems } = read(text);
  const [provider] = providers;
  if (provider === undefined || problems.length > 0) throw new Error(problems.join('; '));
  return provider;
}

const CUSTOM = `providers:
  carrier:
    auth_url: https://carrier.example/authorize
    token_url: https://carrier.example/token
    client_id: c-1
    client_secret: { ref: sallyport/{stage}/providers/carrier }
    user_info_url: https://carrier.example/me
    scopes: [parcels.read]
`;

/** The custom entry with lines added to it. */
function custom(...lines: readonly string[]): string {
  return CUSTOM + lines.map((line) => `    ${line}\n`).join('');
}

/** The custom entry without the lines of one key. */
function without(key: string): string {
  return CUSTOM.split('\n')
    .filter((line) => !line.startsWith(`    ${key}:`))
    .join('\n');
}

const REQUEST = {
  redirectUri: 'https://gate.example/connect/x/callback',
  state: 's-1',
  codeChallenge: 'challenge',
};

type Row = {
  readonly name: string;
  /** Where the provider documents what is checked here. */
  readonly source: string;
  readonly endpoint: string;
  readonly params: Readonly<Record<string, string>>;
  readonly token: Pick<Provider, 'tokenUrl' | 'tokenAuth'>;
  readonly account: string | undefined;
  readonly revocation: Provider['revocation'];
};

const PKCE = { code_challenge: 'challenge', code_challenge_method: 'S256' };

const ROWS: readonly Row[] = [
  {
    name: 'atlassian',
    source: 'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
    endpoint: 'https://auth.atlassian.com/authorize',
    params: { audience: 'api.atlassian.com', prompt: 'consent' },
    token: { tokenUrl: 'https://auth.atlassian.com/oauth/token', tokenAuth: 'client_secret_post' },
    account: 'https://api.atlassian.com/me',
    revocation: undefined,
  },
  {
    name: 'google',
    source: 'https://developers.google.com/identity/protocols/oauth2/web-server',
    endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    params: { access_type: 'offline', prompt: 'consent', scope: 'openid email profile', ...PKCE },
    token: { tokenUrl: 'https://oauth2.googleapis.com/token', tokenAuth: 'client_secret_post' },
    account: 'https://www.googleapis.com/oauth2/v2/userinfo',
    revocation: { style: 'rfc7009', url: 'https://oauth2.googleapis.com/revoke' },
  },
  {
    name: 'github',
    source: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
    endpoint: 'https://github.com/login/oauth/authorize',
    params: { scope: 'read:user user:email', ...PKCE },
    token: { tokenUrl: 'https://github.com/login/oauth/access_token', tokenAuth: 'client_secret_post' },
    account: 'https://api.github.com/user',
    revocation: { style: 'github', url: 'https://api.github.com/applications/app-1/grant' },
  },
  {
    name: 'cognito',
    source: 'https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html',
    endpoint: 'https://harbour.auth.us-east-1.amazoncognito.com/oauth2/authorize',
    params: { scope: 'openid email profile', ...PKCE },
    token: {
      tokenUrl: 'https://harbour.auth.us-east-1.amazoncognito.com/oauth2/token',
      tokenAuth: 'client_secret_post',
    },
    account: 'https://harbour.auth.us-east-1.amazoncognito.com/oauth2/userInfo',
    revocation: { style: 'rfc7009', url: 'https://harbour.auth.us-east-1.amazoncognito.com/oauth2/revoke' },
  },
  {
    name: 'microsoft',
    source: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
    endpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    params: { scope: 'openid email profile offline_access', ...PKCE },
    token: {
      tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
      tokenAuth: 'client_secret_post',
    },
    account: 'https://graph.microsoft.com/oidc/userinfo',
    revocation: undefined,
  },
  {
    name: 'slack',
    source: 'https://docs.slack.dev/reference/methods/oauth.v2.user.access',
    endpoint: 'https://slack.com/oauth/v2_user/authorize',
    params: { scope: 'identity.basic,identity.email' },
    token: { tokenUrl: 'https://slack.com/api/oauth.v2.user.access', tokenAuth: 'client_secret_post' },
    account: 'https://slack.com/api/users.identity',
    revocation: { style: 'slack', url: 'https://slack.com/api/auth.revoke' },
  },
  {
    name: 'discord',
    source: 'https://discord.com/.well-known/oauth-authorization-server',
    endpoint: 'https://discord.com/oauth2/authorize',
    params: { scope: 'identify email', ...PKCE },
    token: { tokenUrl: 'https://discord.com/api/oauth2/token', tokenAuth: 'client_secret_post' },
    account: 'https://discord.com/api/users/@me',
    revocation: { style: 'rfc7009', url: 'https://discord.com/api/oauth2/token/revoke' },
  },
  {
    name: 'linkedin',
    source: 'https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow',
    endpoint: 'https://www.linkedin.com/oauth/v2/authorization',
    params: {},
    token: { tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken', tokenAuth: 'client_secret_post' },
    account: undefined,
    revocation: undefined,
  },
  {
    name: 'spotify',
    source: 'https://developer.spotify.com/documentation/web-api/tutorials/code-flow',
    endpoint: 'https://accounts.spotify.com/authorize',
    params: { scope: 'user-read-email user-read-private', ...PKCE },
    token: { tokenUrl: 'https://accounts.spotify.com/api/token', tokenAuth: 'client_secret_basic' },
    account: 'https://api.spotify.com/v1/me',
    revocation: undefined,
  },
  {
    name: 'twitter',
    source: 'https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token',
    endpoint: '/i/oauth2/authorize',
    params: { scope: 'tweet.read users.read offline.access', ...PKCE },
    token: { tokenUrl: '/2/oauth2/token', tokenAuth: 'client_secret_basic' },
    account: '/2/users/me',
    revocation: { style: 'rfc7009', url: '/2/oauth2/revoke' },
  },
];

const ROOT = join(import.meta.dirname, '..', '..', '..');
const FILES = [
  ['the file of the product', join(ROOT, 'config', 'providers.yml')],
  [
    'the file of the source system, unmodified but for client ids,',
    join(ROOT, '..', 'shared', 'fixtures', 'oauth_providers.yaml'),
  ],
] as const;

/** The third party of the demo is none of the eleven. */
const DEMO = /\n {2}# The third party of the demo[\s\S]*$/;

test('the demo’s carrier is off in the file of the product, and has its own callback where it is on', () => {
  const text = readFileSync(FILES[0][1], 'utf8').replaceAll(/\$\{CARRIER_URL:-([^}]+)\}/g, '$1');
  const withClient = (clientId: string) => read(text.replaceAll(/\$\{DEMO_CARRIER_CLIENT:-\}/g, clientId));
  const off = withClient('""');
  expect([off.providers, off.off.get('carrier')]).toEqual([[], expect.stringContaining('no `client_id`')]);
  const { providers, problems } = withClient('sallyport');
  expect(problems).toEqual([]);
  expect(providers).toMatchObject([
    { name: 'carrier', private: true, pkce: true, tokenUrl: 'http://127.0.0.1:8794/token' },
  ]);
});

for (const [what, path] of FILES) {
  describe.runIf(existsSync(path))(what, () => {
    const source = () => readFileSync(path, 'utf8').replace(DEMO, '');
    /** With an app registered at every provider, and the variables that have no default. */
    const switchedOn = () =>
      source().replaceAll(
        /^( {2}(\w+):\n)( {4}display_name)/gm,
        (_, head: string, name: string, rest: string) => {
          const lines = [
            `    client_id: app-1`,
            `    client_secret: { ref: sallyport/{stage}/providers/${name} }`,
          ];
          if (name === 'cognito') lines.push('    template_vars: { domain: harbour }');
          return `${head}${lines.join('\n')}\n${rest}`;
        },
      );

    test('has eleven entries, of which none is switched on', () => {
      const { providers, off, problems } = read(source());
      expect(problems).toEqual([]);
      expect(providers).toEqual([]);
      expect([...off.keys()].sort()).toEqual([...ROWS.map(({ name }) => name), 'cognito_m2m'].sort());
      expect(off.get('cognito_m2m')).toContain('no browser flow');
      expect(off.get('github')).toContain('no `client_id`');
    });

    test('has ten providers where users can connect, once apps are registered', () => {
      const { providers, problems } = read(switchedOn());
      expect(problems).toEqual([]);
      expect(providers.map(({ name }) => name)).toEqual(ROWS.map(({ name }) => name));
    });

    test.for(ROWS)('asks $name for what it documents ($source)', (row) => {
      const provider = read(switchedOn()).providers.find(({ name }) => name === row.name);
      if (provider === undefined) throw new Error('not there');
      const url = authorizationUrl(provider, { ...REQUEST, scopes: provider.scopes });
      expect(`${url.origin}${url.pathname}`).toContain(row.endpoint);
      const { client_id, redirect_uri, response_type, state, ...rest } = Object.fromEntries(url.searchParams);
      expect({ client_id, redirect_uri, response_type, state }).toEqual({
        client_id: 'app-1',
        redirect_uri: REQUEST.redirectUri,
        response_type: 'code',
        state: 's-1',
      });
      const { scope, ...others } = rest;
      const { scope: expected, ...params } = row.params;
      expect(others).toEqual(params);
      if (expected !== undefined) expect(scope).toBe(expected);
      expect(provider.tokenUrl).toContain(row.token.tokenUrl);
      expect(provider.tokenAuth).toBe(row.token.tokenAuth);
      if (row.account !== undefined) expect(provider.account?.url).toContain(row.account);
      expect(provider.revocation?.style).toBe(row.revocation?.style);
      if (row.revocation !== undefined) expect(provider.revocation?.url).toContain(row.revocation.url);
      expect(provider.sitesUrl !== undefined).toBe(row.name === 'atlassian');
    });
  });
}

test.for(['', 'providers:', 'metadata: { version: "1.0" }'])(
  'a file that holds %j has no provider',
  (text) => {
    expect(read(text)).toEqual({ providers: [], off: new Map(), problems: [] });
  },
);

describe('a custom provider', () => {
  test('is what RFC 6749 and 7636 have', () => {
    expect(readOne(CUSTOM)).toEqual({
      name: 'carrier',
      displayName: 'carrier',
      org: undefined,
      private: false,
      clientId: 'c-1',
      clientSecretName: 'sallyport/{stage}/providers/carrier',
      tokenAuth: 'client_secret_post',
      authUrl: 'https://carrier.example/authorize',
      tokenUrl: 'https://carrier.example/token',
      account: expect.objectContaining({ url: 'https://carrier.example/me' }),
      scopes: ['parcels.read'],
      scopeSeparator: ' ',
      authParams: [],
      tokenHeaders: [],
      pkce: true,
    });
  });

  test('says more of itself where it has to', () => {
    const provider = readOne(
      custom(
        'display_name: The carrier',
        'org: acme',
        'token_auth: client_secret_basic',
        'scope_separator: ","',
        'revocation_url: https://carrier.example/revoke',
        'issuer: https://carrier.example',
        'requires_pkce: false',
        'redirect_uri: https://other.example/connect/carrier/callback',
        'token_headers: { Carrier-Version: 2026-01-01x }',
        'additional_params: { prompt: login, code_challenge_method: S256 }',
      ),
    );
    expect(provider).toMatchObject({
      displayName: 'The carrier',
      org: 'acme',
      tokenAuth: 'client_secret_basic',
      scopeSeparator: ',',
      revocation: { style: 'rfc7009', url: 'https://carrier.example/revoke' },
      issuer: 'https://carrier.example',
      pkce: false,
      tokenHeaders: [['carrier-version', '2026-01-01x']],
      authParams: [['prompt', 'login']],
    });
    const url = authorizationUrl(provider, { ...REQUEST, scopes: ['a', 'b'] });
    expect(url.searchParams.get('scope')).toBe('a,b');
    expect(url.searchParams.has('code_challenge')).toBe(false);
    expect(connectCallbackUrl(provider, 'https://gate.example')).toBe(
      'https://other.example/connect/carrier/callback',
    );
  });

  test('has a redirect URI of its own at the gateway, and asks for no scope where there is none', () => {
    const provider = readOne(without('scopes'));
    expect(connectCallbackUrl(provider, 'https://gate.example')).toBe(
      'https://gate.example/connect/carrier/callback',
    );
    const url = authorizationUrl(provider, { ...REQUEST, scopes: provider.scopes });
    expect(url.searchParams.has('scope')).toBe(false);
  });

  test('may have no secret, no account and no sites', () => {
    const bare = without('client_secret').replace('https://carrier.example/me', '""');
    const provider = readOne(bare);
    expect(provider.clientSecretName).toBeUndefined();
    expect(provider.account).toBeUndefined();
    expect(provider.sitesUrl).toBeUndefined();
    expect(readOne(without('user_info_url')).account).toBeUndefined();
  });

  const WRONG: readonly (readonly [string, string, RegExp])[] = [
    ['a name that is none', CUSTOM.replace('carrier:', 'Car rier:'), /is no name/],
    ['no token endpoint', without('token_url'), /`auth_url` and `token_url`/],
    ['plain http', CUSTOM.replace('https://carrier.example/token', 'http://carrier.example/token'), /https/],
    [
      'plain http for the browser',
      CUSTOM.replace('https://carrier.example/a', 'http://carrier.example/a'),
      /https/,
    ],
    ['a secret as it is', CUSTOM.replace(/\{ ref.*\}/, 'hunter2'), /a secret never stands here/],
    ['a secret of somebody else', CUSTOM.replace('/providers/', '/clients/'), /a secret never stands here/],
    [
      'a secret up the tree',
      CUSTOM.replace('/providers/carrier', '/providers/../clients/x'),
      /a secret never/,
    ],
    ['a secret without its name', CUSTOM.replace(/\{ ref.*\}/, '{}'), /a secret never stands here/],
    ['another grant', custom('grant_type: password'), /authorization_code/],
    ['another response', custom('response_type: token'), /write one of: code/],
    ['an unknown organisation', custom('org: hooli'), /no organisation `hooli`/],
    ['a client id that is a map', CUSTOM.replace('client_id: c-1', 'client_id: { a: b }'), /write a text/],
    [
      'a redirect URI of another route',
      custom('redirect_uri: https://x.example/callback'),
      /ends in `\/connect\/carrier/,
    ],
    [
      'a redirect URI without TLS',
      custom('redirect_uri: http://x.example/connect/carrier/callback'),
      /https/,
    ],
    ['a parameter of ours', custom('additional_params: { state: fixed }'), /set by the gateway/],
    ['a weaker PKCE', custom('additional_params: { code_challenge_method: plain }'), /only S256/],
    ['a parameter that is no text', custom('additional_params: { a: [] }'), /write a text/],
    [
      'a header that authenticates',
      custom('token_headers: { Authorization: x }'),
      /no header that can be set/,
    ],
    ['a header that breaks a line', custom('token_headers: { X-A: "a\\nb" }'), /no header that can be set/],
    ['a header that is no text', custom('token_headers: { X-A: {} }'), /write a text/],
    ['a scope of two words', CUSTOM.replace('[parcels.read]', '["a b"]'), /this is no scope/],
    ['a scope that is two elsewhere', CUSTOM.replace('[parcels.read]', '["a,b"]'), /this is no scope/],
    ['a scope that is no text', CUSTOM.replace('[parcels.read]', '[1]'), /write a text/],
    [
      'a variable without a value',
      CUSTOM.replace('carrier.example/token', '{host}.example/token'),
      /template_vars: \{ host/,
    ],
    ['a variable that is required', custom('requires_template_vars: [host]'), /template_vars: \{ host/],
    [
      'a variable that hides a host',
      custom('template_vars: { host: evil.example/@x }'),
      /a part of a host name/,
    ],
    ['a variable with a port', custom('template_vars: { host: "evil.example:80" }'), /a part of a host name/],
    ['a variable that is no text', custom('template_vars: { host: [] }'), /write a text/],
    ['an account that is no text', custom().replace('https://carrier.example/me', '[7]'), /write a text/],
    ['an unknown key', custom('client_secrets: x'), /unknown key/],
  ];
  test.for(WRONG)('is refused with %s', ([, text, message]) => {
    expect(read(text).problems).toContainEqual(expect.stringMatching(message));
  });

  test('at Microsoft’s hosts reads the user where its scopes allow it', () => {
    const text = (scope: string, userInfo = 'https://graph.microsoft.com/v1.0/me') => `providers:
  mail:
    auth_url: https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize
    token_url: https://login.microsoftonline.com/organizations/oauth2/v2.0/token
    client_id: c-1
    user_info_url: ${userInfo}
    scopes: [${scope}]
`;
    expect(readOne(text('User.Read')).account?.url).toBe('https://graph.microsoft.com/v1.0/me');
    expect(readOne(text('openid')).account?.url).toBe('https://graph.microsoft.com/oidc/userinfo');
    expect(readOne(text('openid', 'https://me.example/')).account?.url).toBe('https://me.example/');
  });

  test('at the hosts of Slack, Atlassian and GitHub is known by them, whatever it is called', () => {
    const at = (tokenUrl: string, ...lines: readonly string[]) =>
      readOne(`providers:
  chat:
    auth_url: ${new URL('/authorize', tokenUrl).href}
    token_url: ${tokenUrl}
    client_id: c-1
    user_info_url: ${new URL('/me', tokenUrl).href}
${lines.map((line) => `    ${line}\n`).join('')}`);
    const slack = at('https://slack.com/api/oauth.custom', 'scopes: [search:read]');
    expect(slack.account?.url).toBe('https://slack.com/api/auth.test');
    expect(slack).toMatchObject({
      authUrl: 'https://slack.com/authorize',
      tokenUrl: 'https://slack.com/api/oauth.custom',
      scopeSeparator: ',',
    });
    const bot = readOne(`providers:
  chat:
    auth_url: https://slack.com/oauth/v2/authorize
    token_url: https://slack.com/api/oauth.v2.access
    client_id: c-1
`);
    expect(bot).toMatchObject({
      authUrl: 'https://slack.com/oauth/v2_user/authorize',
      tokenUrl: 'https://slack.com/api/oauth.v2.user.access',
    });
    const atlassian = at('https://auth.atlassian.com/oauth/token', 'requires_cloud_id: true');
    expect(atlassian.account).toBeUndefined();
    expect(atlassian.sitesUrl).toBe('https://auth.atlassian.com/me');
    const github = at('https://github.com/login/oauth/access_token', 'token_headers: { Accept: text/plain }');
    expect(github.revocation).toBeUndefined();
    expect(github.tokenHeaders).toEqual([['accept', 'application/json']]);
  });
});
