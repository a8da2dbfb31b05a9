import { describe, expect, test } from 'vitest';
import { readEgress } from '../../../functions/core/configuration/egress.ts';
import { readProviders } from '../../../functions/core/configuration/providers.ts';
import { type ConfigurationProblem, YamlReader } from '../../../functions/core/configuration/yaml-reader.ts';

const PROVIDERS = `providers:
  carrier:
    auth_url: https://carrier.example/authorize
    token_url: https://carrier.example/token
    client_id: c-1
  acme-only:
    auth_url: https://acme.example/authorize
    token_url: https://acme.example/token
    client_id: c-2
    org: acme
  idle:
    auth_url: https://idle.example/authorize
    token_url: https://idle.example/token
  machine:
    token_url: https://machine.example/token
    client_id: c-3
    is_m2m: true
`;

function read(egress: string | undefined, of: { readonly name?: string; readonly org?: string } = {}) {
  const problems: ConfigurationProblem[] = [];
  const warnings: ConfigurationProblem[] = [];
  const providers = readProviders(YamlReader.open('providers.yml', PROVIDERS, problems), []);
  const reader = egress === undefined ? undefined : YamlReader.open('servers.yml', egress, problems);
  const { name = 'carrier', org } = of;
  const value = readEgress(reader, { name, org, providers }, warnings);
  const messages = (list: readonly ConfigurationProblem[]) => list.map(({ message }) => message);
  return { value, problems: messages(problems), warnings: messages(warnings) };
}

test('nothing is put on where nothing is written', () => {
  expect(read(undefined)).toEqual({
    value: { mode: 'none', key: 'client', fallback: 'none' },
    problems: [],
    warnings: [],
  });
});

describe('a mode of connections', () => {
  test.for(['user_oauth', 'hybrid'])('%s has the provider of its own name, or another', (mode) => {
    expect(read(`mode: ${mode}`).value).toMatchObject({ mode, provider: 'carrier' });
    const other = read(`mode: ${mode}\nprovider: carrier\nscopes: [parcels.read, parcels.read]`, {
      name: 'x',
    });
    expect(other).toMatchObject({ problems: [], warnings: [] });
    expect(other.value).toMatchObject({ provider: 'carrier', scopes: ['parcels.read'] });
  });

  const WRONG: readonly (readonly [string, string, Parameters<typeof read>[1], RegExp])[] = [
    [
      'mode: user_oauth',
      'of no such name',
      { name: 'x' },
      /has no `x`: write it there, or `provider: NAME` here/,
    ],
    [
      'mode: user_oauth\nprovider: idle',
      'that is not switched on',
      {},
      /`idle` .*no `client_id`.*register an app/,
    ],
    ['mode: hybrid\nprovider: machine', 'without a browser flow', {}, /`machine` .*no browser flow/],
    ['mode: user_oauth\nprovider: acme-only', 'of one organisation, for all', {}, /users of `acme` alone/],
    [
      'mode: user_oauth\nprovider: acme-only',
      'of another organisation',
      { org: 'globex' },
      /write `org: acme` here/,
    ],
    ['mode: user_oauth\nprovider: []', 'that is no text', {}, /write a text/],
  ];
  test.for(WRONG)('is refused: %s: a provider %s', ([text, , of, message]) => {
    expect(read(text, of).problems).toContainEqual(expect.stringMatching(message));
  });

  test('takes the provider of its own organisation', () => {
    expect(read('mode: user_oauth\nprovider: acme-only', { org: 'acme' }).problems).toEqual([]);
  });
});

test('what another mode does not read is worth a look', () => {
  expect(read('mode: identity\nprovider: carrier\nscopes: [a]').warnings).toEqual([
    'nothing reads `provider` in mode `identity`',
    'nothing reads `scopes` in mode `identity`',
  ]);
});

test('a mode must be written, and be one', () => {
  expect(read('key: user').problems).toEqual([expect.stringMatching(/^write `mode`, one of: none/)]);
  expect(read('mode: magic').problems).toEqual([expect.stringMatching(/write one of: none/)]);
});
