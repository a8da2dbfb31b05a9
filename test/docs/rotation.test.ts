import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { build } from 'esbuild';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { RotationEvent } from '../../functions/aws/secret-rotation.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { listOf, type Statement } from '../infra/grants.ts';
import { render, resources } from '../infra/synthesized.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';

// The first run of the checks loads all of their rules, which a busy machine does slowly.
vi.setConfig({ testTimeout: 60_000 });

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'secrets.md'), 'utf8');
const [HANDLER = '', STACK = ''] = Array.from(PAGE.matchAll(/```ts\n(.*?)```/gs), ([, text = '']) => text);
const NAME = 'sallyport/prod/credentials/acme/prices/client.analyst';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-rotation-'));
symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
vi.stubEnv('CDK_OUTDIR', join(directory, 'cdk.out'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A program of the page as a module, its imports resolved as in a copy of the repository. */
async function load(name: string, contents: string): Promise<Record<string, unknown>> {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile,
  });
  return import(outfile);
}

test('the rotation function of the page makes a key, has it taken and tried, and makes it the current one', async () => {
  const server = await startSecretsManager(
    new SecretsManager(new SecretStore(temporaryDirectory())),
    new Faults([]),
  );
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  const client = new SecretsManagerClient();
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const value = (token: string) =>
    JSON.stringify({ type: 'bearer', token, url: 'https://prices.example.com/' });
  await client.send(new CreateSecretCommand({ Name: NAME, SecretString: value('key-one-1') }));
  const activated: string[] = [];
  vi.stubGlobal('issueKey', async () => 'key-two-2');
  vi.stubGlobal('activate', async (next: string) => void activated.push(next));
  vi.stubGlobal('callWith', async (next: string) => expect(activated).toContain(next));
  const { handler } = await load('handler', HANDLER);
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the page exports is a rotation function
  const rotate = handler as (event: RotationEvent) => Promise<void>;
  const ClientRequestToken = randomUUID();
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
    await rotate({ SecretId: NAME, ClientRequestToken, Step });
  }
  const current = await client.send(new GetSecretValueCommand({ SecretId: NAME }));
  expect([current.VersionId, current.SecretString]).toEqual([ClientRequestToken, value('key-two-2')]);
});

describe('the stack of the page', async () => {
  // Nothing is bundled here, and what is named has to be there.
  const entry = join(ROOT, 'functions', 'aws', 'secret-rotation.ts');
  const { PricesRotation } = await load('stack', STACK.replace("'rotate-prices.ts'", JSON.stringify(entry)));
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the page exports is a stack
  const PagesStack = PricesRotation as new (
    ...args: ConstructorParameters<typeof import('aws-cdk-lib').Stack>
  ) => import('aws-cdk-lib').Stack;
  const make = () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    return { app, stack: new PagesStack(app, 'PricesRotation') };
  };
  const template = Template.fromStack(make().stack);

  test('rotates the secret that it names, every 30 days and not by the deploy', () => {
    const [schedule, ...more] = resources(template, 'AWS::SecretsManager::RotationSchedule');
    expect(more).toEqual([]);
    expect(render(schedule?.properties.SecretId)).toMatch(new RegExp(`:secret:${NAME}$`));
    expect(schedule?.properties).toMatchObject({
      RotateImmediatelyOnUpdate: false,
      RotationRules: { ScheduleExpression: 'rate(30 days)' },
    });
  });

  test('gives its function the versions of that secret and of no other, and no password of ours', () => {
    const statements = resources(template, 'AWS::IAM::Policy').flatMap(
      ({ properties }): Statement[] => properties.PolicyDocument.Statement,
    );
    const rights = statements.flatMap(({ Action, Resource }) =>
      listOf(Action).map((action) => `${action} ${render(Resource)}`),
    );
    const own = `arn:{AWS::Partition}:secretsmanager:{AWS::Region}:{AWS::AccountId}:secret:${NAME}-??????`;
    expect(rights.sort()).toEqual(
      [
        ...['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
          (action) => `secretsmanager:${action} ${own}`,
        ),
        'secretsmanager:GetRandomPassword *',
      ].sort(),
    );
  });

  test('lets Secrets Manager alone call it', () => {
    const permissions = resources(template, 'AWS::Lambda::Permission').map(({ properties }) => properties);
    expect(permissions).toEqual([
      expect.objectContaining({ Action: 'lambda:InvokeFunction', Principal: 'secretsmanager.amazonaws.com' }),
    ]);
  });

  test('passes the AWS Solutions checks but for what CDK itself gives the function', () => {
    const { app } = make();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    let said = '';
    try {
      app.synth();
    } catch (error) {
      said = String(error);
    }
    const found = [...new Set(said.match(/AwsSolutions-[A-Z0-9]+/g))].sort();
    expect(found).toEqual(['AwsSolutions-IAM4', 'AwsSolutions-IAM5']);
  });
});
