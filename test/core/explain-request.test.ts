import { describe, expect, test } from 'vitest';
import { readExplainRequest } from '../../functions/core/explain-request.ts';
import { parseJsonText } from '../../functions/core/json.ts';

function read(body: unknown) {
  const parsed = parseJsonText(JSON.stringify(body));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return readExplainRequest(parsed.value);
}

const ask = { server: 'fin', method: 'tools/call', name: 'quote' };

test('an action is asked about, of the one who asks', () => {
  expect(read(ask)).toEqual({
    ok: true,
    value: {
      actions: [{ server: 'fin', kind: 'request', method: 'tools/call', name: 'quote', arguments: 'unseen' }],
      caller: undefined,
    },
  });
  expect(read({ ...ask, arguments: { a: 'b' } })).toMatchObject({
    value: { actions: [{ arguments: new Map([['a', 'b']]) }] },
  });
  expect(read({ server: 'fin', method: 'ping' })).toMatchObject({
    value: { actions: [{ name: undefined }] },
  });
});

test.for([
  [
    'a notification',
    'notifications/cancelled',
    undefined,
    ['notification notifications/cancelled undefined'],
  ],
  [
    'to complete a prompt',
    'completion/complete',
    'brief',
    ['request completion/complete undefined', 'request prompts/get brief'],
  ],
  [
    'to complete a resource',
    'completion/complete',
    'doc://{a}',
    ['request completion/complete undefined', 'request resources/read doc://{a}'],
  ],
  ['to listen', 'subscriptions/listen', undefined, ['request subscriptions/listen undefined']],
  [
    'to listen to a resource',
    'subscriptions/listen',
    'doc://a',
    ['request subscriptions/listen undefined', 'request resources/read doc://a'],
  ],
] as const)('%s is what the gateway would decide', ([, method, name, actions]) => {
  const asked = read({ server: 'fin', method, ...(name === undefined ? {} : { name }) });
  expect(asked.ok && asked.value.actions.map((one) => `${one.kind} ${one.method} ${one.name}`)).toEqual(
    actions,
  );
});

test('or of somebody assumed', () => {
  const caller = {
    org_id: 'acme',
    client_id: 'desk',
    subject: 'corp:ann',
    groups: ['g'],
    scopes: [],
    teams: ['t'],
  };
  expect(read({ ...ask, caller })).toMatchObject({
    value: {
      caller: {
        orgId: 'acme',
        clientId: 'desk',
        subject: 'corp:ann',
        groups: ['g'],
        scopes: [],
        teams: ['t'],
      },
    },
  });
  const least = read({ ...ask, caller: { client_id: 'desk' } });
  expect(least.ok && least.value.caller).toEqual({ orgId: undefined, clientId: 'desk' });
});

describe('a request is refused', () => {
  const long = Array.from({ length: 101 }, () => 'x');
  test.for<readonly [string, unknown, RegExp]>([
    ['that is no object', [], /send JSON/],
    ['with another member', { ...ask, tool: 'x' }, /only `server`, `method`, `name`, `arguments`, `caller`/],
    ['without a server', { method: 'ping' }, /`server` and `method`/],
    ['without a method', { server: 'fin' }, /`server` and `method`/],
    ['with an empty method', { server: 'fin', method: '' }, /`server` and `method`/],
    ['with a method too long', { server: 'fin', method: 'x'.repeat(129) }, /`server` and `method`/],
    ['with an empty name', { ...ask, name: '' }, /`name` is the name/],
    ['of a prompt without a name', { server: 'fin', method: 'prompts/get' }, /needs a `name`/],
    ['of a completion of nothing', { server: 'fin', method: 'completion/complete' }, /needs a `name`/],
    ['with arguments that are none', { ...ask, arguments: 'x' }, /`arguments` is an object/],
    [
      'with arguments of another method',
      { ...ask, method: 'ping', arguments: {} },
      /`arguments` is an object/,
    ],
    ['of no caller', { ...ask, caller: 'desk' }, /`caller` is an object/],
    ['of a caller without a client', { ...ask, caller: {} }, /`caller.client_id`/],
    ['of a caller with another member', { ...ask, caller: { client_id: 'a', jti: 'x' } }, /a `caller` has/],
    [
      'with an organisation that is none',
      { ...ask, caller: { client_id: 'a', org_id: 1 } },
      /`caller.org_id`/,
    ],
    ['with a subject that is none', { ...ask, caller: { client_id: 'a', subject: '' } }, /`caller.subject`/],
    ['with groups that are none', { ...ask, caller: { client_id: 'a', groups: 'g' } }, /`caller.groups`/],
    ['with scopes that are none', { ...ask, caller: { client_id: 'a', scopes: [1] } }, /`caller.scopes`/],
    ['with too many teams', { ...ask, caller: { client_id: 'a', teams: long } }, /`caller.teams`/],
  ])('%s', ([, body, message]) => {
    const refused = read(body);
    expect(refused.ok ? '' : refused.error).toMatch(message);
  });
});
