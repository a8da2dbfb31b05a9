import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { readCheckpoint } from '../../functions/core/audit/checkpoint.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { run } from '../cli/terminal.ts';
import { type AdministeredTable, openTable } from '../support/cloud-tables.ts';

const ORGS = ['platform', 'acme', 'beta', 'gamma', 'delta'];

let directory: string;
let cloud: LocalCloud;
let audits: AdministeredTable;
let auths: AdministeredTable;
let token: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-witness-'));
  const assembly = join(directory, 'assembly');
  cpSync(inject('assemblyDirectory'), assembly, { recursive: true });
  // The issuer runs when a test says so, and never between two steps of one.
  for (const name of readdirSync(assembly).filter((one) => one.endsWith('.template.json'))) {
    const template = readFileSync(join(assembly, name), 'utf8');
    writeFileSync(join(assembly, name), template.replaceAll('rate(1 minute)', 'rate(1 day)'));
  }
  cloud = await startLocalCloud({
    assemblyDir: assembly,
    dataDir: join(directory, 'data'),
    port: 0,
    secrets: new Map(ORGS.map((org) => [`sallyport/local/clients/${org}-client`, `${org}-secret`])),
    log: () => {},
  });
  const applied = await cloud.invoke('control', { apply: { source: 'dev', files: configuration() } });
  expect(applied).toEqual(expect.objectContaining({ ok: true }));
  [audits, auths] = await Promise.all([
    openTable(cloud.endpoints, 'AuditTable'),
    openTable(cloud.endpoints, 'AuthTable'),
  ]);
  token = await fetchToken('platform');
  // Each organisation has a first checkpoint, which no test takes away.
  for (const org of ORGS) await fetchToken(org);
  await writeAndSeal('delta');
  for (const org of ORGS) expect(await newestOf(org)).toBeGreaterThan(0);
}, 180_000);

