import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type DemoSecrets, loadDemoSecrets, toNamedSecrets } from '../../cli/demo-secrets.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
});

afterAll(() => rm(directory, { recursive: true }));

async function load(name: string): Promise<DemoSecrets> {
  const loaded = await loadDemoSecrets(join(directory, name));
  if (!loaded.ok) throw new Error(loaded.error.message);
  return loaded.value;
}

test('secrets are made once for a data directory, and differ between two', async () => {
  const [first, again, other] = [await load('a'), await load('a'), await load('b')];
  expect(again).toEqual(first);
  expect(other.clients['analyst']).not.toBe(first.clients['analyst']);
  const values = [first.clients, first.polygon, first.weather].flatMap((holders) => Object.values(holders));
  expect(new Set(values).size).toBe(values.length);
});

test('only the owner reads them', async () => {
  await load('c');
  expect((await stat(join(directory, 'c', 'demo-secrets.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'c'))).mode & 0o777).toBe(0o700);
});

test('a damaged file is an error and stays as it is', async () => {
  await load('d');
  const path = join(directory, 'd', 'demo-secrets.json');
  await writeFile(path, '{"clients":');
  const loaded = await loadDemoSecrets(join(directory, 'd'));
  expect(loaded).toMatchObject({ ok: false, error: { exit: 1 } });
  expect(await readFile(path, 'utf8')).toBe('{"clients":');
});

test('there is a secret for every client of the shipped configuration that has one', async () => {
  const text = await readFile(new URL('../../config/clients.yml', import.meta.url), 'utf8');
  const { clients }: { clients: Record<string, { secret?: { ref: string } }> } = parse(text);
  const names = toNamedSecrets(await load('a'), 'local');
  const refs = Object.values(clients).flatMap(({ secret }) => secret?.ref.replace('{stage}', 'local') ?? []);
  expect(refs.length).toBeGreaterThan(4);
  expect(refs.filter((ref) => !names.has(ref))).toEqual([]);
});

test('credentials have the form that the gateway puts on', async () => {
  const secrets = await load('a');
  const names = toNamedSecrets(secrets, 'local');
  const credential = (name: string) =>
    JSON.parse(names.get(`sallyport/local/credentials/acme/${name}`) ?? '{}');
  expect(credential('polygon/client.trader')).toEqual({ type: 'bearer', token: secrets.polygon['trader'] });
  expect(credential('weather/client.reader')).toEqual({
    type: 'header',
    name: 'X-Api-Key',
    value: secrets.weather['reader'],
  });
});
