import { expect, test } from 'vitest';
import { clientBasic } from '../../functions/core/client-basic.ts';
import { Secret } from '../../functions/core/secret.ts';

test.for([
  ['id', 'word', 'id:word'],
  ['id:1', 'p%ü', 'id%3A1:p%25%C3%BC'],
  ['a b', '+', 'a+b:%2B'],
] as const)('%s and %s are encoded as a form encodes them', ([id, word, pair]) => {
  const [scheme, encoded = ''] = clientBasic(id, new Secret(word)).split(' ');
  expect(scheme).toBe('Basic');
  expect(Buffer.from(encoded, 'base64').toString()).toBe(pair);
});
