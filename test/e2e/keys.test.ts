import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STANDBY_SECONDS } from '../../functions/core/key-rotation.ts';
import { run } from '../cli/terminal.ts';
import { AGENTS, configurationOf, KEEPER } from '../load/rotation/configuration.ts';
import { readJwks, startIdentityServer, startRotationLoad } from '../load/rotation/load.ts';
import { type Sallyport, secretOf, startSallyport } from '../support/sallyport.ts';

let cloud: Sallyport;
let upstream: Awaited<ReturnType<typeof startIdentityServer>>;

beforeAll(async () => {
  upstream = await startIdentityServer();
  cloud = await startSallyport({ config: configurationOf(upstream.origin), clients: [...AGENTS, KEEPER] });
});

afterAll(async () => {
  await cloud?.close();
  await upstream?.close();
});

/** `sallyport keys …`, as the operator runs it. */
async function keys(...argv: string[]) {
  const env = { SALLYPORT_ORIGIN: cloud.origin, SALLYPORT_CLIENT_SECRET: secretOf(KEEPER) };
  const { code, out } = await run(['keys', ...argv, '--client', KEEPER, '--json'], { env });
  return { code, json: JSON.parse(out) };
}

/** Makes the keys older than they are, as an administrator of the table could, so that no test waits for 315 s. */
async function ageKeys(): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: cloud.ready['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
    region: cloud.ready['AWS_REGION'] ?? '',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { TableNames = [] } = await client.send(new ListTablesCommand());
  const TableName = TableNames.find((name) => name.includes('AuthTable'));
  const Key = { pk: { S: 'KEYS' }, sk: { S: 'RING' } };
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  const ring: { publishedAtSeconds: number }[] = JSON.parse(Item?.['keys']?.S ?? '');
  for (const key of ring) key.publishedAtSeconds -= STANDBY_SECONDS;
  const revision = { N: String(Number(Item?.['revision']?.N) + 1) };
  await client.send(
    new PutItemCommand({ TableName, Item: { ...Item, ...Key, keys: { S: JSON.stringify(ring) }, revision } }),
  );
  client.destroy();
}

/** A door of every function that takes access tokens. */
const DOORS = ['/me', '/context/documents', '/runs/none', '/signed/mcp'];

async function statusesOf(token: string): Promise<readonly number[]> {
  const answers = DOORS.map(async (path) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
    const init = path === '/signed/mcp' ? { method: 'POST', headers, body } : { headers };
    const answer = await fetch(`${cloud.origin}${path}`, init);
    await answer.arrayBuffer();
    return answer.status;
  });
  return Promise.all(answers);
}

const OPEN = [200, 200, 404, 200];

test('both keys are rotated by the command while tokens are issued and used, and nobody is denied', async () => {
  const early = await keys('rotate', 'issuer');
  expect([early.code, early.json.error.next.step]).toEqual([1, 'wait']);
  await ageKeys();
  const jwks = await readJwks(cloud.origin);
  const load = startRotationLoad(cloud.origin);
  upstream.trust(jwks, cloud.origin, load.report);
  const old = await cloud.token('agent-1');
  await wait(2_000);
  for (const purpose of ['issuer', 'identity']) {
    expect(await keys('rotate', purpose)).toMatchObject({
      code: 0,
      json: {
        keys: [
          { name: 'A1', state: 'retiring' },
          { name: 'B1', state: 'signing' },
        ],
      },
    });
  }
  // Every function looks every 3 s.
  await wait(5_000);
  const report = await load.stop();
  await upstream.settle();
  expect(report.denials).toEqual([]);
  expect(report.identities).toBeGreaterThan(0);
  // Both keys of both purposes have signed.
  expect(report.signers.size).toBe(4);
  expect(await statusesOf(old)).toEqual(OPEN);
  const published = await readJwks(cloud.origin);
  expect(published.keys.map(({ kid }) => kid).sort()).toEqual(jwks.keys.map(({ kid }) => kid).sort());

  // From here on the key that signed before is refused: within 5 s, and nobody else.
  const young = await cloud.token('agent-2');
  expect((await keys('retire', 'issuer', 'A1', '--now')).code).toBe(0);
  const isDead = async () => (await statusesOf(old)).every((status) => status === 401);
  await expect.poll(isDead, { timeout: 5_000, interval: 100 }).toBe(true);
  expect(await statusesOf(young)).toEqual(OPEN);
  await expect.poll(async () => (await readJwks(cloud.origin)).keys.length, { timeout: 5_000 }).toBe(3);
  expect((await keys('retire', 'issuer', 'B1', '--now')).code).toBe(1);
  const records = cloud.audit().filter(({ area, event }) => area === 'keys' && event === 'outcome');
  expect(records.map(({ method, reason }) => `${method} ${reason}`)).toEqual([
    'rotate_key done',
    'rotate_key done',
    'retire_key done',
    'retire_key last_good_key',
  ]);
}, 90_000);
