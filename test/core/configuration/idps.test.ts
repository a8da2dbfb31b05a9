// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are part of the files
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileConfiguration } from '../../../functions/core/configuration/compile.ts';
import { Policy } from '../../../functions/core/policy.ts';
import { interpolated } from '../../support/interpolated.ts';
import { policyOf } from '../../support/policies.ts';

function compile(idps: string, orgs = 'orgs: { acme: {} }', clients = '') {
  return compileConfiguration(
    new Map([
      ['scopes.yml', ''],
      ['servers.yml', ''],
      ['clients.yml', clients],
      ['orgs.yml', orgs],
      ['idps.yml', idps],
    ]),
  );
}

function compiled(idps: string, orgs?: string, clients?: string) {
  const result = compile(idps, orgs, clients);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { snapshot, warnings } = result.value;
  return {
    idps: snapshot.idps ?? [],
    warnings: warnings.map(({ file, line, message }) => `${file}:${line} ${message}`),
  };
}

function problems(idps: string, orgs?: string, clients?: string): readonly string[] {
  const result = compile(idps, orgs, clients);
  return result.ok ? [] : result.error.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

/** One provider; `undefined` leaves a member out. */
function one(changes: Readonly<Record<string, unknown>>, name = 'company'): string {
  const entry = {
    client_id: 'c-1',
    client_secret: '${COMPANY_SECRET}',
    auth_url: 'https://login.example.com/authorize',
    token_url: 'https://login.example.com/token',
    issuer: 'https://login.example.com',
    jwks_url: 'https://login.example.com/keys',
    scopes: ['openid', 'email'],
    ...changes,
  };
  return JSON.stringify({ providers: { [name]: entry } });
}

describe('a provider at which nobody logs in', () => {
  const clients = 'clients: { cli: { org: acme, auth: none, grants: [] } }';
  const gate = (changes: Readonly<Record<string, unknown>>) =>
    JSON.stringify({
      providers: { pool: { login: false, accept_access_tokens: { client_ids: ['cli'] }, ...changes } },
    });

  test('needs an issuer, and the place of its keys where nobody can know it', () => {
    const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123';
    const { idps, warnings } = compiled(gate({ issuer }), undefined, clients);
    expect(warnings).toEqual([]);
    expect(idps).toMatchObject([
      { name: 'pool', login: false, proof: { issuer, jwksUrl: `${issuer}/.well-known/jwks.json` } },
    ]);
    const other = 'https://idp.example.com';
    expect(compiled(gate({ issuer: other }), undefined, clients).warnings.join()).toMatch(
      /its `jwks_url` is not known/,
    );
    expect(compiled(gate({}), undefined, clients).warnings.join()).toMatch(/its `issuer` is not known/);
    const keys = { issuer: other, jwks_url: `${other}/keys` };
    expect(compiled(gate(keys), undefined, clients).idps).toHaveLength(1);
  });

  test('may only make assertions, which is said apart', () => {
    const keys = { issuer: 'https://idp.example.com', jwks_url: 'https://idp.example.com/keys' };
    const text = (entry: object) => JSON.stringify({ providers: { office: { ...keys, ...entry } } });
    const policy = (entry: object) => policyOf({ idps: compiled(text(entry)).idps });
    const only = policy({ login: false, accept_assertions: true });
    expect([only.hasLogin, only.hasAssertions]).toEqual([false, true]);
    expect(only.vouchers.flatMap(({ org }) => only.assertingIdpsOf(org)).map(({ name }) => name)).toEqual([
      'office',
    ]);
    expect(problems(text({ login: false, accept_assertions: false })).join()).toMatch(/nothing is taken/);
  });

  test('is none of those at which users log in, and its tokens are taken', () => {
    const text = JSON.stringify({
      providers: {
        ...JSON.parse(gate({ issuer: 'https://idp.example.com', jwks_url: 'https://idp.example.com/keys' }))
          .providers,
        ...JSON.parse(one({ accept_access_tokens: { client_ids: ['cli'] } })).providers,
        ...JSON.parse(one({}, 'other')).providers,
      },
    });
    const result = compile(text, undefined, clients);
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    const policy = new Policy(result.value.snapshot, 1);
    expect([...policy.idps.keys()]).toEqual(['company', 'other']);
    expect(policy.idpsOf('acme').map(({ name }) => name)).toEqual(['company', 'other']);
    expect(policy.acceptedIdps.map(({ name }) => name)).toEqual(['pool', 'company']);
  });

  test('alone opens no login', () => {
    const text = gate({ issuer: 'https://idp.example.com', jwks_url: 'https://idp.example.com/keys' });
    const result = compile(text, undefined, clients);
    expect(result.ok && new Policy(result.value.snapshot, 1).hasLogin).toBe(false);
  });
});

describe('a generic provider', () => {
  test('has every value in its place, and of its secret the name alone', () => {
    const text = one({
      display_name: 'Company',
      groups_claim: 'teams',
      username_claim: 'preferred_username',
      token_auth: 'client_secret_basic',
      accept_access_tokens: { client_ids: ['cli'], audience: 'api' },
      org: 'acme',
      private: true,
    });
    const clients = 'clients: { cli: { org: acme, auth: none, grants: [] } }';
    expect(compiled(text, undefined, clients)).toEqual({
      warnings: [],
      idps: [
        {
          name: 'company',
          displayName: 'Company',
          org: 'acme',
          private: true,
          clientId: 'c-1',
          clientSecretName: 'sallyport/{stage}/env/COMPANY_SECRET',
          tokenAuth: 'client_secret_basic',
          authUrl: 'https://login.example.com/authorize',
          tokenUrl: 'https://login.example.com/token',
          scopes: ['openid', 'email'],
          usernameClaim: 'preferred_username',
          proof: {
            kind: 'id_token',
            issuer: 'https://login.example.com',
            jwksUrl: 'https://login.example.com/keys',
            groupsClaim: 'teams',
          },
          acceptAccessTokens: { clientIds: ['cli'], audience: 'api' },
        },
      ],
    });
  });

  test('may leave out what has a default', () => {
    const [idp] = compiled(one({ scopes: undefined, client_secret: undefined })).idps;
    expect(idp).toMatchObject({
      displayName: 'company',
      org: 'acme',
      private: false,
      clientSecretName: undefined,
      tokenAuth: 'client_secret_post',
      scopes: ['openid'],
      usernameClaim: 'email',
      proof: { groupsClaim: undefined },
      acceptAccessTokens: undefined,
    });
  });

  test('belongs to the one organisation of an installation without any', () => {
    expect(compiled(one({}), '').idps).toMatchObject([{ org: 'default' }]);
  });

  test.for([
    ['false', 0],
    [false, 0],
    ['False', 0],
    ['true', 1],
    ['True', 1],
    [true, 1],
    [undefined, 1],
    ['${ENABLED:-false}', 0],
    ['${ENABLED:-true}', 1],
  ] as const)('with `enabled: %j` is there %i times', ([enabled, count]) => {
    expect(compiled(one({ enabled })).idps).toHaveLength(count);
  });

  test.for(['yes', 1, '${ENABLED}', '', null])('is refused with `enabled: %j`', (enabled) => {
    expect(problems(one({ enabled }))).toEqual([expect.stringContaining('write true or false')]);
  });
});

describe('what is known of a kind', () => {
  const GUID = '11111111-2222-3333-4444-555555555555';
  test.for([
    [
      'google',
      'https://accounts.google.com/o/oauth2/auth',
      'https://accounts.google.com',
      'https://www.googleapis.com/oauth2/v3/certs',
    ],
    [
      'entra',
      `https://login.microsoftonline.com/${GUID}/oauth2/v2.0/authorize`,
      `https://login.microsoftonline.com/${GUID}/v2.0`,
      `https://login.microsoftonline.com/${GUID}/discovery/v2.0/keys`,
    ],
    [
      'okta',
      'https://acme.okta.com/oauth2/v1/authorize',
      'https://acme.okta.com',
      'https://acme.okta.com/oauth2/v1/keys',
    ],
    [
      'okta-custom',
      'https://acme.okta.com/oauth2/default/v1/authorize',
      'https://acme.okta.com/oauth2/default',
      'https://acme.okta.com/oauth2/default/v1/keys',
    ],
    [
      'keycloak',
      'https://sso.example.com/realms/staff/protocol/openid-connect/auth',
      'https://sso.example.com/realms/staff',
      'https://sso.example.com/realms/staff/protocol/openid-connect/certs',
    ],
    [
      'old-keycloak',
      'https://sso.example.com/auth/realms/staff/protocol/openid-connect/auth',
      'https://sso.example.com/auth/realms/staff',
      'https://sso.example.com/auth/realms/staff/protocol/openid-connect/certs',
    ],
    [
      'auth0',
      'https://login.example.com/authorize',
      'https://login.example.com/',
      'https://login.example.com/.well-known/jwks.json',
    ],
    [
      'tenant',
      'https://acme.eu.auth0.com/authorize',
      'https://acme.eu.auth0.com/',
      'https://acme.eu.auth0.com/.well-known/jwks.json',
    ],
    [
      'pingfederate',
      'https://ping.example.com:9031/as/authorization.oauth2',
      'https://ping.example.com:9031',
      'https://ping.example.com:9031/pf/JWKS',
    ],
  ] as const)('%s at %s', ([name, auth_url, issuer, jwksUrl]) => {
    const text = one({ auth_url, issuer: undefined, jwks_url: undefined }, name);
    expect(compiled(text)).toMatchObject({ warnings: [], idps: [{ proof: { issuer, jwksUrl } }] });
  });

  test('what is written goes before what is known', () => {
    const auth_url = 'https://acme.okta.com/oauth2/v1/authorize';
    expect(compiled(one({ auth_url })).idps).toMatchObject([
      { proof: { issuer: 'https://login.example.com', jwksUrl: 'https://login.example.com/keys' } },
    ]);
  });

  test('a Cognito pool is named by its issuer, and its default domain by the pool', () => {
    const auth = 'https://auto.auth.eu-central-1.amazoncognito.com/oauth2';
    const text = one({
      auth_url: `${auth}/authorize`,
      token_url: `${auth}/token`,
      issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123',
      jwks_url: undefined,
    });
    const host = 'https://eu-central-1abc123.auth.eu-central-1.amazoncognito.com/oauth2';
    expect(compiled(text).idps).toMatchObject([
      {
        authUrl: `${host}/authorize`,
        tokenUrl: `${host}/token`,
        proof: {
          jwksUrl: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC123/.well-known/jwks.json',
        },
      },
    ]);
  });

  test('GitHub has a user endpoint in place of an issuer', () => {
    const text = one({
      auth_url: 'https://github.com/login/oauth/authorize',
      user_info_url: 'https://api.github.com/user',
      scopes: ['read:user'],
      issuer: undefined,
      jwks_url: undefined,
    });
    expect(compiled(text).idps).toMatchObject([
      { proof: { kind: 'github', userInfoUrl: 'https://api.github.com/user', groupsClaim: undefined } },
    ]);
    const withGroups = (groups_claim: unknown) =>
      JSON.stringify({ providers: { github: { ...JSON.parse(text).providers.company, groups_claim } } });
    expect(compiled(withGroups('id')).idps).toMatchObject([{ proof: { groupsClaim: 'id' } }]);
    expect(compiled(withGroups(null)).idps).toMatchObject([{ proof: { groupsClaim: undefined } }]);
    expect(problems(withGroups('login'))).toEqual([expect.stringContaining('write one of: id')]);
  });
});

describe('an entry is off, with a warning,', () => {
  test.for([
    [{ client_id: '${NO_SUCH_ID}' }, 'the variable `NO_SUCH_ID` has no value'],
    [{ auth_url: 'https://${HOST}/authorize' }, 'the variable `HOST` has no value'],
    [{ scopes: ['openid', '${EXTRA}'] }, 'the variable `EXTRA` has no value'],
    [{ issuer: undefined }, 'its `issuer` is not known; write it'],
    [{ jwks_url: undefined }, 'its `jwks_url` is not known; write it'],
    [
      {
        auth_url: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
        issuer: undefined,
        jwks_url: undefined,
      },
      'write the tenant id (a GUID) into the addresses of Entra ID',
    ],
    [
      {
        auth_url: 'https://login.microsoftonline.com/authorize',
        issuer: undefined,
        jwks_url: undefined,
      },
      'write the tenant id (a GUID) into the addresses of Entra ID',
    ],
  ] as const)('with %j', ([changes, reason]) => {
    const { idps, warnings } = compiled(one(changes));
    expect(idps).toEqual([]);
    expect(warnings).toEqual([`idps.yml:1 \`company\` is off: ${reason}`]);
  });

  test('but not for a variable of what is not used here', () => {
    const text = one({ logout_url: 'https://${HOST}/logout', user_info_url: 'https://${HOST}/me' });
    expect(compiled(text)).toMatchObject({ warnings: [], idps: [{ name: 'company' }] });
  });
});

describe('a mistake', () => {
  test.for([
    [{ client_secret: 'hunter2-hunter2' }, /a secret never stands here/],
    [{ client_secret: 'x${COMPANY_SECRET}' }, /a secret never stands here/],
    [{ client_secret: '${COMPANY_SECRET:-hunter2}' }, /a secret never stands here/],
    [{ client_secret: '' }, /a secret never stands here/],
    [{ client_secret: null }, /a secret never stands here/],
    [{ client_secret: { ref: 'sallyport/prod/clients/x' } }, /a secret never stands here/],
    [{ client_secret: 'hunter2', enabled: false }, /a secret never stands here/],
    [{ auth_url: undefined }, /`client_id`, `auth_url` and `token_url`/],
    [{ token_url: undefined }, /`client_id`, `auth_url` and `token_url`/],
    [{ auth_url: 'http://login.example.com/authorize' }, /https URL/],
    [{ token_url: 'http://127.0.0.1:1/token' }, /https URL/],
    [{ token_url: 'https://169.254.169.254/token', private: true }, /connections to this address/],
    [{ jwks_url: 'https://u:p@login.example.com/keys' }, /no user or password/],
    [{ issuer: 'https://login.example.com/?x=1' }, /without query/],
    [{ scopes: ['email'] }, /`openid` is missing/],
    [{ response_type: 'token' }, /write one of: code/],
    [{ grant_type: 'password' }, /write one of: authorization_code/],
    [{ token_auth: 'none' }, /write one of: client_secret_post/],
    [{ org: 'globex' }, /no organisation `globex`/],
    [{ accept_access_tokens: { client_ids: [] } }, /list whose tokens/],
    [{ accept_access_tokens: true }, /write a map here/],
    [{ tenant: 'x' }, /unknown key `tenant`/],
    [{ auth_url: 'https://github.com/login/oauth/authorize' }, /write `user_info_url`/],
  ] as const)('in %j is found', ([changes, message]) => {
    const found = problems(one(changes));
    expect(found.join('\n')).toMatch(message);
    expect(found.join('\n')).not.toContain('hunter2');
  });

  test.for([
    ['nobody', /idps\.yml:1 .*there is no client `nobody` in clients\.yml/],
    ['theirs', /idps\.yml:1 .*this client is of `rival`, and not of `acme`/],
    [7, /idps\.yml:1 .*write a text here/],
  ] as const)('in the client %j whose tokens are taken is found', ([id, message]) => {
    const text = one({ org: 'acme', accept_access_tokens: { client_ids: ['cli', id] } });
    const client = (org: string) => ({ org, auth: 'none', grants: [] });
    const clients = JSON.stringify({ clients: { cli: client('acme'), theirs: client('rival') } });
    expect(problems(text, 'orgs: { acme: {}, rival: {} }', clients).join('\n')).toMatch(message);
  });

  test('in an entry that serves nothing is found', () => {
    expect(problems(one({ login: false })).join()).toMatch(/nobody logs in here, and nothing is taken/);
    expect(problems(one({ client_id: undefined })).join()).toMatch(
      /has `client_id`, `auth_url` and `token_url`/,
    );
  });

  test('in an address is found once', () => {
    expect(problems(one({ auth_url: 'login.example.com/authorize' }))).toHaveLength(1);
  });

  test('in assertions of GitHub is found', () => {
    const text = one({
      auth_url: 'https://github.com/login/oauth/authorize',
      user_info_url: 'https://api.github.com/user',
      accept_assertions: true,
    });
    expect(problems(text).join()).toMatch(/GitHub signs no assertions; leave this out/);
  });

  test('in access tokens of GitHub is found', () => {
    const text = one({
      auth_url: 'https://github.com/login/oauth/authorize',
      user_info_url: 'https://api.github.com/user',
      accept_access_tokens: { client_ids: ['cli'] },
    });
    const clients = 'clients: { cli: { org: acme, auth: none, grants: [] } }';
    expect(problems(text, undefined, clients).join()).toMatch(/access tokens of GitHub cannot be verified/);
  });

  test('in a name is found', () => {
    expect(problems(one({}, 'My IdP'))).toEqual([expect.stringContaining('is no name')]);
  });

  test.for(['http', 'https'])('in a name that would make a user a client is found: %s', (name) => {
    expect(problems(one({}, name))).toEqual([expect.stringContaining('begins the ids of clients')]);
  });

  test('is to leave the organisation open where there are two', () => {
    expect(problems(one({}), 'orgs: { acme: {}, globex: {} }')).toEqual([
      'idps.yml:1 `providers.company`: say whose users these are: `org: acme`',
    ]);
  });
});

test('a secret may be named in full', () => {
  const ref = 'sallyport/{stage}/env/okta-login';
  expect(compiled(one({ client_secret: { ref } })).idps).toMatchObject([{ clientSecretName: ref }]);
});

test('a policy lists where the users of an organisation log in, and nowhere for a suspended one', () => {
  const entry = (org: string) => JSON.parse(one({ org })).providers.company;
  const text = JSON.stringify({ providers: { a: entry('acme'), b: entry('globex'), c: entry('acme') } });
  const orgs = 'orgs: { acme: {}, globex: { suspended: true } }';
  const result = compile(text, orgs);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const policy = new Policy(result.value.snapshot, 1);
  const names = (org: string) => policy.idpsOf(org).map(({ name }) => name);
  expect([names('acme'), names('globex'), names('initech')]).toEqual([['a', 'c'], [], []]);
});

/** The file of the source system, where it lies beside the project. */
const FIXTURE = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  '..',
  'shared',
  'fixtures',
  'oauth2_providers.yml',
);

