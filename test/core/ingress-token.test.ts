import { describe, expect, test } from 'vitest';
import { selectIngressToken } from '../../functions/core/ingress-token.ts';

type Pairs = readonly (readonly [string, string])[];

function select(pairs: Pairs, isContextRoute = false): string {
  const headers = new Headers();
  for (const [name, value] of pairs) headers.append(name, value);
  const selected = selectIngressToken(headers, isContextRoute);
  return selected.ok ? `${selected.value.header}: ${selected.value.token}` : selected.error.reason;
}

const own = ['Authorization', 'Bearer own'] as const;
const ingress = ['X-Authorization', 'Bearer ingress'] as const;
const run = ['X-Service-Token', 'Bearer run'] as const;

describe('precedence', () => {
  test.for<readonly [string, Pairs, boolean, string]>([
    ['nothing', [], false, 'no_token'],
    ['Authorization alone', [own], false, 'authorization: own'],
    ['X-Authorization before Authorization', [own, ingress], false, 'x-authorization: ingress'],
    ['X-Service-Token is no ingress elsewhere', [run], false, 'no_token'],
    ['X-Service-Token is passed over elsewhere', [run, own], false, 'authorization: own'],
    ['X-Service-Token on a context route', [run], true, 'x-service-token: run'],
    ['X-Service-Token before Authorization', [run, own], true, 'x-service-token: run'],
    ['X-Authorization before X-Service-Token', [run, ingress, own], true, 'x-authorization: ingress'],
    ['Authorization on a context route', [own], true, 'authorization: own'],
    ['a bare service token', [['X-Service-Token', 'a.b.c']], true, 'x-service-token: a.b.c'],
  ])('%s', ([, pairs, isContextRoute, selected]) => {
    expect(select(pairs, isContextRoute)).toBe(selected);
  });
});

const MALFORMED = [
  '',
  'Bearer',
  'Bearer ',
  'Bearer  t',
  'Bearer\tt',
  'Bearer t u',
  'Bearer t,u',
  'Bearer t, Bearer t',
  'Bearer "t"',
  'Bearer t;',
  'Bearer =',
  'Bearer t=u',
  'Bearer é',
  'Basic dTpw',
  'Bear t',
  'Bearerx t',
  'token t',
  't',
  'DPoP t',
  'a.b.c d',
];

describe('what is there and malformed is refused, and never falls through', () => {
  test.for(MALFORMED)('%j', (value) => {
    expect(select([['Authorization', value]])).toBe('malformed_token_header');
    expect(select([['X-Authorization', value], own])).toBe('malformed_token_header');
    expect(select([['X-Authorization', value], run, own], true)).toBe('malformed_token_header');
  });

  test.for(MALFORMED.filter((value) => value !== 't' && value !== 'Bearer' && value !== 'Bearer '))(
    '%j as a service token',
    (value) => {
      expect(select([['X-Service-Token', value], own], true)).toBe('malformed_token_header');
    },
  );

  test.for(['Authorization', 'X-Authorization'])('%s twice', (name) => {
    expect(
      select([
        [name, 'Bearer a'],
        [name, 'Bearer a'],
      ]),
    ).toBe('malformed_token_header');
    expect(
      select([
        [name, 'Bearer a'],
        [name.toLowerCase(), 'b'],
      ]),
    ).toBe('malformed_token_header');
  });

  test('a service token twice', () => {
    expect(
      select(
        [
          ['X-Service-Token', 'a'],
          ['X-Service-Token', 'a'],
        ],
        true,
      ),
    ).toBe('malformed_token_header');
  });
});

test('the scheme is read in any case, the token as it is', () => {
  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
    expect(select([['Authorization', `${scheme} A-b._~+/9==`]])).toBe('authorization: A-b._~+/9==');
  }
});
