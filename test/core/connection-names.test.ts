import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  connectionNamesKey,
  readConnectionNames,
  writeConnectionNames,
} from '../../functions/core/connection-names.ts';
import { connectionKey } from '../../functions/core/vaulted-connection.ts';

test('names come back as they were written, each once', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
  fc.assert(
    fc.property(fc.array(name, { maxLength: 30 }), (names) => {
      expect(readConnectionNames(writeConnectionNames([...names, ...names]))).toEqual([...new Set(names)]);
    }),
  );
});

test.for(['', 'null', '{}', '{"v":1,"names":"github"}', '{"names":[1,null,"Git Hub","../x","a#b",""]}'])(
  'there are none in %j',
  (text) => {
    expect(readConnectionNames(text)).toEqual([]);
  },
);

test('no more than a hundred are looked at', () => {
  const names = Array.from({ length: 200 }, (_, index) => `p-${index}`);
  expect(readConnectionNames(writeConnectionNames(names))).toHaveLength(100);
  expect(readConnectionNames(JSON.stringify({ names }))).toHaveLength(100);
});

test('they lie beside the connections of the same user, and in the place of none', () => {
  const owner = { orgId: 'acme', subject: 'office:ana' };
  const key = connectionNamesKey(owner);
  expect(connectionKey(owner, 'github')).toEqual({ ...key, id: `${key.id}github` });
});
