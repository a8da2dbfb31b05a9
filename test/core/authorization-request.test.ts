import { describe, expect, test } from 'vitest';
import {
  type AuthorizationRequest,
  parseAuthorizationRequest,
  readAuthorizationQuery,
  stateOf,
} from '../../functions/core/authorization-request.ts';
import { CODE_VERIFIER, challengeOf, REDIRECT_URI } from '../support/logins.ts';
import { clientEntry } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const desk = clientEntry('desk', { scopes: ['maps/read', 'maps/execute'] });
const bound = clientEntry('bound', { scopes: ['maps/read'], audience: 'resource' });
const CHALLENGE = challengeOf(CODE_VERIFIER);
const BASE = { response_type: 'code', code_challenge: CHALLENGE, code_challenge_method: 'S256' };

function ask(changes: Readonly<Record<string, string>> | string, client = desk) {
  const query = new URLSearchParams({ ...BASE, ...(typeof changes === 'string' ? {} : changes) });
  const whole = new URLSearchParams(`${query}${typeof changes === 'string' ? `&${changes}` : ''}`);
  return parseAuthorizationRequest(readAuthorizationQuery(whole), client, REDIRECT_URI, ORIGIN);
}

describe('a client asks a user', () => {
  test.for<readonly [Readonly<Record<string, string>>, Partial<AuthorizationRequest>]>([
    [{}, { clientId: 'desk', redirectUri: REDIRECT_URI, codeChallenge: CHALLENGE }],
    [{}, { resource: undefined, scopes: undefined, state: undefined, prompt: undefined }],
    [
      { state: '', scope: '', prompt: '' },
      { scopes: undefined, state: undefined, prompt: undefined },
    ],
    [{ response_mode: 'query', nonce: 'passed over' }, { prompt: undefined }],
    [{ resource: ORIGIN }, { resource: ORIGIN }],
    [{ resource: `${ORIGIN}/maps/mcp` }, { resource: `${ORIGIN}/maps/mcp` }],
    [{ scope: 'admin maps/execute maps/read' }, { scopes: ['maps/read', 'maps/execute'] }],
    [{ state: 'x y~' }, { state: 'x y~' }],
    [{ prompt: 'none' }, { prompt: 'none' }],
    [{ prompt: 'login' }, { prompt: 'login' }],
    [{ prompt: 'consent select_account' }, { prompt: 'login' }],
    [{ prompt: 'consent' }, { prompt: undefined }],
  ])('by %j for %j', ([changes, expected]) => {
    expect(ask(changes)).toMatchObject({ ok: true, value: expected });
  });

  test.for<readonly [string | Readonly<Record<string, string>>, string, string]>([
    ['state=a&state=b', 'invalid_request', 'state is repeated'],
    ['n%20%22=a&n%20%22=b', 'invalid_request', 'n?? is repeated'],
    [`resource=${ORIGIN}&resource=x`, 'invalid_target', 'ask for one resource at a time'],
    [{ request: 'e30' }, 'request_not_supported', 'request objects are not read'],
    [{ request_uri: 'https://x' }, 'request_uri_not_supported', 'request objects are not read'],
    [{ response_type: '' }, 'invalid_request', 'response_type is missing'],
    [{ response_type: 'token' }, 'unsupported_response_type', 'write response_type=code'],
    [{ response_mode: 'fragment' }, 'invalid_request', 'the only response_mode is query'],
    [
      { code_challenge: '' },
      'invalid_request',
      'PKCE is required: code_challenge with code_challenge_method=S256',
    ],
    [
      { code_challenge_method: 'plain' },
      'invalid_request',
      'PKCE is required: code_challenge with code_challenge_method=S256',
    ],
    [{ resource: 'https://elsewhere.example' }, 'invalid_target', 'resource'],
    [{ scope: 'maps/read  maps/execute' }, 'invalid_scope', 'scopes are separated by one space'],
    [{ scope: 'admin' }, 'invalid_scope', 'none of these scopes is open to this client'],
    [{ state: 'ä' }, 'invalid_request', 'state has at most 2000 characters of ASCII'],
    [{ prompt: 'none login' }, 'invalid_request', 'prompt=none stands alone'],
  ])('and is refused for %j: %s', ([changes, error, description]) => {
    const refused = ask(changes);
    expect(refused).toMatchObject({ ok: false, error: { error } });
    expect(!refused.ok && refused.error.description).toContain(description);
  });

  test('for one server, where it is no client of all', () => {
    for (const changes of ['', `resource=${ORIGIN}`])
      expect(ask(changes, bound)).toMatchObject({
        error: { error: 'invalid_target', description: `name the server: resource=${ORIGIN}/{server}/mcp` },
      });
    expect(ask({ resource: `${ORIGIN}/maps/mcp` }, bound).ok).toBe(true);
  });
});

test('a state goes back where there is one, and one alone', () => {
  const read = (text: string) => stateOf(readAuthorizationQuery(new URLSearchParams(text)));
  expect([read('state=a'), read('state=a&state=b'), read('state=%0a'), read('')]).toEqual([
    'a',
    undefined,
    undefined,
    undefined,
  ]);
});
