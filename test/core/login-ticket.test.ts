import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  digestOfScopes,
  type LoginTicket,
  loginSecrets,
  readTicket,
  writeTicket,
} from '../../functions/core/login-ticket.ts';

const text = fc.string({ unit: 'binary', minLength: 1 });
const ticket: fc.Arbitrary<LoginTicket> = fc.record({
  request: fc.record({
    clientId: text,
    redirectUri: text,
    codeChallenge: text,
    resource: fc.option(text, { nil: undefined }),
    scopes: fc.option(fc.array(text), { nil: undefined }),
    state: fc.option(text, { nil: undefined }),
    prompt: fc.constantFrom(undefined, 'login' as const),
  }),
  shown: text,
  subject: fc.option(text, { nil: undefined }),
  secret: text,
  expiresAtSeconds: fc.integer({ min: 0, max: 99_999_999_999 }),
});

describe('a ticket', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(ticket, (written) => {
        expect(readTicket(writeTicket(written))).toEqual(written);
      }),
      { numRuns: 2_000 },
    );
  });

  const honest = JSON.parse(
    writeTicket({
      request: {
        clientId: 'app',
        redirectUri: 'https://app.example.com/cb',
        codeChallenge: 'c',
        resource: undefined,
        scopes: ['a'],
        state: undefined,
        prompt: undefined,
      },
      shown: 's',
      subject: undefined,
      secret: 'k',
      expiresAtSeconds: 1,
    }),
  );
  test.for([
    ...Object.keys(honest).map((member) => [member, { [member]: 7 }] as const),
    ['an end that is no number', { e: '1' }],
    ['an end that is no whole number', { e: 1.5 }],
    ['scopes that are no list', { s: 'a' }],
    ['scopes that are no texts', { s: [7] }],
    ['no scopes, said so', { s: null }],
  ] as const)('with another %s is none', ([member, change]) => {
    const isSame = member === 'e' && 'e' in change && change.e === 7;
    expect(readTicket(JSON.stringify({ ...honest, ...change })) === undefined).toBe(!isSame);
  });

  test.for(['', 'null', '[]', '{}', '"x"', '{"c":"a","c":"b"}'])('is not %j', (other) => {
    expect(readTicket(other)).toBeUndefined();
  });
});

describe('the secrets of a login', () => {
  test('are each other for each ticket and each purpose, and none is the secret itself', () => {
    fc.assert(
      fc.property(ticket, text, (one, other) => {
        const seen = Object.values(loginSecrets(one));
        expect(new Set(seen).size).toBe(4);
        expect(seen).not.toContain(one.secret);
        fc.pre(other !== one.secret);
        const others = Object.values(loginSecrets({ ...one, secret: other }));
        expect(others.filter((value) => seen.includes(value))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('have the form that PKCE wants (RFC 7636 §4.1)', () => {
    const { codeVerifier, codeChallenge } = loginSecrets({ secret: 'k' });
    expect(codeVerifier).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(codeChallenge).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});

test('scopes that were shown are told from others, in another order too', () => {
  expect(digestOfScopes(['a', 'b'])).toBe(digestOfScopes(['a', 'b']));
  for (const other of [['b', 'a'], ['a'], ['a', 'b', 'c'], ['ab'], []]) {
    expect(digestOfScopes(other)).not.toBe(digestOfScopes(['a', 'b']));
  }
});
