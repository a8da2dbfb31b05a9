import { describe, expect, test } from 'vitest';
import { type Message, readMessage } from '../../functions/core/action.ts';
import { writeJson } from '../../functions/core/json.ts';
import {
  answerToConnect,
  canBeAsked,
  ownStepOf,
  readRetryState,
  requestStateOf,
  withoutRetry,
  writeRetryState,
} from '../../functions/core/retry-state.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

function message(method: string, params: Readonly<Record<string, unknown>>, isModern = true): Message {
  const meta = isModern ? { [VERSION]: '2026-07-28', [CAPABILITIES]: { elicitation: { url: {} } } } : {};
  const headers = new Headers(isModern ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method } : {});
  const named = params['name'] ?? params['uri'];
  if (isModern && typeof named === 'string') headers.set('mcp-name', named);
  const body = { jsonrpc: '2.0', id: 7, method, params: { _meta: meta, ...params } };
  const read = readMessage(Buffer.from(JSON.stringify(body)), headers);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

describe('the state of a request that was answered by asking', () => {
  const state = {
    caller: '["o","c","u"]',
    server: 's',
    method: 'tools/call',
    name: 'n',
    expiresAtSeconds: 7,
    step: '{"requestState":"its-own"}',
  };

  test('is read as it was written', () => {
    expect(readRetryState(writeRetryState(state))).toEqual(state);
    const without = { ...state, step: undefined };
    expect(readRetryState(writeRetryState(without))).toEqual(without);
  });

  const honest = JSON.parse(writeRetryState(state));
  test.for([
    ...['c', 's', 'm', 'n', 'e'].map((name) => ({ ...honest, [name]: undefined })),
    { ...honest, e: '7' },
    [],
    'x',
  ])('is none as %j', (text) => {
    expect(readRetryState(JSON.stringify(text))).toBe(undefined);
  });

  test('is none where it is no JSON', () => {
    expect(readRetryState('{')).toBe(undefined);
  });
});

describe('a request that is sent again', () => {
  const answers = (action: unknown) => ({ sallyport_connect: { action } });
  const retry = (inputResponses: unknown) =>
    message('tools/call', { name: 'n', arguments: { a: 1 }, requestState: 'sealed', inputResponses });

  test('carries its state', () => {
    expect(requestStateOf(retry({}))).toBe('sealed');
    expect(requestStateOf(message('tools/call', { name: 'n' }))).toBe(undefined);
    expect(requestStateOf(message('tools/call', { name: 'n', requestState: 7 }))).toBe(undefined);
  });

  test('carries none where the method or the era has none', () => {
    expect(requestStateOf(message('tools/list', { requestState: 'x' }))).toBe(undefined);
    expect(requestStateOf(message('tools/call', { name: 'n', requestState: 'x' }, false))).toBe(undefined);
  });

  test.for(['accept', 'decline', 'cancel'] as const)('says that its user chose to %s', (action) => {
    expect(answerToConnect(retry(answers(action)))).toBe(action);
  });

  test.for([undefined, {}, 'x', answers('ACCEPT'), answers(7), { other: { action: 'accept' } }])(
    'says nothing by %j',
    (inputResponses) => {
      expect(answerToConnect(retry(inputResponses))).toBe(undefined);
    },
  );

  test('is what it was before, without what we asked for', () => {
    const original = message('tools/call', { name: 'n', arguments: { a: 1 } });
    expect(writeJson(withoutRetry(retry(answers('accept')), undefined).body)).toBe(writeJson(original.body));
  });

  test('brings back the step of the server behind, digit for digit', () => {
    const step = { requestState: 'its-own', inputResponses: { n: { content: { x: '1.0' } } } };
    const asked = message('tools/call', { name: 'n', arguments: { a: 1 }, ...step });
    const text = ownStepOf(asked)?.replace('"1.0"', '1.0');
    const sentAgain = writeJson(withoutRetry(retry(answers('accept')), text).body);
    expect(sentAgain).toBe(writeJson(asked.body).replace('"1.0"', '1.0'));
  });

  test.for([undefined, '', '[]', '{'])('brings nothing back by %j', (step) => {
    const sentAgain = writeJson(withoutRetry(retry(answers('accept')), step).body);
    expect(sentAgain).not.toMatch(/requestState|inputResponses/);
  });

  test('has a step of its own where it says anything of one, and no more than 16 KB of it', () => {
    expect(ownStepOf(message('tools/call', { name: 'n', inputResponses: {} }))).toBe('{"inputResponses":{}}');
    expect(ownStepOf(message('tools/call', { name: 'n' }))).toBe(undefined);
    const large = { name: 'n', requestState: 'x'.repeat(16_384) };
    expect(ownStepOf(message('tools/call', large))).toBe(undefined);
    const read = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'), new Headers());
    expect(read.ok && ownStepOf(read.value)).toBe(undefined);
  });

  test('has nothing to take out where it has no parameters', () => {
    const read = readMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'), new Headers());
    if (!read.ok) throw new Error(read.error.message);
    expect(withoutRetry(read.value, undefined)).toBe(read.value);
  });
});

describe('a client can be asked', () => {
  const declared = (elicitation: unknown) => ({
    _meta: { [VERSION]: '2026-07-28', [CAPABILITIES]: { elicitation } },
  });

  test.for([
    ['tools/call', { name: 'n' }],
    ['prompts/get', { name: 'n' }],
    ['resources/read', { uri: 'file:///x' }],
  ] as const)('%s', ([method, params]) => {
    expect(canBeAsked(message(method, params))).toBe(true);
  });

  test.for([
    ['another method', message('tools/list', {})],
    [
      'the initialize era',
      message('tools/call', { name: 'n', _meta: { [CAPABILITIES]: { elicitation: { url: {} } } } }, false),
    ],
    ['a client without the capability', message('tools/call', { name: 'n', ...declared(undefined) })],
    ['one that knows forms alone', message('tools/call', { name: 'n', ...declared({}) })],
    ['one that says nonsense', message('tools/call', { name: 'n', ...declared({ url: true }) })],
  ] as const)('not in %s', ([, asked]) => {
    expect(canBeAsked(asked)).toBe(false);
  });
});
