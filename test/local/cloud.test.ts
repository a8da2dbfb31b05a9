import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { writeAssembly } from './assembly.ts';
import { startFixtureCloud, temporaryDirectory } from './fixture-cloud.ts';

function secretsOf(endpoints: Readonly<Record<string, string>>) {
  const client = new SecretsManagerClient({
    endpoint: endpoints['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  onTestFinished(() => client.destroy());
  const read = async (SecretId: string) =>
    (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
  return { client, read };
}

test('a taken port is one clear line, and nothing is left of the attempt', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void blocker.close());
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a server that listens on TCP has a TCP address
  const { port } = blocker.address() as AddressInfo;
  const dataDir = temporaryDirectory();
  await expect(startFixtureCloud({ port, dataDir })).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
  await startFixtureCloud({ dataDir });
});

test('a data directory has one user at a time', async () => {
  const first = await startFixtureCloud();
  await expect(startFixtureCloud({ dataDir: first.dataDir })).rejects.toThrow(/data directory .* is in use/);
  await first.close();
  await startFixtureCloud({ dataDir: first.dataDir });
});

test('an assembly of another stage is refused', async () => {
  await expect(startFixtureCloud({ stage: 'prod' })).rejects.toThrow('of stage `dev`, not `prod`');
  await startFixtureCloud({ stage: 'dev' });
});

test('a generated secret of the template is made once', async () => {
  const first = await startFixtureCloud();
  const value = await secretsOf(first.endpoints).read('sallyport/dev/sealing');
  expect(value).toMatch(/^[0-9a-f]{64}$/);
  await first.close();
  const second = await startFixtureCloud({ dataDir: first.dataDir });
  expect(await secretsOf(second.endpoints).read('sallyport/dev/sealing')).toBe(value);
});

test('a seed is put when it is new or changed; a rotation in between survives a restart', async () => {
  const dataDir = temporaryDirectory();
  const restart = async (seed: string) => {
    const cloud = await startFixtureCloud({ dataDir, secrets: new Map([['a', seed]]) });
    return { ...secretsOf(cloud.endpoints), close: cloud.close };
  };
  const first = await restart('seed');
  expect(await first.read('a')).toBe('seed');
  await first.client.send(new PutSecretValueCommand({ SecretId: 'a', SecretString: 'rotated' }));
  await first.close();
  const second = await restart('seed');
  expect(await second.read('a')).toBe('rotated');
  await second.close();
  const third = await restart('new seed');
  expect(await third.read('a')).toBe('new seed');
  await third.client.send(new DeleteSecretCommand({ SecretId: 'a', ForceDeleteWithoutRecovery: true }));
  await third.close();
  expect(await (await restart('new seed')).read('a')).toBe('new seed');
});

test('closed, it leaves nothing that keeps a process alive', async () => {
  const [assemblyDir, dataDir] = [temporaryDirectory(), temporaryDirectory()];
  writeAssembly(assemblyDir);
  const program = `
    import { startLocalCloud } from ${JSON.stringify(join(import.meta.dirname, '../../local/cloud.ts'))};
    const cloud = await startLocalCloud(${JSON.stringify({
      assemblyDir,
      dataDir,
      port: 0,
      maxEnvironments: 1,
    }).slice(0, -1)}, secrets: new Map(), log() {} });
    for (const path of ['/echo', '/stream', '/guarded']) await (await fetch(cloud.origin + path)).text();
    const hang = () => fetch(cloud.origin + '/slow?do=hang', { method: 'POST' }).catch((error) => error);
    const hanging = Promise.all([hang(), hang()]);
    await fetch(cloud.controlUrl + '/faults', {
      method: 'POST',
      body: JSON.stringify({ service: 'kms', mode: 'timeout' }),
    });
    const held = fetch(cloud.endpoints.AWS_ENDPOINT_URL_KMS, {
      method: 'POST',
      headers: { 'x-amz-target': 'TrentService.ListKeys', authorization: 'AWS4-HMAC-SHA256 Credential=a/b' },
      body: '{}',
    }).catch((error) => error);
    await cloud.close();
    await Promise.all([hanging, held]);
    console.log('closed');`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(Buffer.concat(output).toString()).toBe('closed\n');
  expect(code).toBe(0);
});
