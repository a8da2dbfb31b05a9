import { describe, expect, test } from 'vitest';
import { readMessage } from '../../functions/core/action.ts';
import { actionsOf, addressOf } from '../../functions/core/addressed.ts';

/** What a message needs, as `method name`; or the code that it is refused with. */
function needs(method: string, params: unknown): readonly string[] | number {
  const bytes = new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }));
  const message = readMessage(bytes, new Headers());
  if (!message.ok) throw new Error(message.error.message);
  const actions = actionsOf('maps', message.value);
  if (!actions.ok) {
    expect(actions.error.id).toEqual(message.value.id);
    return actions.error.code;
  }
  for (const { server, kind } of actions.value) expect([server, kind]).toEqual(['maps', 'request']);
  return actions.value.map(({ method: needed, name }) =>
    name === undefined ? `${needed}` : `${needed} ${name}`,
  );
}

test.for([
  ['tools/list', {}, ['tools/list']],
  ['tools/call', { name: 'route', arguments: { ref: 1 } }, ['tools/call route']],
  ['resources/read', { uri: 'doc://a' }, ['resources/read doc://a']],
  ['tasks/get', { taskId: 't-1' }, ['tasks/get t-1']],
] as const)('%s needs its own right and no other', ([method, params, expected]) => {
  expect(needs(method, params)).toEqual(expected);
});

test.for<readonly [object, string | undefined]>([
  [{ id: 1, method: 'tools/call', params: { name: 'route' } }, 'route'],
  [{ id: 1, method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: 'greet' } } }, 'greet'],
  [{ id: 1, method: 'completion/complete', params: { ref: { type: 'ref/unknown' } } }, undefined],
  [
    {
      id: 1,
      method: 'subscriptions/listen',
      params: {
        notifications: {
          resourceSubscriptions: [
            'https://a.example.com/x?token=secret',
            'https://ada:secret@b.example.com/y',
            '/z#secret',
          ],
        },
      },
    },
    'https://a.example.com/x?… https://…@b.example.com/y /z?…',
  ],
  [
    {
      id: 1,
      method: 'completion/complete',
      params: { ref: { type: 'ref/resource', uri: 'https:ada:secret@b.example.com/{id}?token=secret' } },
    },
    'https:…@b.example.com/{id}?…',
  ],
  [
    { id: 1, method: 'resources/read', params: { uri: '//ada:secret@b.example.com/x' } },
    '//…@b.example.com/x',
  ],
  [{ id: 1, method: 'tools/call', params: { name: 'ask?draft' } }, 'ask?draft'],
  [{ id: 1, method: 'tools/list' }, undefined],
  [{ id: 1, result: {} }, undefined],
])('%j is recorded with the name %s', ([message, name]) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const read = readMessage(bytes, new Headers());
  if (!read.ok) throw new Error(read.error.message);
  expect(addressOf(read.value)).toBe(name);
});

test('an answer of a client needs nothing but a way to the server', () => {
  const bytes = new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"result":{}}');
  const read = readMessage(bytes, new Headers());
  if (!read.ok) throw new Error(read.error.message);
  const actions = actionsOf('maps', read.value);
  expect(actions.ok && actions.value.map(({ kind, method }) => [kind, method])).toEqual([
    ['response', undefined],
  ]);
});

describe('a completion needs the right to what it completes:', () => {
  const argument = { name: 'city', value: 'pa' };

  test.for([
    [{ type: 'ref/prompt', name: 'greet' }, 'prompts/get greet'],
    [{ type: 'ref/prompt', name: 'greet', uri: 'doc://a' }, 'prompts/get greet'],
    [{ type: 'ref/resource', uri: 'doc://{city}' }, 'resources/read doc://{city}'],
    [{ type: 'ref/resource', uri: 'doc://a', name: 'greet' }, 'resources/read doc://a'],
  ] as const)('%j', ([ref, expected]) => {
    expect(needs('completion/complete', { ref, argument })).toEqual(['completion/complete', expected]);
  });

  test.for([
    undefined,
    null,
    'ref/prompt',
    [],
    {},
    { name: 'greet' },
    { type: 'ref/tool', name: 'route' },
    { type: 'REF/PROMPT', name: 'greet' },
    { type: 'ref/prompt', uri: 'doc://a' },
    { type: 'ref/prompt', name: '' },
    { type: 'ref/prompt', name: 1 },
    { type: 'ref/resource', name: 'greet' },
    { type: 'ref/resource', uri: ['doc://a'] },
  ])('%j is nothing that can be decided on', (ref) => {
    expect(needs('completion/complete', { ref, argument })).toBe(-32602);
  });
});

describe('to listen for changes of resources needs the right to read each:', () => {
  test('two', () => {
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['doc://a', 'doc://b'] };
    expect(needs('subscriptions/listen', { notifications })).toEqual([
      'subscriptions/listen',
      'resources/read doc://a',
      'resources/read doc://b',
    ]);
  });

  test.for([undefined, {}, { notifications: {} }, { notifications: { resourceSubscriptions: [] } }])(
    'none in %j',
    (params) => {
      expect(needs('subscriptions/listen', params)).toEqual(['subscriptions/listen']);
    },
  );

  test('one hundred, of 2,048 characters at most', () => {
    const listen = (resourceSubscriptions: readonly string[]) =>
      needs('subscriptions/listen', { notifications: { resourceSubscriptions } });
    const many = Array.from({ length: 101 }, (_, index) => `doc://${index}`);
    expect(listen(many.slice(1))).toHaveLength(101);
    expect(listen(many)).toBe(-32602);
    const long = `doc://${'a'.repeat(2_042)}`;
    expect(listen([long])).toHaveLength(2);
    expect(listen([`${long}a`])).toBe(-32602);
    const eight = Array.from({ length: 8 }, (_, index) => `doc://${index}${'a'.repeat(2_041)}`);
    expect(listen(eight)).toHaveLength(9);
    expect(listen([...eight, 'd'])).toBe(-32602);
  });

  test.for([null, 'doc://a', { 0: 'doc://a' }, [null], ['doc://a', 1], [''], [['doc://a']]])(
    '%j is nothing that can be decided on',
    (resourceSubscriptions) => {
      expect(needs('subscriptions/listen', { notifications: { resourceSubscriptions } })).toBe(-32602);
    },
  );
});
