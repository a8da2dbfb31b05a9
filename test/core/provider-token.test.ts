import { describe, expect, test } from 'vitest';
import { clientBasic } from '../../functions/core/client-basic.ts';
import { parseJsonText } from '../../functions/core/json.ts';
import {
  authenticateAt,
  type ProviderRefusal,
  readProviderTokens,
} from '../../functions/core/provider-token.ts';
import { Secret } from '../../functions/core/secret.ts';

function read(status: number, body: unknown) {
  const parsed = parseJsonText(JSON.stringify(body));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  const tokens = readProviderTokens(status, parsed.value);
  if (!tokens.ok) return tokens.error;
  const { accessToken, refreshToken, ...rest } = tokens.value;
  return { ...rest, accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal() };
}

const BASE = { access_token: 'at', token_type: 'bearer' };

describe('an answer with tokens', () => {
  const ROWS: readonly (readonly [string, object, object])[] = [
    [
      'is read whole',
      { refresh_token: 'rt', expires_in: 60, scope: 'a b' },
      { refreshToken: 'rt', lifetimeSeconds: 60, scopes: ['a', 'b'] },
    ],
    ['may say nothing else', {}, { refreshToken: undefined, lifetimeSeconds: undefined, scopes: undefined }],
    ['may be a user’s of Slack', { token_type: 'user', scope: 'a,b' }, { scopes: ['a', 'b'] }],
    ['may leave its type out', { token_type: undefined }, { accessToken: 'at' }],
    ['names scopes in a list, each once', { scope: ['a', 7, 'a', 'b', ''] }, { scopes: ['a', 'b'] }],
    ['names none in an empty text', { scope: ' ' }, { scopes: undefined }],
    ['says its life as a text', { expires_in: '3599.9' }, { lifetimeSeconds: 3_599 }],
    ['says a life that is no number', { expires_in: 'soon' }, { lifetimeSeconds: undefined }],
    ['says no life at all', { expires_in: 0 }, { lifetimeSeconds: undefined }],
    ['says a life before now', { expires_in: -5 }, { lifetimeSeconds: undefined }],
    ['says a life of ages', { expires_in: 9_999_999_999 }, { lifetimeSeconds: 315_360_000 }],
    ['says a life that is an object', { expires_in: {} }, { lifetimeSeconds: undefined }],
    ['has a refresh token that cannot be sent', { refresh_token: 'a b' }, { refreshToken: undefined }],
    ['has scopes that are none', { scope: 7 }, { scopes: undefined }],
  ];
  test.for(ROWS)('%s', ([, body, expected]) => {
    expect(read(200, { ...BASE, ...body })).toMatchObject(expected);
  });
});

describe('an answer without tokens', () => {
  type Row = readonly [string, number, unknown, ProviderRefusal['refused'], boolean];
  const ROWS: readonly Row[] = [
    ['refuses the grant', 400, { error: 'invalid_grant' }, 'grant', false],
    ['refuses the grant with 200', 200, { ...BASE, error: 'bad_refresh_token' }, 'grant', false],
    [
      'refuses a refresh token as Atlassian does',
      403,
      { error: 'unauthorized_client', error_description: 'refresh_token is invalid' },
      'grant',
      false,
    ],
    ['refuses us, and not the refresh token', 403, { error: 'unauthorized_client' }, 'unclear', false],
    ['refuses us', 400, { error: 'invalid_client' }, 'client', false],
    ['refuses us without a word', 401, {}, 'client', false],
    ['fails', 500, {}, 'unclear', true],
    ['refuses, and says nothing', 400, {}, 'doubtful', false],
    ['fails with a page that names the grant', 503, { error: 'invalid_grant' }, 'unclear', true],
    ['has had enough, and names us', 429, { error: 'invalid_client' }, 'unclear', true],
    ['has had enough', 429, {}, 'unclear', true],
    ['is too late', 408, {}, 'unclear', true],
    ['wants the user there', 400, { error: 'interaction_required' }, 'grant', false],
    ['wants the user’s consent', 400, { error: 'consent_required' }, 'grant', false],
    ['wants the user signed in', 400, { error: 'login_required' }, 'grant', false],
    [
      'refuses a refresh token as X does',
      400,
      { error: 'invalid_request', error_description: 'Value passed for the token was invalid.' },
      'doubtful',
      false,
    ],
    ['refuses, and names what nobody knows', 403, { error: 'nonsense' }, 'doubtful', false],
    ['refuses without a word of OAuth', 422, { status: 'BAD_REFRESH_TOKEN' }, 'doubtful', false],
    ['lets us use no refresh tokens', 400, { error: 'unsupported_grant_type' }, 'unclear', false],
    ['refuses with a page', 400, null, 'unclear', false],
    ['refuses with a list', 403, [], 'unclear', false],
    ['is not there', 404, { error: 'not_found' }, 'unclear', false],
    ['is busy', 400, { error: 'temporarily_unavailable' }, 'unclear', true],
    ['is busy as Google is', 403, { error: 'rate_limit_exceeded' }, 'unclear', true],
    ['is busy as Slack is', 200, { ok: false, error: 'ratelimited' }, 'unclear', true],
    ['names with 200 what nobody knows', 200, { error: 'nonsense' }, 'unclear', false],
    ['has no token', 200, {}, 'unclear', false],
    ['has a token that is no text', 200, { access_token: 1 }, 'unclear', false],
    ['has a token that would end a header', 200, { access_token: 'a\r\nb' }, 'unclear', false],
    ['has a token without end', 200, { access_token: 'a'.repeat(16_385) }, 'unclear', false],
    ['has a token of another type', 200, { ...BASE, token_type: 'DPoP' }, 'unclear', false],
    ['has a type that is no text', 200, { ...BASE, token_type: 7 }, 'unclear', false],
    ['is a list', 200, [], 'unclear', false],
    ['is nothing', 200, null, 'unclear', false],
  ];
  test.for(ROWS)('%s', ([, status, body, refused, isOutage]) => {
    expect(read(status, body)).toMatchObject({ refused, isOutage });
  });

  test('is told to an operator by a known error alone: anything else may be what was sent', () => {
    expect(read(400, { error: 'invalid_scope' })).toMatchObject({ detail: 'status 400, invalid_scope' });
    expect(read(400, { error: 'refresh-token-1' })).toMatchObject({
      detail: 'status 400, no known error code',
    });
  });
});

describe('our client at a provider', () => {
  const secret = new Secret('word with space');

  test.for([
    ['client_secret_post', secret, { client_id: 'id 1', client_secret: 'word with space' }, false],
    ['client_secret_post', undefined, { client_id: 'id 1' }, false],
    ['client_secret_basic', undefined, { client_id: 'id 1' }, false],
    ['client_secret_basic', secret, {}, true],
  ] as const)('by %s', ([tokenAuth, word, form, hasHeader]) => {
    const parameters = new URLSearchParams();
    const headers = authenticateAt({ clientId: 'id 1', tokenAuth }, word, parameters);
    expect(Object.fromEntries(parameters)).toEqual(form);
    expect(headers).toEqual(hasHeader ? [['authorization', clientBasic('id 1', secret)]] : []);
  });
});
