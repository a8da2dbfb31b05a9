import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secret } from '../../cli/secret.ts';
import { parseArguments } from '../../cli/verb.ts';
import { parseCredential } from '../../functions/core/credential.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'secrets.md'), 'utf8');
const VALUES = Array.from(PAGE.matchAll(/```json\n(.*?)```/gs), ([, text = '']) => text);
const COMMANDS = Array.from(PAGE.matchAll(/npx sallyport secret ([^#\n]+)/g), ([, words = '']) =>
  words.trim(),
);

test.for(VALUES)('a value of the page is a credential: %#', (text) => {
  expect(parseCredential(text)).toMatchObject({ ok: true });
});

test.for(COMMANDS)('a command of the page is one: secret %s', (words) => {
  expect(parseArguments(secret, words.split(/\s+/))).toMatchObject({ ok: true });
});

test('the page has values and commands', () => {
  expect([VALUES.length, COMMANDS.length]).toEqual([1, 7]);
});
