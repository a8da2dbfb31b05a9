import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalCloud } from '../../local/cloud.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { startFixtureCloud } from './fixture-cloud.ts';

let cloud: LocalCloud;
let dynamodb: DynamoDBClient;
let secrets: SecretsManagerClient;
let kms: KMSClient;

beforeAll(async () => {
  cloud = await startFixtureCloud({}, afterAll);
  const settings = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  dynamodb = new DynamoDBClient({
    ...settings,
    endpoint: cloud.endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
  });
  secrets = new SecretsManagerClient({
    ...settings,
    endpoint: cloud.endpoints['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
  });
  kms = new KMSClient({ ...settings, endpoint: cloud.endpoints['AWS_ENDPOINT_URL_KMS'] ?? '' });
  afterAll(() => [dynamodb, secrets, kms].map((client) => client.destroy()));
});

const faults = (method: string, body?: object) =>
  fetch(`${cloud.controlUrl}/faults`, { method, ...(body && { body: JSON.stringify(body) }) });

afterEach(async () => {
  await faults('DELETE');
});

const getItem = () => dynamodb.send(new GetItemCommand({ TableName: 'auth', Key: { pk: { S: 'a' } } }));
const query = (Action: string) =>
  fetch(cloud.endpoints['AWS_ENDPOINT_URL_STS'] ?? '', {
    method: 'POST',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c' },
    body: new URLSearchParams({ Action }),
  });

describe('a fault', () => {
  test.for([
    ['throttle', 'ProvisionedThroughputExceededException', 'ThrottlingException', 'ThrottlingException'],
    ['error', 'InternalServerError', 'InternalServiceError', 'KMSInternalException'],
    ['deny', 'AccessDeniedException', 'AccessDeniedException', 'AccessDeniedException'],
  ] as const)(
    '`%s` is the error that each service has for it',
    async ([mode, inDynamodb, inSecrets, inKms]) => {
      for (const service of ['dynamodb', 'secretsmanager', 'kms', 'sts'])
        await faults('POST', { service, mode });
      await expect(getItem()).rejects.toMatchObject({ name: inDynamodb });
      await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({ name: inSecrets });
      await expect(kms.send(new ListKeysCommand())).rejects.toMatchObject({ name: inKms });
      expect((await query('GetCallerIdentity')).ok).toBe(false);
      expect((await faults('DELETE')).status).toBe(200);
      await getItem();
      await secrets.send(new ListSecretsCommand());
      await kms.send(new ListKeysCommand());
      expect((await query('GetCallerIdentity')).ok).toBe(true);
    },
  );

  test('of a table leaves the others alone', async () => {
    await faults('POST', { service: 'dynamodb', mode: 'error', table: 'AuditTable' });
    await getItem();
    const item = { pk: { S: 'a' }, sk: { S: 'b' } };
    const put = dynamodb.send(new PutItemCommand({ TableName: 'Fixture-AuditTable', Item: item }));
    await expect(put).rejects.toMatchObject({ name: 'InternalServerError' });
  });

  test('of an operation leaves the others alone', async () => {
    await faults('POST', { service: 'dynamodb', mode: 'deny', operation: 'PutItem' });
    await dynamodb.send(new ListTablesCommand());
    const put = dynamodb.send(new PutItemCommand({ TableName: 'auth', Item: { pk: { S: 'a' } } }));
    await expect(put).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  test('`timeout` answers nothing and hangs up after its time', async () => {
    await faults('POST', { service: 'kms', mode: 'timeout', ms: 20 });
    await expect(kms.send(new ListKeysCommand())).rejects.toThrow(/socket|ECONNRESET/);
  });

  test('`slow` answers after its time', async () => {
    await faults('POST', { service: 'kms', mode: 'slow', ms: 50 });
    const startedAt = performance.now();
    await kms.send(new ListKeysCommand());
    expect(performance.now() - startedAt).toBeGreaterThan(45);
  });

  test('is over after its duration', () => {
    const board = new Faults([]);
    board.add({ service: 'kms', mode: 'error', duration_s: 2 }, 1_000);
    const call = { service: 'kms', operation: 'Sign', input: {} } as const;
    expect(board.find(call, 2_999)).toBeDefined();
    expect(board.find(call, 3_000)).toBeUndefined();
    expect(board.list(3_000)).toEqual([]);
  });

  test('in force is listed', async () => {
    await faults('POST', { service: 'kms', mode: 'slow', duration_s: 60 });
    const { faults: listed } = JSON.parse(await (await faults('GET')).text());
    expect(listed).toEqual([{ service: 'kms', mode: 'slow', ms: 1000, expires_at: expect.any(String) }]);
  });
});

describe('the control server', () => {
  test.for([
    [{ service: 's3', mode: 'error' }, '`service` must be one of dynamodb, secretsmanager, kms, sts'],
    [{ service: 'kms', mode: 'explode' }, '`mode` must be one of throttle, timeout, error, deny, slow'],
    [{ service: 'kms', mode: 'error', tabel: 'x' }, 'unknown member `tabel`'],
    [{ service: 'kms', mode: 'error', table: 'x' }, 'only `dynamodb` has tables'],
    [
      { service: 'dynamodb', mode: 'error', table: 'none' },
      '`table` must name one of Fixture-AuditTable, auth',
    ],
    [
      { service: 'dynamodb', mode: 'error', table: 'au' },
      '`table` must name one of Fixture-AuditTable, auth',
    ],
    [{ service: 'kms', mode: 'slow', ms: -1 }, '`ms` must be a number above 0'],
    [{ service: 'kms', mode: 'slow', duration_s: '5' }, '`duration_s` must be a number above 0'],
    [[], 'the body must be a JSON object'],
  ] as const)('refuses %o and says what to write', async ([body, message]) => {
    const response = await faults('POST', body);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
    expect(JSON.parse(await (await faults('GET')).text())).toEqual({ faults: [] });
  });

  test('refuses what is not JSON, other paths and methods, and browsers', async () => {
    const url = `${cloud.controlUrl}/faults`;
    expect((await fetch(url, { method: 'POST', body: '{' })).status).toBe(400);
    expect((await fetch(cloud.controlUrl)).status).toBe(404);
    expect((await fetch(url, { method: 'PUT' })).status).toBe(405);
    expect((await fetch(url, { headers: { origin: 'https://evil.example.com' } })).status).toBe(403);
  });
});
