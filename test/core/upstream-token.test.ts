import { describe, expect, test } from 'vitest';
import { authorizationForUpstream, readUpstreamToken } from '../../functions/core/upstream-token.ts';

const INGRESS = 'aaa.bbb.ccc';
const ORIGIN = 'https://gate.example.com';
const jwtOf = (iss: string) => `e30.${btoa(JSON.stringify({ iss })).replace(/=+$/, '')}.c2ln`;

/** The `Authorization` that travels where these headers came and the gate's token was found in one of them. */
function travelling(headers: Readonly<Record<string, string>>, tokenHeader = 'x-authorization') {
  return authorizationForUpstream({ tokenHeader, headers: new Headers(headers) });
}

describe('the caller’s own token for a server', () => {
  test.for(['Bearer own', 'bearer own', 'Basic dTpw', 'token ghp_1'])('is %s', (authorization) => {
    expect(travelling({ authorization, 'x-authorization': `Bearer ${INGRESS}` })).toBe(authorization);
  });

  test.for<readonly [string, Readonly<Record<string, string>>, string?]>([
    ['nothing', { 'x-authorization': `Bearer ${INGRESS}` }],
    ['the gate’s token, alone', { authorization: `Bearer ${INGRESS}` }, 'authorization'],
    [
      'what came where the gate’s token came in another header',
      { authorization: 'Bearer own', 'x-authorization': `Bearer ${INGRESS}` },
      'authorization',
    ],
    ['what came without the header of the gate’s token', { authorization: 'Bearer own' }],
    [
      'the gate’s token, once more',
      { authorization: `Bearer ${INGRESS}`, 'x-authorization': `Bearer ${INGRESS}` },
    ],
    [
      'the gate’s token under another scheme',
      { authorization: `token ${INGRESS}`, 'x-authorization': `Bearer ${INGRESS}` },
    ],
    [
      'the gate’s token as a password',
      { authorization: `Basic ${btoa(`u:${INGRESS}`)}`, 'x-authorization': `Bearer ${INGRESS}` },
    ],
    ['no text at all', { authorization: '', 'x-authorization': `Bearer ${INGRESS}` }],
  ])('is not %s', ([, headers, tokenHeader]) => {
    const given = travelling(headers, tokenHeader);
    expect(given === null || !readUpstreamToken(given, ORIGIN).ok).toBe(true);
  });

  test.for([
    null,
    '',
    'own',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer a,b',
    'Digest username="u", nonce="n"',
    'Bearer a\u0001',
    'Be@rer a',
  ])('is one credential, and %j is none', (authorization) => {
    expect(readUpstreamToken(authorization, ORIGIN)).toEqual({
      ok: false,
      error: { reason: 'missing_upstream_token', detail: expect.any(String) },
    });
  });

  test('is sent as it came, and does not come back', () => {
    const read = readUpstreamToken('Bearer own-token', ORIGIN);
    expect(read.ok && [read.value.authorization, read.value.hidden.map((one) => one.reveal())]).toEqual([
      'Bearer own-token',
      ['own-token'],
    ]);
  });

  test('of HTTP Basic does not come back either, in any of its parts', () => {
    const read = readUpstreamToken(`Basic ${btoa('user:pass:word')}`, ORIGIN);
    expect(read.ok && read.value.hidden.map((one) => one.reveal())).toEqual([
      btoa('user:pass:word'),
      'user:pass:word',
      'pass:word',
    ]);
  });

  test.for([
    (token: string) => `Bearer ${token}`,
    (token: string) => `token ${token}`,
    (token: string) => `Basic ${btoa(`a.b:${token}`)}`,
    (token: string) => `Basic ${btoa(`${token}:`)}`,
  ])('is no other token of the gate, in any scheme', (write) => {
    expect(readUpstreamToken(write(jwtOf(ORIGIN)), ORIGIN)).toEqual({
      ok: false,
      error: { reason: 'missing_upstream_token', detail: expect.stringContaining('of the gate') },
    });
    expect(readUpstreamToken(write(jwtOf('https://idp.example.com')), ORIGIN).ok).toBe(true);
  });
});