afterAll(async () => {
  audits?.close();
  auths?.close();
  await cloud?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A client for each organisation; that of the platform's own reads the records of all. */
function configuration(): Record<string, string> {
  const client = (org: string) => ({
    org,
    auth: 'client_secret_basic',
    secret: { ref: `sallyport/{stage}/clients/${org}-client` },
    grants: ['client_credentials'],
    audience: 'gateway',
    scopes: ['auditing'],
  });
  return {
    'scopes.yml': JSON.stringify({ 'UI-Scopes': { auditing: { read_audit: ['all'] } } }),
    'clients.yml': JSON.stringify({
      clients: Object.fromEntries(ORGS.map((org) => [`${org}-client`, client(org)])),
    }),
    'servers.yml': JSON.stringify({ servers: {} }),
    'orgs.yml': JSON.stringify({ orgs: Object.fromEntries(ORGS.map((org) => [org, {}])) }),
  };
}

async function fetchToken(org: string): Promise<string> {
  const basic = Buffer.from(`${org}-client:${org}-secret`).toString('base64');
  const response = await fetch(`${cloud.origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`token endpoint: ${response.status} ${text}`);
  return JSON.parse(text).access_token;
}

const issue = () => cloud.invoke('issuer', { checkpoint: 'scheduled' });

/** The checkpoints of an organisation, oldest first. */
async function checkpointsOf(org: string) {
  const items = await audits.items(`CHECKPOINT#${org}`);
  return items
    .map((item) => ({
      item,
      number: Number(item['sk']?.S),
      through: readCheckpoint(item['jws']?.S ?? '')?.checkpoint.through ?? '',
    }))
    .sort((a, b) => a.number - b.number);
}

async function newestOf(org: string): Promise<number> {
  return (await checkpointsOf(org)).at(-1)?.number ?? 0;
}

async function knownOf(org: string): Promise<number> {
  const [item] = await auths.items(`WITNESS#${org}`);
  return Number(item?.['number']?.N ?? 0);
}

/** Writes records and has the issuer run, so many times at once, until another checkpoint covers them; gives its number. */
async function writeAndSeal(org: string, atOnce = 1): Promise<number> {
  const before = await newestOf(org);
  for (let record = 0; record < 3; record += 1) await fetchToken(org);
  return vi.waitFor(
    async () => {
      await Promise.all(Array.from({ length: atOnce }, issue));
      const newest = await newestOf(org);
      expect(newest).toBeGreaterThan(before);
      return newest;
    },
    { timeout: 60_000, interval: 1_000 },
  );
}

/** Removes every newer checkpoint, and every record that the last one that is left does not cover. */
async function rollBack(org: string, number: number): Promise<void> {
  const checkpoints = await checkpointsOf(org);
  const { through = '' } = checkpoints.find((one) => one.number === number) ?? {};
  await audits.remove(checkpoints.filter((one) => one.number > number).map(({ item }) => item));
  const records = await audits.items(`RECORD#${org}#`);
  await audits.remove(records.filter(({ sk }) => String(sk?.S) >= through));
}

async function verify(org: string) {
  const { code, out } = await run(['audit', 'verify', '--org', org, '--json'], {
    env: { SALLYPORT_ORIGIN: cloud.origin, SALLYPORT_TOKEN: token },
  });
  return { code, ...JSON.parse(out) };
}

const SOUND = { code: 0, is_sound: true, findings: [] };

/** What the issuer has logged that it misses, of an organisation. */
function lostOf(org: string): readonly { readonly number: number }[] {
  const text = readFileSync(join(directory, 'data', 'logs', 'issuer.log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes('"checkpoint_lost"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))))
    .filter(({ org_id }) => org_id === org);
}

describe('newest records that were removed with the newest checkpoints', () => {
  let left: number;
  let newest: number;

  beforeAll(async () => {
    left = await newestOf('acme');
    newest = await writeAndSeal('acme');
    expect(await verify('acme')).toMatchObject(SOUND);
    await rollBack('acme', left);
  }, 120_000);

  test('are missed at once', async () => {
    const detail = 'it is not there any more: the issuer knows of it as its newest';
    expect(await verify('acme')).toMatchObject({
      code: 1,
      is_sound: false,
      checkpoints: left,
      findings: [{ kind: 'checkpoint', number: newest, detail }],
    });
  });

  test('are missed for ever once the issuer has sealed again, which says so and gives no number twice', async () => {
    await issue();
    expect(lostOf('acme')).toMatchObject([{ level: 'error', number: newest }]);
    expect((await checkpointsOf('acme')).slice(-2).map(({ number }) => number)).toEqual([left, newest + 1]);
    const finding = {
      kind: 'checkpoint',
      number: newest,
      detail: 'it was removed, and perhaps others before it',
    };
    expect((await verify('acme')).findings).toContainEqual(finding);
    await writeAndSeal('acme');
    expect(lostOf('acme')).toHaveLength(1);
    const later = await verify('acme');
    expect([later.code, later.findings]).toEqual([1, expect.arrayContaining([finding])]);
  }, 90_000);
});

test('a run that ends between the checkpoint and what is kept of it is no finding, and the next one makes up for it', async () => {
  const before = await newestOf('beta');
  await fetch(`${cloud.controlUrl}/faults`, {
    method: 'POST',
    body: JSON.stringify({ service: 'dynamodb', table: 'AuthTable', operation: 'PutItem', mode: 'error' }),
  });
  const newest = await writeAndSeal('beta');
  expect([newest > before, await knownOf('beta')]).toEqual([true, before]);
  expect(await verify('beta')).toMatchObject(SOUND);
  await fetch(`${cloud.controlUrl}/faults`, { method: 'DELETE' });
  expect(await issue()).toMatchObject({ failed: 0 });
  expect(await knownOf('beta')).toBe(await newestOf('beta'));
  expect([await verify('beta'), lostOf('beta')]).toEqual([expect.objectContaining(SOUND), []]);
  await rollBack('beta', before);
  expect(await verify('beta')).toMatchObject({ code: 1, findings: [{ kind: 'checkpoint' }] });
}, 120_000);

test('issuers at once leave nothing to find, and know of the newest checkpoint', async () => {
  const newest = await writeAndSeal('gamma', 4);
  expect([await verify('gamma'), lostOf('gamma')]).toEqual([expect.objectContaining(SOUND), []]);
  expect(await knownOf('gamma')).toBe(newest);
}, 90_000);

test('of checkpoints of an older version, of which nothing is kept, nothing is said until the issuer has run once', async () => {
  const newest = await newestOf('delta');
  await auths.remove(await auths.items('WITNESS#delta'));
  expect(await verify('delta')).toMatchObject(SOUND);
  expect(await issue()).toMatchObject({ failed: 0 });
  expect(await knownOf('delta')).toBe(newest);
  expect([await verify('delta'), lostOf('delta')]).toEqual([expect.objectContaining(SOUND), []]);
}, 90_000);
