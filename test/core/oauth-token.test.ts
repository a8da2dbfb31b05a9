import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { parseJsonText } from '../../functions/core/json.ts';
import type { OAuthClient } from '../../functions/core/oauth-client.ts';
import { readIssuedToken, tokenRequest } from '../../functions/core/oauth-token.ts';
import { Secret } from '../../functions/core/secret.ts';

const NOW = { nowSeconds: 1_800_000_000, jti: 'j-1' };
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const privateKey = new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());

function requestOf(auth: OAuthClient['auth'], parameters: OAuthClient['parameters'] = []) {
  const client = { tokenUrl: 'https://auth.example.com/token', clientId: 'gate way', auth, parameters };
  const request = tokenRequest(client, NOW);
  if (!request.ok) throw new Error(request.error);
  return { form: Object.fromEntries(request.value.form), headers: Object.fromEntries(request.value.headers) };
}

describe('the request for a token', () => {
  test('authenticates by HTTP Basic, each part encoded as in a form', () => {
    const { form, headers } = requestOf({ method: 'client_secret_basic', secret: new Secret('a:b%c') }, [
      ['scope', 'x y'],
    ]);
    expect(form).toEqual({ grant_type: 'client_credentials', scope: 'x y' });
    expect(headers).toEqual({ authorization: `Basic ${btoa('gate+way:a%3Ab%25c')}` });
  });

  test('authenticates in its form', () => {
    const { form, headers } = requestOf({ method: 'client_secret_post', secret: new Secret('a:b') });
    expect(form).toEqual({ grant_type: 'client_credentials', client_id: 'gate way', client_secret: 'a:b' });
    expect(headers).toEqual({});
  });

  test.for([undefined, 'k-1'])('authenticates by an assertion of the key %s', async (keyId) => {
    const { form, headers } = requestOf({ method: 'private_key_jwt', privateKey, keyId });
    const { client_assertion: assertion = '', ...rest } = form;
    expect(rest).toEqual({
      grant_type: 'client_credentials',
      client_id: 'gate way',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(headers).toEqual({});
    const verified = await jwtVerify(assertion, createPublicKey(key), {
      audience: 'https://auth.example.com/token',
      currentDate: new Date(NOW.nowSeconds * 1000),
    });
    expect(verified.protectedHeader).toEqual({
      alg: 'ES256',
      typ: 'JWT',
      kid: keyId ?? expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(verified.payload).toEqual({
      iss: 'gate way',
      sub: 'gate way',
      aud: 'https://auth.example.com/token',
      iat: NOW.nowSeconds,
      exp: NOW.nowSeconds + 60,
      jti: 'j-1',
    });
  });

  test('is not made with a key that cannot sign', () => {
    const auth = { method: 'private_key_jwt', privateKey: new Secret('none'), keyId: undefined } as const;
    const client = { tokenUrl: 'https://a', clientId: 'c', auth, parameters: [] };
    expect(tokenRequest(client, NOW).ok).toBe(false);
  });
});

describe('an answer of a token endpoint', () => {
  test.for<readonly [string, number]>([
    ['"expires_in":3600', 3600],
    ['"expires_in":"3600"', 3600],
    ['"expires_in":59.9', 59],
    ['"expires_in":0', 1],
    ['"expires_in":999999999', 86_400],
    ['"expires_in":-1', 300],
    ['"expires_in":""', 300],
    ['"expires_in":null', 300],
    ['"expires_in":1e3', 300],
    ['"x":1', 300],
  ])('with %s holds a token of %i s', ([member, seconds]) => {
    const body = parseJsonText(`{"access_token":"t-1","token_type":"Bearer",${member}}`);
    const issued = body.ok ? readIssuedToken(body.value) : undefined;
    expect([issued?.token.reveal(), issued?.lifetimeSeconds]).toEqual(['t-1', seconds]);
  });

  test('may leave out the type', () => {
    const body = parseJsonText('{"access_token":"t-1"}');
    expect(body.ok && readIssuedToken(body.value)?.token.reveal()).toBe('t-1');
  });

  test.for([
    '[]',
    '{}',
    '{"access_token":1}',
    '{"access_token":""}',
    '{"access_token":"a b"}',
    '{"access_token":"a\\r\\nx: y"}',
    `{"access_token":"${'a'.repeat(16_385)}"}`,
    '{"access_token":"t","token_type":"DPoP"}',
    '{"access_token":"t","token_type":1}',
  ])('%s holds none', (text) => {
    const body = parseJsonText(text);
    if (!body.ok) throw new Error('no JSON');
    expect(readIssuedToken(body.value)).toBeUndefined();
  });
});
