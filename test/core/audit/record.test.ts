import { expect, test } from 'vitest';
import { recordedName, shortened } from '../../../functions/core/audit.ts';

test.for([
  ['latest', 'latest'],
  ['report?draft#1', 'report?draft#1'],
  ['a b/c@d', 'a b/c@d'],
  ['mail:send@work', 'mail:send@work'],
  ['memo:note?draft', 'memo:note?draft'],
  ['//a@b/c?d', '//a@b/c?d'],
  ['https://user:secret@files.example.com/a?token=secret', 'https://…@files.example.com/a?…'],
  [' https:\\\\user:secret@files.example.com/a?b', 'https:\\\\…@files.example.com/a?…'],
] as const)('a record names the tool `%s` as `%s`', ([name, recorded]) => {
  for (const method of ['tools/call', 'prompts/get', undefined])
    expect(recordedName(method, name)).toBe(recorded);
});

test.for([
  ['latest', 'latest'],
  ['report?draft#1', 'report?…'],
  ['a b/c@d', 'a b/c@d'],
  ['https://files.example.com/a/b', 'https://files.example.com/a/b'],
  ['https://files.example.com/a?token=secret', 'https://files.example.com/a?…'],
  ['https://files.example.com/a#secret?more', 'https://files.example.com/a?…'],
  ['https://user:secret@files.example.com/a@b', 'https://…@files.example.com/a@b'],
  ['https://user:sec@ret@files.example.com', 'https://…@files.example.com'],
  ['file:///etc/hosts?secret\nmore', 'file:///etc/hosts?…'],
  ['memo:note?secret', 'memo:note?…'],
  ['https:/ada:secret@files.example.com/a', 'https:/…@files.example.com/a'],
  ['https:ada:secret@files.example.com/a', 'https:…@files.example.com/a'],
  ['https:///ada:secret@files.example.com', 'https:///…@files.example.com'],
  ['https:\\\\ada:secret@files.example.com/a', 'https:\\\\…@files.example.com/a'],
  ['https:/\\ada:sec\\ret@files.example.com/a', 'https:/\\…@files.example.com/a'],
  ['/y?token=secret', '/y?…'],
  ['x?token=secret', 'x?…'],
  ['x#token=secret', 'x?…'],
  ['?token=secret', '?…'],
  ['//ada:secret@files.example.com/x?token=secret', '//…@files.example.com/x?…'],
  ['\\\\ada:secret@files.example.com/x', '\\\\…@files.example.com/x'],
  ['ada_1:secret@files.example.com/x', '…@files.example.com/x'],
  [' \u0001https://ada:secret@files.example.com', 'https://…@files.example.com'],
  ['ht\ttps:/\n/ada:secret@files.example.com', 'https://…@files.example.com'],
  ['jar:https://ada:secret@files.example.com/x!/a@b', 'jar:https://…@files.example.com/x!/a@b'],
  ['proxy://host/https://ada:secret@files.example.com/x', 'proxy://host/https://…@files.example.com/x'],
  ['git+ssh://ada:secret@files.example.com/x', 'git+ssh://…@files.example.com/x'],
] as const)('a record names the resource `%s` as `%s`', ([name, recorded]) => {
  for (const method of ['resources/read', 'resources/subscribe'])
    expect(recordedName(method, name)).toBe(recorded);
});

test('of what is long a record holds a part, in whole characters', () => {
  expect(shortened('a'.repeat(256))).toBe('a'.repeat(256));
  expect(shortened('a'.repeat(257))).toBe(`${'a'.repeat(256)}…`);
  expect(shortened(`${'a'.repeat(255)}😀`)).toBe(`${'a'.repeat(255)}\ufffd…`);
  expect(recordedName('resources/read', `https://files.example.com/${'a'.repeat(400)}`)).toHaveLength(257);
});
