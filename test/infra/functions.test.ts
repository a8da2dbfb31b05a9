import { describe, expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

const template = synthesize({ allowedOrigins: 'https://a.example.com,https://b.example.com' });
const functions = resources(template, 'AWS::Lambda::Function').map((entry) => ({
  ...entry,
  name: entry.id.slice(0, -8),
}));

const AUTH_TABLE = '{StorageAuthTable}';
const AUDIT_TABLE = '{StorageAuditTable}';
const ALLOWED_ORIGINS = 'https://a.example.com,https://b.example.com';
const IDENTITY_KEY_ARNS = 'A1={StorageIdentityKeySlotA.Arn},B1={StorageIdentityKeySlotB.Arn}';
const COMMON = { SALLYPORT_STAGE: 'prod', AUTH_TABLE, AUDIT_TABLE, AUDIT_RETENTION_DAYS: '365' };

/** The whole environment of each function: nothing else is passed. */
const ENVIRONMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Authorizer: COMMON,
  Issuer: {
    ...COMMON,
    ISSUER_KEY_ARNS: 'A1={StorageIssuerKeySlotA.Arn},B1={StorageIssuerKeySlotB.Arn}',
    IDENTITY_KEY_ARNS,
    SEALING_SECRET: 'sallyport/prod/sealing',
    EDGE_SECRET: 'sallyport/prod/edge-1',
    ALLOWED_ORIGINS,
  },
  Gateway: {
    ...COMMON,
    IDENTITY_KEY_ARNS,
    CONNECTION_KEY_ARN: '{StorageConnectionKey.Arn}',
    SEALING_SECRET: 'sallyport/prod/sealing',
    ALLOWED_ORIGINS,
  },
  ContextStore: {
    ...COMMON,
    CONTEXT_TABLE: '{StorageContextTable}',
    CONTEXT_ROLE_ARN: '{ContextDataRole.Arn}',
    SEALING_SECRET: 'sallyport/prod/sealing',
    ALLOWED_ORIGINS,
  },
  Control: {
    ...COMMON,
    CONNECTION_KEY_ARN: '{StorageConnectionKey.Arn}',
    SEALING_SECRET: 'sallyport/prod/sealing',
    ALLOWED_ORIGINS,
  },
};

describe('functions', () => {
  test('are five, and there is no other code in the stack', () => {
    expect(functions.map(({ name }) => name).sort()).toEqual(Object.keys(ENVIRONMENTS).sort());
  });

  test.for(functions)(
    '$name runs on arm64 and Node.js 24, from a zip and outside any VPC',
    ({ properties }) => {
      expect(properties).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
      });
      expect(properties.PackageType ?? 'Zip').toBe('Zip');
      for (const absent of [
        'VpcConfig',
        'ImageConfig',
        'Layers',
        'ReservedConcurrentExecutions',
        'FunctionName',
      ]) {
        expect(properties).not.toHaveProperty(absent);
      }
    },
  );

  test.for(functions)('$name logs JSON to a group of its own that forgets', ({ name, properties }) => {
    expect(properties.LoggingConfig.LogFormat).toBe('JSON');
    expect(render(properties.LoggingConfig.LogGroup)).toBe(`{${name}Log}`);
    const group = resources(template, 'AWS::Logs::LogGroup').find(({ id }) => id.startsWith(`${name}Log`));
    expect(group?.properties.RetentionInDays).toBeGreaterThan(0);
  });

  test.for(functions)('$name has a role of its own', ({ name, properties }) => {
    expect(render(properties.Role)).toBe(`{${name}Role.Arn}`);
  });

  test.for(functions)('$name gets exactly its settings', ({ name, properties }) => {
    const variables: Record<string, unknown> = properties.Environment.Variables;
    const rendered = Object.entries(variables).map(([key, value]) => [key, render(value)]);
    expect(Object.fromEntries(rendered)).toEqual(ENVIRONMENTS[name]);
  });

  test('what decides on every request has the CPU to do it', () => {
    const memory = Object.fromEntries(functions.map(({ name, properties }) => [name, properties.MemorySize]));
    expect(memory['Authorizer']).toBeGreaterThanOrEqual(512);
    expect(memory['Gateway']).toBeGreaterThanOrEqual(512);
    // Documents of 4 MB are held as bytes, as text and as what is sent.
    expect(memory['ContextStore']).toBeGreaterThanOrEqual(1024);
  });
});

describe('the configuration', () => {
  test('is applied by control itself, with a digest of what is to be applied', () => {
    const [applied] = resources(template, 'Custom::SallyportConfiguration');
    expect(render(applied?.properties.ServiceToken)).toBe('{Control.Arn}');
    expect(applied?.properties).toMatchObject({
      action: 'apply',
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});
