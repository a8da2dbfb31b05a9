import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeRevocation,
  planRevocation,
  revocationKindOf,
  storedKindOf,
} from '../../functions/core/revocation-plan.ts';
import { REVOCATION_KINDS } from '../../functions/core/revocation-request.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const targetOf = (kind: (typeof REVOCATION_KINDS)[number], id = 'x') => ({ kind, orgId: 'acme', id });

describe('the entry', () => {
  test.for(['client', 'user', 'team', 'org', 'all'] as const)(
    'for %s ends what was issued until now, with the second by which clocks may differ',
    (kind) => {
      expect(planRevocation(targetOf(kind), { nowSeconds: NOW })).toMatchObject({
        kind: storedKindOf(kind),
        orgId: 'acme',
        id: 'x',
        beforeSeconds: NOW + 1,
      });
    },
  );

  test.for(['token', 'run', 'family'] as const)(
    'for a %s ends it for good: as long as it is remembered',
    (kind) => {
      const entry = planRevocation(targetOf(kind), { nowSeconds: NOW });
      expect(entry.beforeSeconds).toBe(entry.forgetAtSeconds);
    },
  );

  test('is for a login where only a token of it is known', () => {
    expect(planRevocation(targetOf('family', 'login.one.two'), { nowSeconds: NOW }).id).toBe('login');
    expect(planRevocation(targetOf('token', 'login.one'), { nowSeconds: NOW }).id).toBe('login.one');
  });

  test.for([
    [NOW - DAY, NOW - DAY + 1],
    [NOW, NOW + 1],
    [NOW + DAY, NOW + 1],
  ])('until %i ends what was issued until %i: never what is to come', ([beforeSeconds, expected]) => {
    const entry = planRevocation(targetOf('org'), { nowSeconds: NOW, beforeSeconds });
    expect(entry.beforeSeconds).toBe(expected);
  });

  test('is remembered for longer than anything that it kills can live', () => {
    fc.assert(
      fc.property(fc.constantFrom(...REVOCATION_KINDS), fc.nat(2 * NOW), (kind, nowSeconds) => {
        const { forgetAtSeconds } = planRevocation(targetOf(kind), { nowSeconds });
        return forgetAtSeconds - nowSeconds >= 30 * DAY + 900;
      }),
    );
  });
});

test('every kind has a name inside, and the same one outside again', () => {
  expect(REVOCATION_KINDS.map((kind) => revocationKindOf(storedKindOf(kind)))).toEqual(REVOCATION_KINDS);
  expect(REVOCATION_KINDS.map(storedKindOf)).toEqual([
    'jti',
    'family',
    'run',
    'client',
    'subject',
    'team',
    'org',
    'platform',
  ]);
});

describe('what it ends is said', () => {
  const wordsOf = (kind: (typeof REVOCATION_KINDS)[number]) =>
    describeRevocation(planRevocation(targetOf(kind, 'thing'), { nowSeconds: NOW })).join('\n');

  test.for(REVOCATION_KINDS)('of %s, by name', (kind) => {
    expect(wordsOf(kind)).toContain(kind === 'all' ? 'every organisation' : 'acme');
    expect(wordsOf(kind).includes('thing')).toBe(!['all', 'org'].includes(kind));
  });

  test.for([
    ['client', '`disabled: true` in clients.yml'],
    ['org', '`suspended: true` in orgs.yml'],
    ['user', 'the identity provider does'],
    ['family', 'does not end the browser session'],
    ['all', 'your own too'],
  ] as const)('with what %s needs beside it', ([kind, words]) => {
    expect(wordsOf(kind)).toContain(words);
  });

  test('with the time until which, in UTC', () => {
    expect(wordsOf('org')).toContain('issued until 2027-01-15T08:00:01Z');
  });
});

describe('an administrator is told what ends, then what does not', () => {
  const told = (kind: (typeof REVOCATION_KINDS)[number]) =>
    describeRevocation(planRevocation(targetOf(kind), { nowSeconds: NOW }));

  test.for([
    ['token', 1, 1],
    ['family', 1, 1],
    ['run', 1, 0],
    ['client', 2, 1],
    ['user', 2, 1],
    ['team', 2, 2],
    ['org', 2, 1],
    ['all', 2, 0],
  ] as const)('of a %s', ([kind, ends, stays]) => {
    const sentences = told(kind);
    expect(sentences.filter((one) => /^ends \S/.test(one))).toEqual(sentences.slice(0, ends));
    expect(sentences.filter((one) => /^does not (?:end|keep) \S/.test(one))).toEqual(sentences.slice(ends));
    expect(sentences).toHaveLength(ends + stays);
  });

  test.for(['client', 'user', 'team', 'org', 'all'] as const)('logins are among it for a %s', (kind) => {
    expect(told(kind)[1]).toMatch(/logins, their codes and refresh tokens, and browser sessions/);
  });

  test('of a run, and of a token, by its name', () => {
    expect(told('run')).toEqual(['ends the run x of acme and its tokens; it gives no more of them']);
    expect(told('token')[0]).toMatch(/^ends the token x of acme, and every token that was narrowed/);
  });
});
