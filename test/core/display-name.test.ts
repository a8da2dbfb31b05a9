import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayName } from '../../functions/core/display-name.ts';

test.for([
  ['Ada', 'Ada'],
  ['a'.repeat(90), 'a'.repeat(80)],
  [`${'a'.repeat(79)}😀 Ada`, `${'a'.repeat(79)}😀`],
  [`${'a'.repeat(80)}😀`, 'a'.repeat(80)],
  ['Bank\u202egnp.exe\u200b\u0007', 'Bankgnp.exe'],
  ['half \ud83d of one', 'half  of one'],
] as const)('a name is shown up to 80 whole characters: %j', ([name, shown]) => {
  expect(displayName(name)).toBe(shown);
});

test('a shown name can always be written and read again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(90), (text, cut) => {
      const shown = displayName(text.slice(cut));
      expect(shown.isWellFormed()).toBe(true);
      expect(Array.from(shown).length).toBeLessThanOrEqual(80);
    }),
  );
});
