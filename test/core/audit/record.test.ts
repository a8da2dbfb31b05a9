import { expect, test } from 'vitest';
import { recordedName, shortened } from '../../../functions/core/audit.ts';

test.for([
  ['latest', 'latest'],
  ['report?draft#1', 'report?draft#1'],
  ['a b/c@d', 'a b/c@d'],
  ['https://files.example.com/a/b', 'https://files.example.com/a/b'],
  ['https://files.example.com/a?token=secret', 'https://files.example.com/a?…'],
  ['https://files.example.com/a#secret?more', 'https://files.example.com/a?…'],
  ['https://user:secret@files.example.com/a@b', 'https://…@files.example.com/a@b'],
  ['https://user:sec@ret@files.example.com', 'https://…@files.example.com'],
  ['file:///etc/hosts?secret\nmore', 'file:///etc/hosts?…'],
  ['memo:note?secret', 'memo:note?…'],
] as const)('a record names `%s` as `%s`', ([name, recorded]) => {
  expect(recordedName(name)).toBe(recorded);
});

test('of what is long a record holds a part, in whole characters', () => {
  expect(shortened('a'.repeat(256))).toBe('a'.repeat(256));
  expect(shortened('a'.repeat(257))).toBe(`${'a'.repeat(256)}…`);
  expect(shortened(`${'a'.repeat(255)}😀`)).toBe(`${'a'.repeat(255)}\ufffd…`);
  expect(recordedName(`https://files.example.com/${'a'.repeat(400)}`)).toHaveLength(257);
});
