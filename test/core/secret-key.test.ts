import fc from 'fast-check';
import { expect, test } from 'vitest';
import { credentialName } from '../../functions/core/credential.ts';
import { readSecretKey, secretNameOf, writeSecretKey } from '../../functions/core/secret-key.ts';

const encoded = (id: string) => `b64.${Buffer.from(id).toString('base64url')}`;

test.for([
  ['_default', { kind: 'default' }],
  ['client.report-agent', { kind: 'client', id: 'report-agent' }],
  ['user.u.1', { kind: 'user', id: 'u.1' }],
  [`user.${encoded('idp:ann@example.com')}`, { kind: 'user', id: 'idp:ann@example.com' }],
  [`client.${encoded('b64.x')}`, { kind: 'client', id: 'b64.x' }],
] as const)('%s is an owner of a secret, and is written so', ([text, key]) => {
  expect(readSecretKey(text)).toEqual(key);
  expect(writeSecretKey(key)).toBe(text);
});

test.for([
  '',
  'client',
  'client.',
  'user.',
  '_defaults',
  'default',
  'Client.a',
  'client.a/b',
  'client.a b',
  'user.idp:ann',
  `client.${encoded('plain')}`,
  'client.b64.',
  'client.b64.!',
  `client.${encoded('a:b')}=`,
  'user.b64.gICA',
  '../client.a',
])('%j is nothing that the gateway looks for', (text) => {
  expect(readSecretKey(text)).toBeUndefined();
});

test('what is written of any id is read as that id, and is where the gateway looks', () => {
  const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(id, fc.constantFrom('client', 'user'), (text, kind) => {
      expect(readSecretKey(writeSecretKey({ kind, id: text }))).toEqual({ kind, id: text });
      const owner = { orgId: 'acme', clientId: text, subject: text };
      expect(secretNameOf('prod', 'acme', 'maps', { kind, id: text })).toBe(
        credentialName('prod', 'maps', kind, owner),
      );
    }),
  );
});
