import { describe, expect, test } from 'vitest';
import { isHiddenNews, mayBeNews } from '../../functions/core/news.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const policy = policyOf({
  servers: [serverEntry('maps')],
  scopes: [['s', [{ ...scopeRule('maps', ['resources/read']), resources: ['doc://open/**'] }]]],
  clients: [clientEntry('courier', { scopes: ['s'] })],
});
const caller = callerOf(issuer, policy, ['s']);
const hidden = (text: string) => isHiddenNews(text, () => ({ policy, caller, nowSeconds: 0 }), 'maps');
const news = (uri: unknown, method = 'notifications/resources/updated') =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { uri } });
const SECRET = news('doc://secret');

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
    ['in a batch', `[${news('doc://open/a')},${SECRET}]`],
    ['that two readers read differently', SECRET.replace('{', '{"method":"x",')],
    [
      'whose member is in another case, and which cannot be read',
      SECRET.replace('method', 'Method').slice(0, -1),
    ],
  ] as const)('%s', ([, text]) => {
    expect(hidden(text)).toBe(true);
    expect(mayBeNews(Buffer.from(text))).toBe(true);
  });
});

describe('not hidden is', () => {
  test.for([
    ['news of what the caller may read', news('doc://open/a')],
    ['a batch of such', `[${news('doc://open/a')}]`],
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
    expect(hidden(text)).toBe(false);
  });
});

test.for([
  '{"method":"notifications/resources/list_changed"}',
  '{"result":{"content":[{"type":"text","text":"\\u00e9 \\u0026 \\u0022 \\u003c \\n"}]}}',
])('in most messages there cannot be any, so that they are not read: %s', (text) => {
  expect(mayBeNews(Buffer.from(text))).toBe(false);
});
