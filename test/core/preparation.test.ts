import { expect, test } from 'vitest';
import { readMessage } from '../../functions/core/action.ts';
import { isPreparation } from '../../functions/core/preparation.ts';

function messageOf(body: Readonly<Record<string, unknown>>) {
  const read = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...body })), new Headers());
  if (!read.ok) throw new Error(`the test's own message is refused: ${read.error.reason}`);
  return read.value;
}

test.for([
  'initialize',
  'server/discover',
  'ping',
  'logging/setLevel',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
])('%s only prepares a call', (method) => {
  expect(isPreparation(messageOf({ id: 1, method }))).toBe(true);
});

test.for([
  ['tools/call', { name: 'track' }],
  ['prompts/get', { name: 'summarise' }],
  ['resources/read', { uri: 'docs://a' }],
  ['resources/subscribe', { uri: 'docs://a' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } }],
  ['constructor', {}],
] as const)('%s acts, with an id and without', ([method, params]) => {
  expect(isPreparation(messageOf({ id: 1, method, params }))).toBe(false);
  expect(isPreparation(messageOf({ method, params }))).toBe(false);
});

test('a notification prepares, and so does a request without a message; an answer belongs to what acts', () => {
  expect(isPreparation(messageOf({ method: 'notifications/initialized' }))).toBe(true);
  expect(isPreparation(undefined)).toBe(true);
  expect(isPreparation(messageOf({ id: 1, result: {} }))).toBe(false);
});
