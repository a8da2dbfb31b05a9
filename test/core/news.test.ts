import { describe, expect, test } from 'vitest';
import { mayBeNews, withoutHiddenNews } from '../../functions/core/news.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const policy = policyOf({
  servers: [serverEntry('maps')],
  scopes: [['s', [{ ...scopeRule('maps', ['resources/read']), resources: ['doc://open/**'] }]]],
  clients: [clientEntry('courier', { scopes: ['s'] })],
});
const caller = callerOf(issuer, policy, ['s']);
const told = (text: string) => withoutHiddenNews(text, () => ({ policy, caller, nowSeconds: 0 }), 'maps');
const news = (uri: unknown, method = 'notifications/resources/updated') =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { uri } });
const SECRET = news('doc://secret');
const OPEN = news('doc://open/a');
const ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}';

describe('hidden is news', () => {
  test.for([
    ['of a resource that the caller may not read', SECRET],
    ['with other spaces', JSON.stringify(JSON.parse(SECRET), null, 1)],
    ['that names nothing', news(undefined)],
    ['that names what is no text', news(7)],
    ['without parameters', '{"method":"notifications/resources/updated"}'],
    ['whose slashes are escaped', SECRET.replaceAll('/', '\\/')],
    ['whose letters are escaped', SECRET.replace('updated', '\\u0075pdat\\u0065d')],
    ['whose member is escaped', SECRET.replace('"method"', '"\\u006Dethod"')],
    ['alone in a batch', `[${SECRET}]`],
    ['in a batch within a batch', `[[${SECRET},${ANSWER}]]`],
    ['whose method is in another case', SECRET.replace('method', 'Method')],
    ['whose parameters are in another case', SECRET.replace('params', 'PARAMS')],
    ['whose parameters are written with a long s', SECRET.replace('params', 'param\u017f')],
    ['whose name is in another case', SECRET.replace('"uri"', '"URI"')],
    ['with another method in another case', SECRET.replace('{', '{"Method":"x",')],
    ['with another method before it', SECRET.replace('"method"', '"method":"x","Method"')],
    ['that names two in two cases', OPEN.replace('{"uri"', '{"URI":"doc://secret","uri"')],
    ['that names the same twice', OPEN.replace('{"uri"', '{"URI":"doc://open/a","uri"')],
    ['with two sorts of parameters', OPEN.replace('{', '{"Params":{"uri":"doc://secret"},')],
    ['with parameters that are none beside others', OPEN.replace('{', '{"Params":7,')],
  ] as const)('%s', ([, text]) => {
    expect(told(text)).toBe('');
    expect(mayBeNews(Buffer.from(text))).toBe(true);
  });
});

describe('what cannot be read is not passed on as it is, nor dropped like news, where some reader could find news in it', () => {
  test.for([
    ['two readers read it differently', SECRET.replace('{', '{"method":"x",')],
    ['it ends too early, in another case', SECRET.replace('method', 'Method').slice(0, -1)],
    ['there are two texts', `${SECRET}${SECRET}`],
  ] as const)('%s', ([, text]) => {
    expect(told(text)).toBe(undefined);
    expect(mayBeNews(Buffer.from(text))).toBe(true);
  });
});

test('of a batch with hidden news the rest stays, digit for digit', () => {
  const answer = '{"jsonrpc":"2.0","id":1.0,"result":{"n":12345678901234567890}}';
  expect(told(`[ ${SECRET}, ${answer}, ${SECRET}, ${OPEN} ]`)).toBe(`[${answer},${OPEN}]`);
});

describe('not hidden is', () => {
  test.for([
    ['news of what the caller may read', news('doc://open/a')],
    ['a batch of such', `[ ${OPEN}, ${ANSWER} ]`],
    [
      'news of what the caller may read, in another case',
      OPEN.replace('"uri"', '"Uri"').replace('method', 'METHOD'),
    ],
    ['news of another kind', news('doc://secret', 'notifications/resources/list_changed')],
    [
      'an answer that holds it as text',
      JSON.stringify({ result: { content: [{ type: 'text', text: SECRET }] } }),
    ],
    [
      'an answer that holds it as a value',
      `{"jsonrpc":"2.0","id":1,"result":{"structuredContent":${SECRET}}}`,
    ],
    ['what cannot be read and is nothing like it', '{"result":{"a":1,"a":"resources/updated"}'],
    ['a text', '"notifications/resources/updated"'],
  ] as const)('%s', ([, text]) => {
    expect(told(text)).toBe(text);
  });
});

test.for([
  '{"method":"notifications/resources/list_changed"}',
  '{"result":{"content":[{"type":"text","text":"\\u00e9 \\u0026 \\u0022 \\u003c \\n"}]}}',
])('in most messages there cannot be any, so that they are not read: %s', (text) => {
  expect(mayBeNews(Buffer.from(text))).toBe(false);
});
