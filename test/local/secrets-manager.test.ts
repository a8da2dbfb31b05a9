import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { temporaryDirectory } from './fixture-cloud.ts';

/** The real client against the endpoint. */
async function connect(directory = temporaryDirectory(), now?: () => number) {
  const manager = new SecretsManager(new SecretStore(directory), now);
  const server = await startSecretsManager(manager, new Faults([]));
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const value = async (SecretId: string, version: { VersionStage?: string; VersionId?: string } = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId, ...version }))).SecretString;
  return { client, value, url: server.url };
}

describe('a rotation', () => {
  test('in the four steps of a rotation function keeps every stage readable at every step', async () => {
    const { client, value } = await connect();
    const SecretId = 'sallyport/dev/credentials/acme/fininfo/client.a';
    const first = await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'one' }));
    const token = 'b'.repeat(36);
    const pending = {
      SecretId,
      SecretString: 'two',
      ClientRequestToken: token,
      VersionStages: ['AWSPENDING'],
    };
    await client.send(new PutSecretValueCommand(pending));
    expect(await value(SecretId)).toBe('one');
    expect(await value(SecretId, { VersionStage: 'AWSPENDING' })).toBe('two');
    await expect(value(SecretId, { VersionStage: 'AWSPREVIOUS' })).rejects.toThrow(
      /staging label: AWSPREVIOUS/,
    );
    const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: token };
    await expect(client.send(new UpdateSecretVersionStageCommand(move))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const RemoveFromVersionId = first.VersionId;
    await client.send(new UpdateSecretVersionStageCommand({ ...move, RemoveFromVersionId }));
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(VersionIdsToStages).toEqual({
      [String(first.VersionId)]: ['AWSPREVIOUS'],
      [token]: ['AWSPENDING', 'AWSCURRENT'],
    });
    expect(await value(SecretId)).toBe('two');
    expect(await value(SecretId, { VersionStage: 'AWSPREVIOUS' })).toBe('one');
    expect(await value(SecretId, { VersionId: first.VersionId ?? '' })).toBe('one');
  });

  test('by PutSecretValue makes the old version AWSPREVIOUS, and the one before that nothing', async () => {
    const { client, value } = await connect();
    await client.send(new CreateSecretCommand({ Name: 's', SecretString: '1' }));
    await client.send(new PutSecretValueCommand({ SecretId: 's', SecretString: '2' }));
    const third = await client.send(new PutSecretValueCommand({ SecretId: 's', SecretString: '3' }));
    expect(third.VersionStages).toEqual(['AWSCURRENT']);
    expect(await value('s')).toBe('3');
    expect(await value('s', { VersionStage: 'AWSPREVIOUS' })).toBe('2');
    const list = async (IncludeDeprecated: boolean) => {
      const answer = await client.send(new ListSecretVersionIdsCommand({ SecretId: 's', IncludeDeprecated }));
      return answer.Versions?.map(({ VersionStages }) => VersionStages);
    };
    expect(await list(false)).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
    expect(await list(true)).toEqual([[], ['AWSPREVIOUS'], ['AWSCURRENT']]);
  });

  test('is idempotent by its token, and refuses another value under it', async () => {
    const { client, value } = await connect();
    await client.send(new CreateSecretCommand({ Name: 's', SecretString: '1' }));
    const put = { SecretId: 's', SecretString: '2', ClientRequestToken: 't'.repeat(32) };
    await client.send(new PutSecretValueCommand(put));
    await client.send(new PutSecretValueCommand(put));
    expect(await value('s', { VersionStage: 'AWSPREVIOUS' })).toBe('1');
    const other = new PutSecretValueCommand({ ...put, SecretString: '3' });
    await expect(client.send(other)).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test('cannot take AWSCURRENT away, and a stage must be of the version that is asked for', async () => {
    const { client, value } = await connect();
    const { VersionId } = await client.send(new CreateSecretCommand({ Name: 's', SecretString: '1' }));
    const take = { SecretId: 's', VersionStage: 'AWSCURRENT', RemoveFromVersionId: VersionId };
    await expect(client.send(new UpdateSecretVersionStageCommand(take))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const mismatch = value('s', { VersionId: VersionId ?? '', VersionStage: 'AWSPENDING' });
    await expect(mismatch).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});

describe('a secret', () => {
  test('is found by its name, its ARN, and its ARN without the suffix', async () => {
    const { client, value } = await connect();
    const { ARN = '' } = await client.send(new CreateSecretCommand({ Name: 'a/b', SecretString: 'v' }));
    expect(ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:a\/b-[A-Za-z0-9]{6}$/);
    for (const id of ['a/b', ARN, ARN.slice(0, -7)]) expect(await value(id)).toBe('v');
    await expect(value('a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('is created once', async () => {
    const { client } = await connect();
    await client.send(new CreateSecretCommand({ Name: 's' }));
    const again = client.send(new CreateSecretCommand({ Name: 's', SecretString: 'v' }));
    await expect(again).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test('without a value has none to read', async () => {
    const { client, value } = await connect();
    await client.send(new CreateSecretCommand({ Name: 's' }));
    await expect(value('s')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('holds bytes as well as text', async () => {
    const { client } = await connect();
    const SecretBinary = Uint8Array.from([0, 255, 7]);
    await client.send(new CreateSecretCommand({ Name: 's', SecretBinary }));
    const read = await client.send(new GetSecretValueCommand({ SecretId: 's' }));
    expect(read.SecretBinary).toEqual(SecretBinary);
    expect(read.SecretString).toBeUndefined();
  });

  test('is updated and tagged', async () => {
    const { client, value } = await connect();
    await client.send(
      new CreateSecretCommand({ Name: 's', SecretString: '1', Tags: [{ Key: 'a', Value: '1' }] }),
    );
    await client.send(new UpdateSecretCommand({ SecretId: 's', SecretString: '2', Description: 'd' }));
    await client.send(new TagResourceCommand({ SecretId: 's', Tags: [{ Key: 'b', Value: '2' }] }));
    await client.send(new UntagResourceCommand({ SecretId: 's', TagKeys: ['a'] }));
    expect(await value('s')).toBe('2');
    const described = await client.send(new DescribeSecretCommand({ SecretId: 's' }));
    expect(described).toMatchObject({ Description: 'd', Tags: [{ Key: 'b', Value: '2' }] });
    expect(described.LastChangedDate).toBeInstanceOf(Date);
    expect(JSON.stringify(described)).not.toContain('SecretString');
  });

  test('is deleted with a window in which it can be restored, and gone after it', async () => {
    let now = 1_000_000;
    const { client, value } = await connect(undefined, () => now);
    await client.send(new CreateSecretCommand({ Name: 's', SecretString: 'v' }));
    await client.send(new DeleteSecretCommand({ SecretId: 's', RecoveryWindowInDays: 7 }));
    await expect(value('s')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(client.send(new CreateSecretCommand({ Name: 's' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await client.send(new RestoreSecretCommand({ SecretId: 's' }));
    expect(await value('s')).toBe('v');
    await client.send(new DeleteSecretCommand({ SecretId: 's', RecoveryWindowInDays: 7 }));
    now += 7 * 86_400 + 1;
    await expect(value('s')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('is deleted at once by force, also where there is none', async () => {
    const { client, value } = await connect();
    await client.send(new CreateSecretCommand({ Name: 's', SecretString: 'v' }));
    const force = new DeleteSecretCommand({ SecretId: 's', ForceDeleteWithoutRecovery: true });
    await client.send(force);
    await expect(value('s')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await client.send(force);
    const odd = { SecretId: 's', ForceDeleteWithoutRecovery: true, RecoveryWindowInDays: 7 };
    await expect(client.send(new DeleteSecretCommand(odd))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });
});

test('secrets are listed by prefix and page by page', async () => {
  const { client } = await connect();
  for (const Name of ['x/1', 'x/2', 'x/3', 'y/1']) await client.send(new CreateSecretCommand({ Name }));
  const Filters = [{ Key: 'name' as const, Values: ['x/'] }];
  const page = await client.send(new ListSecretsCommand({ Filters, MaxResults: 2 }));
  expect(page.SecretList?.map(({ Name }) => Name)).toEqual(['x/1', 'x/2']);
  const { NextToken } = page;
  const rest = await client.send(new ListSecretsCommand({ Filters, MaxResults: 2, NextToken }));
  expect(rest.SecretList?.map(({ Name }) => Name)).toEqual(['x/3']);
  expect(rest.NextToken).toBeUndefined();
});

test('a random password has what is asked for', async () => {
  const { client } = await connect();
  const { RandomPassword } = await client.send(
    new GetRandomPasswordCommand({ PasswordLength: 200, ExcludePunctuation: true, ExcludeCharacters: 'abc' }),
  );
  expect(RandomPassword).toMatch(/^[A-Zd-z0-9]{200}$/);
});

test('secrets survive a restart, in a file for their owner alone', async () => {
  const directory = temporaryDirectory();
  const before = await connect(directory);
  await before.client.send(new CreateSecretCommand({ Name: 's', SecretString: '1' }));
  await before.client.send(new PutSecretValueCommand({ SecretId: 's', SecretString: '2' }));
  const after = await connect(directory);
  expect(await after.value('s')).toBe('2');
  expect(await after.value('s', { VersionStage: 'AWSPREVIOUS' })).toBe('1');
  expect(statSync(join(directory, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test.for([
  ['without a signature', {}, 'MissingAuthenticationTokenException'],
  ['with a bearer token', { authorization: 'Bearer x' }, 'MissingAuthenticationTokenException'],
] as const)('a request %s is refused', async ([, headers, type]) => {
  const { url } = await connect();
  const target = { 'x-amz-target': 'secretsmanager.ListSecrets', ...headers };
  const response = await fetch(url, { method: 'POST', headers: target, body: '{}' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ __type: type });
});

test('an operation of another service, or an unknown one, is refused', async () => {
  const { url } = await connect();
  const authorization = 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=f';
  for (const target of ['TrentService.ListKeys', 'secretsmanager.RotateSecret', 'ListSecrets']) {
    const headers = { 'x-amz-target': target, authorization };
    const response = await fetch(url, { method: 'POST', headers, body: '{}' });
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' });
  }
});