describe.runIf(existsSync(FIXTURE))('the file of the source system, unmodified,', () => {
  const source = () => readFileSync(FIXTURE, 'utf8');

  test('loads, and is off without its variables', () => {
    const { idps, warnings } = compiled(source());
    expect(idps).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/`cognito` is off: the variable `COGNITO_CLIENT_ID` has no/),
    ]);
  });

  test('loads with them; what only Cognito knows is asked for', () => {
    const variables = { COGNITO_CLIENT_ID: 'c-1', COGNITO_DOMAIN: 'acme', AWS_REGION: 'eu-central-1' };
    const { warnings } = compiled(interpolated(source(), variables).text);
    expect(warnings).toEqual([
      expect.stringContaining('`cognito` is off: its `issuer` is not known; write it'),
    ]);
  });

  test('logs in at Cognito with the one line that it lacks, and at the others when they are switched on', () => {
    const issuer = 'https://cognito-idp.${AWS_REGION}.amazonaws.com/eu-central-1_X';
    const text = source()
      .replace('display_name: "AWS Cognito"', `display_name: "AWS Cognito"\n    issuer: "${issuer}"`)
      .replaceAll('enabled: false', 'enabled: true');
    const variables = {
      COGNITO_CLIENT_ID: 'c',
      GITHUB_CLIENT_ID: 'h',
      GOOGLE_CLIENT_ID: 'g',
      AWS_REGION: 'eu-central-1',
    };
    const { idps, warnings } = compiled(interpolated(text, variables).text);
    expect(warnings).toEqual([]);
    expect(idps.map(({ name, clientSecretName, proof }) => [name, clientSecretName, proof.kind])).toEqual([
      ['cognito', 'sallyport/{stage}/env/COGNITO_CLIENT_SECRET', 'id_token'],
      ['github', 'sallyport/{stage}/env/GITHUB_CLIENT_SECRET', 'github'],
      ['google', 'sallyport/{stage}/env/GOOGLE_CLIENT_SECRET', 'id_token'],
    ]);
  });
});
