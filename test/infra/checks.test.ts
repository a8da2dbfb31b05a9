import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { afterAll, expect, test, vi } from 'vitest';
import { createApp } from '../../infra/app.ts';

// The first run of the checks loads all of their rules, which a busy machine does slowly.
vi.setConfig({ testTimeout: 60_000 });

const outdir = mkdtempSync(join(tmpdir(), 'sallyport-checks-'));
vi.stubEnv('CDK_OUTDIR', outdir);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(outdir, { recursive: true });
});

const context = { 'aws:cdk:bundling-stacks': [] };
const customDomain = {
  domainName: 'gate.example.com',
  certificateArn: 'arn:aws:acm:eu-west-1:1:certificate/one',
};

test.for([
  ['behind CloudFront', {}],
  ['with browser origins', { allowedOrigins: 'https://a.example.com' }],
  ['with a custom domain', customDomain],
  ['as another stage', { stage: 'staging' }],
  [
    'in a VPC without a way out',
    {
      vpcId: 'vpc-0a1b2c3d',
      subnetIds: 'subnet-0a000001',
      vpcEndpointRouteTables: 'rtb-01000001',
      vpcFunctions: 'gateway,issuer',
    },
  ],
] as const)('the stack %s passes the AWS Solutions checks', ([, chosen]) => {
  expect(() => createApp({ ...context, ...chosen }).synth()).not.toThrow();
});

test('a right that nobody acknowledged stops the synthesis', () => {
  const app = createApp(context);
  const role = app.node
    .findAll()
    .find((construct) => construct instanceof Role && construct.node.id === 'GatewayRole');
  if (!(role instanceof Role)) throw new Error('no such role');
  role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
  expect(() => app.synth()).toThrow(/AwsSolutions-IAM5\[Resource::\*\]/);
});
