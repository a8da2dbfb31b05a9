import { describe, expect, test } from 'vitest';
import { parseJsonText } from '../../functions/core/json.ts';
import { namespaceOf, parseRunRequest } from '../../functions/core/run-request.ts';

function parse(body: unknown) {
  const json = parseJsonText(typeof body === 'string' ? body : JSON.stringify(body));
  if (!json.ok) throw new Error('the test’s own body is no JSON');
  return parseRunRequest(json.value);
}

const context = { namespace: 'voyage-7', scope_filters: { root_session_id: 's-1' } };

describe('a request', () => {
  test('with the least that it needs opens a run that may read and write for an hour', () => {
    expect(parse({ agent_name: 'pilot', context: { namespace: 'voyage-7' } })).toEqual({
      ok: true,
      value: {
        runId: undefined,
        agentName: 'pilot',
        services: new Map([['context-store', new Map([['namespace', 'voyage-7']])]]),
        permissions: ['read', 'write'],
        ttlSeconds: 3600,
        split: false,
      },
    });
  });

  test.for([
    [['read'], ['read']],
    [
      ['write', 'read'],
      ['read', 'write'],
    ],
  ] as const)('for the permissions %j gets %j', ([permissions, expected]) => {
    expect(parse({ agent_name: 'pilot', context, permissions })).toMatchObject({
      value: { permissions: expected },
    });
  });

  test('may name several services, with members that only they understand', () => {
    const charts = { namespace: 'atlas', chart_id: 'c-1', layers: [1, 2.5] };
    const request = parse({ agent_name: 'pilot', context, services: { charts }, split: true });
    const services = request.ok ? request.value.services : new Map();
    expect([...services.keys()]).toEqual(['context-store', 'charts']);
    expect(namespaceOf(services.get('charts') ?? new Map())).toBe('atlas');
  });

  test.for([
    [1, 1],
    [60, 60],
    [3600, 3600],
    [3601, 3600],
    [999_999_999, 3600],
  ])('for %i s gets tokens of %i s', ([ttl, lifetime]) => {
    expect(parse({ agent_name: 'pilot', context, ttl })).toMatchObject({ value: { ttlSeconds: lifetime } });
  });
});

const bad: readonly (readonly [string, unknown, string])[] = [
  ['an array', [], 'JSON object'],
  ['no agent name', { context }, '`agent_name`'],
  ['an agent name with a line break', { agent_name: 'a\nb', context }, '`agent_name`'],
  ['no context and no services', { agent_name: 'pilot' }, '`context` is missing'],
  ['services that are a list', { agent_name: 'pilot', context, services: [] }, '`services` is an object'],
  ['no services in services', { agent_name: 'pilot', services: {} }, '`context` is missing'],
  ['a context without a namespace', { agent_name: 'pilot', context: {} }, '`context.namespace`'],
  ['a namespace with a #', { agent_name: 'pilot', context: { namespace: 'a#b' } }, '`context.namespace`'],
  ['a namespace that is a number', { agent_name: 'pilot', context: { namespace: 7 } }, '`context.namespace`'],
  [
    'filters that are a list',
    { agent_name: 'pilot', context: { ...context, scope_filters: [] } },
    'scope_filters',
  ],
  [
    'filters that are null',
    { agent_name: 'pilot', context: { ...context, scope_filters: null } },
    'scope_filters',
  ],
  [
    'a filter that is a number',
    { agent_name: 'pilot', context: { ...context, scope_filters: { a: 1 } } },
    'scope_filters',
  ],
  [
    'a misspelt scope_filters',
    { agent_name: 'pilot', context: { namespace: 'n', scope_filter: {} } },
    'nothing else',
  ],
  ['a misspelt member', { agent_name: 'pilot', context, permission: ['read'] }, 'unknown member'],
  [
    'the context store twice',
    { agent_name: 'pilot', context, services: { 'context-store': context } },
    'once',
  ],
  ['a service name in capitals', { agent_name: 'pilot', services: { Charts: context } }, 'service name'],
  ['a section that is a string', { agent_name: 'pilot', services: { charts: 'atlas' } }, '`services.charts`'],
  [
    'a section that names the issuer',
    { agent_name: 'pilot', services: { charts: { ...context, iss: 'me' } } },
    '`iss`',
  ],
  [
    'a section with an audience',
    { agent_name: 'pilot', services: { charts: { ...context, aud: 'x' } } },
    '`aud`',
  ],
  ['a run id with a slash', { agent_name: 'pilot', context, run_id: 'a/b' }, '`run_id`'],
  ['a run id with a colon', { agent_name: 'pilot', context, run_id: 'okta:sam' }, '`run_id`'],
  ['permissions in one text', { agent_name: 'pilot', context, permissions: 'read write' }, '`permissions`'],
  ['no permission', { agent_name: 'pilot', context, permissions: [] }, '`permissions`'],
  ['writing without reading', { agent_name: 'pilot', context, permissions: ['write'] }, '`permissions`'],
  ['a permission twice', { agent_name: 'pilot', context, permissions: ['read', 'read'] }, '`permissions`'],
  [
    'an unknown permission',
    { agent_name: 'pilot', context, permissions: ['read', 'admin'] },
    '`permissions`',
  ],
  ['a lifetime of 0', { agent_name: 'pilot', context, ttl: 0 }, '`ttl`'],
  ['a lifetime below 0', { agent_name: 'pilot', context, ttl: -5 }, '`ttl`'],
  ['half a second', { agent_name: 'pilot', context, ttl: 0.5 }, '`ttl`'],
  ['a lifetime as text', { agent_name: 'pilot', context, ttl: '60' }, '`ttl`'],
  ['split as text', { agent_name: 'pilot', context, split: 'yes' }, '`split`'],
];

test.for(bad)('%s is refused in words', ([, body, words]) => {
  expect(parse(body)).toMatchObject({
    ok: false,
    error: { reason: 'invalid_argument', message: expect.stringContaining(words) },
  });
});

test('seventeen services are too many', () => {
  const services = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`s${index}`, context]));
  expect(parse({ agent_name: 'pilot', services })).toMatchObject({ ok: false });
});
