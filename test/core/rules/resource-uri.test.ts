import { describe, expect, test } from 'vitest';
import { MAX_NAME_LENGTH } from '../../../functions/core/action.ts';
import { ResourceUri } from '../../../functions/core/rules/resource-uri.ts';

const spellings = (uri: string) => new ResourceUri(uri).spellings;

describe('a URI is looked for in every spelling that leads to where it leads', () => {
  test.for([
    ['doc://a/b#c', 'doc://a/b'],
    ['doc://a/b?x#y', 'doc://a/b?x'],
    ['doc://a/b?x#y', 'doc://a/b'],
    ['doc://a/b?x?y#c#d', 'doc://a/b'],
    ['doc://a/b#c?d', 'doc://a/b'],
    ['doc://a/b;v=1/c', 'doc://a/b/c'],
    ['doc://a/b/', 'doc://a/b'],
    ['doc://A/%62', 'doc://a/b'],
    ['doc:a', 'doc:/a'],
    ['doc:a', 'doc://a'],
    ['doc:a', 'doc:///a'],
    ['doc:///a', 'doc:a'],
    ['https://ann@h.example/a', 'https://h.example/a'],
    ['https://ann@bob@h.example/a', 'https://h.example/a'],
    ['https://h.example:443/a', 'https://h.example/a'],
    ['https://h.example:/a', 'https://h.example/a'],
    ['https://h.example:00443/a', 'https://h.example/a'],
    ['http://h.example:80/a', 'http://h.example/a'],
    ['https://h.example./a', 'https://h.example/a'],
    ['https://h.example/a', 'https://h.example:443/a'],
    ['http://h.example/a', 'http://h.example:80/a'],
    ['https://h.example/a', 'https://h.example./a'],
    ['https://h.example/a', 'https://h.example.:443/a'],
    ['https://h.example:8443/a', 'https://h.example.:8443/a'],
    ['https://h.example:08443/a', 'https://h.example:8443/a'],
    ['https://h.example/a:8080', 'https://h.example:443/a:8080'],
  ] as const)('%s as %s', ([uri, spelling]) => {
    expect(spellings(uri)).toContain(spelling);
  });

  test.for([
    ['https://h.example:8443/a', 'https://h.example/a'],
    ['https://h.example:80/a', 'https://h.example/a'],
    ['http://h.example:443/a', 'http://h.example/a'],
    ['https://h.example:8443/a', 'https://h.example:443/a'],
    ['https://h.example/a', 'http://h.example/a'],
    ['doc://h:443/a', 'doc://h/a'],
    ['doc://ann@h/a', 'doc://h/a'],
    ['doc://a/b', 'doc://a'],
  ] as const)('%s never as %s', ([uri, other]) => {
    expect(spellings(uri)).not.toContain(other);
  });

  test('and in no other: every one holds the path that is asked for', () => {
    for (const uri of ['https://ann@h.example:443/x/y?z#w', 'doc://a/x/y/'])
      for (const spelling of spellings(uri))
        expect(spelling).toMatch(/^(?:https|doc):.*\/x\/y(?:\/|\?z)?(?:#w)?$/);
  });
});

test.for([
  ['doc://a/b?x//y', false],
  ['doc://a/b#x//y', false],
  ['doc://a//b', true],
  ['https:///', true],
  ['https://h.example', false],
  [`doc://${'a'.repeat(MAX_NAME_LENGTH - 6)}`, false],
  [`doc://${'a'.repeat(MAX_NAME_LENGTH - 5)}`, true],
] as const)('of %.30s nobody can say what it names: %s', ([uri, isUnclear]) => {
  expect(new ResourceUri(uri).isUnclear).toBe(isUnclear);
});
