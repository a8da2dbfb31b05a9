import { expect, test } from 'vitest';
import { compare, type Disagreement } from './compare.ts';
import { Numeral } from './plain.ts';
import { Production } from './production.ts';
import { writePlain } from './text.ts';
import type { Ask, Claims } from './world.ts';

const SUNDAY = Date.parse('2026-11-22T12:00:00Z') / 1000;
const MONDAY = Date.parse('2026-11-23T12:00:00Z') / 1000;

/** Every subset of them is a policy. */
const RULES: readonly Record<string, unknown>[] = [
  { server: 'a', methods: ['initialize', 'tools/list'] },
  { server: 'a', methods: ['tools/call'], tools: ['t1'] },
  { server: '*', methods: ['*'], tools: ['all'], when: { days: ['mon'] } },
  { server: 'a', methods: ['all'], prompts: ['p1'], resources: ['docs://{org_id}/*'] },
  {
    server: 'a',
    methods: ['tools/call'],
    tools: ['t1', 't2'],
    arguments: {
      t2: { properties: { limit: { type: 'integer', maximum: new Numeral('9007199254740992') } } },
    },
  },
  { server: 'a', deny: true, tools: ['t1'] },
  {
    server: '*',
    deny: true,
    methods: ['prompts/get', 'tools/call'],
    resources: ['docs://acme/x'],
    tools: ['t2'],
  },
  { server: 'a', deny: true, when: { hours: '22:00-12:00' } },
];

const CALLERS: readonly Claims[] = [
  { sub: 'bot', client_id: 'bot', org_id: 'acme', scope: 's', token_kind: 'session' },
  { sub: 'bot', client_id: 'bot', org_id: 'acme', scope: '', token_kind: 'session' },
];

const ASKS: readonly Ask[] = [
  ...['initialize', 'server/discover', 'ping', 'tools/list', 'x/unknown', '*'].map((method) => ask(method)),
  ask('notifications/cancelled', undefined, 'notification'),
  ask('notifications/x', undefined, 'notification'),
  ...['t1', 't2', 't3', 'tools/call', '*'].map((name) => ask('tools/call', { name })),
  ...['9007199254740992', '9007199254740993'].map((limit) =>
    ask('tools/call', { name: 't2', arguments: { limit: new Numeral(limit) } }),
  ),
  ask('tools/call', { name: 't2', arguments: null }),
  ...['p1', 'p2', 't1'].map((name) => ask('prompts/get', { name })),
  ...['docs://acme/x', 'docs://acme/X', 'docs://acme/y', 'docs://acme/../y', 'docs://acme/y/z'].map((uri) =>
    ask('resources/read', { uri }),
  ),
  ask('completion/complete', { ref: { type: 'ref/prompt', name: 'p1' }, argument: { name: 'x', value: '' } }),
];

function ask(method: string, params?: unknown, kind: 'request' | 'notification' = 'request'): Ask {
  const id = kind === 'request' ? { id: new Numeral('1') } : {};
  return { server: 'a', message: writePlain({ jsonrpc: '2.0', ...id, method, params }) };
}

test('the decision is what the documentation says of every policy of some rules and every request', () => {
  const production = new Production();
  const disagreements: Disagreement[] = [];
  let [pairs, allowed] = [0, 0];
  for (let subset = 0; subset < 2 ** RULES.length; subset += 1) {
    const rules = RULES.filter((_, index) => (subset & (1 << index)) !== 0);
    const bot = { org: 'acme', secret: { ref: 'sallyport/{stage}/clients/bot' }, scopes: ['s'] };
    const files = new Map([
      ['scopes.yml', writePlain({ s: rules })],
      ['servers.yml', writePlain({ servers: { a: { url: 'https://a.example.com/mcp' } } })],
      ['clients.yml', writePlain({ clients: { bot } })],
      ['orgs.yml', writePlain({ orgs: { acme: {} } })],
    ]);
    const world = { files, callers: CALLERS, asks: ASKS, lists: [], momentsSeconds: [SUNDAY, MONDAY] };
    const tally = compare(production, world, { seed: 0, world: subset });
    pairs += tally.pairs;
    allowed += tally.allowed;
    disagreements.push(...tally.disagreements);
  }
  expect(disagreements.slice(0, 1)).toEqual([]);
  expect(pairs).toBe(2 ** RULES.length * CALLERS.length * ASKS.length * 2);
  expect(allowed).toBeGreaterThan(1_000);
}, 120_000);
