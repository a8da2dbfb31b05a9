import { expect, test } from 'vitest';
import { Died, type IsCommand } from '../support/document-tables.ts';
import { documentWorld } from '../support/document-world.ts';

/** What is left of a document by who died before, beside or after its delete: it goes with that delete, or with one of an hour later. */

const world = documentWorld('remains');
const { aDocument, caller, drop, remove, rowsLeft, storeOver, storeWith } = world;

const leftOf = async ({ id }: { readonly id: string }) => (await rowsLeft()).filter((sk) => sk.includes(id));

test('no word stays of a version whose index was removed in part only, by a write that died', async () => {
  const document = aDocument({ content: Buffer.from('secret words of mine') });
  expect((await storeOver().create(caller(), document)).ok).toBe(true);
  let last = '';
  const isRemoval: IsCommand = (_command, input) => {
    if (!/"DeleteRequest".*"TERM#/.test(input)) return false;
    last = [...input.matchAll(/"sk":\{"S":"([^"]+)"/g)].at(-1)?.[1] ?? '';
    return true;
  };
  const { store, isDone } = storeWith(isRemoval, async () => {
    // DynamoDB does the last of a batch, leaves the others undone, and then the function's time is over.
    await drop(last);
    throw new Died('died');
  });
  expect((await store.write(caller(), document.id, Buffer.from('other'), '*')).ok).toBe(true);
  expect([isDone(), last]).toEqual([true, expect.stringMatching(/^(?:TERM|INDEX)#/)]);
  expect((await remove(document)).ok).toBe(true);
  expect(await leftOf(document)).toEqual([]);
});
