import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configurationFiles, contentHash } from '../../infra/configuration.ts';

function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

function hashOf(files: Readonly<Record<string, string>>): string {
  return contentHash(configurationFiles(directoryOf(files)));
}

test('the YAML files of the directory are deployed, and the secrets of the local mode never', () => {
  const files = configurationFiles(
    directoryOf({
      'scopes.yml': 'a: 1',
      'servers.yml': 'b: 1',
      'secrets.local.yml': 'sallyport/dev/x: y',
      'secrets.local.example.yml': 'sallyport/dev/x: example',
      'notes.txt': 'nothing',
      '.hidden': 'nothing',
    }),
  );
  expect([...files.keys()]).toEqual(['config/scopes.yml', 'config/servers.yml']);
});

test('a directory without configuration is refused', () => {
  const directory = directoryOf({ 'secrets.local.yml': 'a: b' });
  expect(() => configurationFiles(directory)).toThrow(/no configuration files/);
});

test('the digest depends on names and contents and on nothing else', () => {
  const digest = hashOf({ 'a.yml': 'x', 'b.yml': 'y' });
  expect(hashOf({ 'b.yml': 'y', 'a.yml': 'x', 'secrets.local.yml': 'z' })).toBe(digest);
  expect(hashOf({ 'a.yml': 'x', 'b.yml': 'z' })).not.toBe(digest);
  expect(hashOf({ 'a.yml': 'x', 'c.yml': 'y' })).not.toBe(digest);
  expect(hashOf({ 'a.yml': 'y', 'b.yml': 'x' })).not.toBe(digest);
  expect(hashOf({ 'a.yml': 'xy', 'b.yml': '' })).not.toBe(hashOf({ 'a.yml': 'x', 'b.yml': 'y' }));
});
