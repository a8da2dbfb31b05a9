import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdit, parseEdit, parseEditRequest } from '../../../functions/core/documents/edit.ts';
import { DOCUMENT_BOUNDS } from '../../../functions/core/documents/input.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What an edit makes of a text, or why it makes nothing. */
function edited(text: string, request: Record<string, unknown>): unknown {
  const edit = parseEditRequest(request);
  if (!edit.ok) return edit.error.message;
  const applied = applyEdit(bytesOf(text), edit.value);
  if (!applied.ok) return applied.error.message;
  return [Buffer.from(applied.value.content).toString(), applied.value.outcome];
}

const range = (offset: number, old_length: number, new_length: number) => ({
  edit_range: { offset, old_length, new_length },
});

describe('an edit', () => {
  test.for<[string, Record<string, unknown>, unknown]>([
    ['one two', { old_string: 'two', new_string: '2' }, ['one 2', { replacements_made: 1 }]],
    ['one two', { old_string: 'one ', new_string: '' }, ['two', { replacements_made: 1 }]],
    [
      'aXbXc',
      { old_string: 'X', new_string: '--', replace_all: true },
      ['a--b--c', { replacements_made: 2 }],
    ],
    ['aXb', { old_string: 'X', new_string: 'X', replace_all: false }, ['aXb', { replacements_made: 1 }]],
    ['aaaa', { old_string: 'aa', new_string: 'b', replace_all: true }, ['bb', { replacements_made: 2 }]],
    ['größe', { old_string: 'ö', new_string: 'oe' }, ['groeße', { replacements_made: 1 }]],
    ['a.c abc', { old_string: 'a.c', new_string: '$&' }, ['$& abc', { replacements_made: 1 }]],
    ['abc', { offset: 1, length: 1, new_string: 'XY' }, ['aXYc', range(1, 1, 2)]],
    ['abc', { offset: 3, new_string: 'd' }, ['abcd', range(3, 0, 1)]],
    ['', { offset: 0, length: 0, new_string: 'a' }, ['a', range(0, 0, 1)]],
    ['abc', { offset: 0, length: 3, new_string: '' }, ['', range(0, 3, 0)]],
    ['a😀ß語', { offset: 2, length: 1, new_string: '😀' }, ['a😀😀語', range(2, 1, 1)]],
  ])('of %j by %j', ([text, request, expected]) => {
    expect(edited(text, request)).toEqual(expected);
  });

  test.for<[string, Record<string, unknown>, RegExp]>([
    ['is not there', { old_string: 'x', new_string: 'y' }, /`old_string` was not found in the text/],
    ['is there twice', { old_string: 'a', new_string: 'y' }, /`old_string` matches 2 times/],
    ['in both modes', { old_string: 'a', offset: 0, new_string: 'y' }, /`offset` cannot be mixed with/],
    ['in both modes by their options', { replace_all: true, length: 0, new_string: 'y' }, /mixed/],
    ['in no mode', { new_string: 'y' }, /`old_string` or `offset` is required/],
    ['without the new text', { old_string: 'a' }, /`new_string` is required/],
    ['without the new text, by offset', { offset: 0 }, /`new_string` is required/],
    ['with a new text that is none', { offset: 0, new_string: 7 }, /`new_string` must be text/],
    ['with half a character', { offset: 0, new_string: '\ud800' }, /`new_string` must be text/],
    ['of nothing', { old_string: '', new_string: 'y' }, /`old_string` must be text that is not empty/],
    ['of no text', { old_string: 7, new_string: 'y' }, /`old_string` must be text/],
    ['of half a character', { old_string: '\udc00', new_string: 'y' }, /`old_string` must be text/],
    ['of all, maybe', { old_string: 'a', new_string: 'y', replace_all: 'yes' }, /`replace_all` must be/],
    ['without the old text', { new_string: 'y', replace_all: true }, /`old_string` must be text/],
    ['from before the start', { offset: -1, new_string: 'y' }, /`offset` must be a whole number/],
    ['from between', { offset: 0.5, new_string: 'y' }, /`offset` must be a whole number/],
    ['without an offset', { length: 1, new_string: 'y' }, /`offset` must be a whole number/],
    ['of less than nothing', { offset: 0, length: -1, new_string: 'y' }, /`length` must be a whole number/],
    ['from beyond the end', { offset: 4, new_string: 'y' }, /out of bounds: the text has 3 characters/],
    ['to beyond the end', { offset: 2, length: 2, new_string: 'y' }, /out of bounds/],
    ['by another word', { offset: 0, new_string: 'y', regex: true }, /`regex` is not known/],
    ['in a namespace', { offset: 0, new_string: 'y', namespace: 'n' }, /`namespace` comes from the token/],
    ['far away', { offset: DOCUMENT_BOUNDS.characters + 1, new_string: 'y' }, /`offset` must be/],
  ])('is refused: what it replaces %s', ([, request, message]) => {
    expect(edited('aba', request)).toMatch(message);
  });

  test('says which bytes of the old text it replaces by how many', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ß', '😀'), minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(text, text, fc.nat(30), fc.boolean(), (old, newString, offset, byString) => {
        const characters = [...old];
        const request = byString
          ? { old_string: characters[offset % characters.length], new_string: newString, replace_all: true }
          : { offset: Math.min(offset, characters.length), length: 0, new_string: newString };
        const edit = parseEdit(request);
        if (!edit.ok) throw new Error(edit.error.message);
        const applied = applyEdit(bytesOf(old), edit.value);
        if (!applied.ok) throw new Error(applied.error.message);
        const { content, startByte, endByte, newBytes } = applied.value;
        const before = bytesOf(old);
        expect(content.length).toBe(before.length - (endByte - startByte) + newBytes);
        expect(content.subarray(0, startByte)).toEqual(Buffer.from(before.subarray(0, startByte)));
        expect(content.subarray(startByte + newBytes)).toEqual(Buffer.from(before.subarray(endByte)));
        if (byString)
          expect(Buffer.from(content).toString()).toBe(
            old.replaceAll(String(request.old_string), () => newString),
          );
      }),
    );
  });
});

test('bytes that are no text have no characters to replace', () => {
  const edit = parseEditRequest({ offset: 1, new_string: 'x' });
  expect(edit.ok && applyEdit(new Uint8Array([0x80, 0x81]), edit.value)).toMatchObject({
    ok: false,
    error: { field: 'offset' },
  });
});
