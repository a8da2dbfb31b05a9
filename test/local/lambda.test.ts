import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { toFunctionName } from '../../local/lambda/function-name.ts';
import { startFixtureCloud, startSignals } from './fixture-cloud.ts';

test('a function has the environment of the template and the platform, and nothing of the developer', async () => {
  process.env['DEVELOPER_SECRET'] = 'x';
  const cloud = await startFixtureCloud();
  const environment: unknown = await (await fetch(`${cloud.origin}/echo?do=environment`)).json();
  const keyArn = expect.stringMatching(
    /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36},[0-9a-f-]{36}$/,
  );
  expect(environment).toEqual({
    SALLYPORT_STAGE: 'dev',
    AUDIT_TABLE: 'Fixture-AuditTable',
    KEYS: keyArn,
    PART: 'table/Fixture-AuditTable',
    EMPTY: '',
    AWS_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'Fixture-Buffered1A2B3C4D',
    AWS_ACCESS_KEY_ID: 'LOCALFUNCTIONBuffered1A2B3C4D',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: expect.any(String),
    AWS_SHARED_CREDENTIALS_FILE: expect.any(String),
    ...cloud.endpoints,
  });
});

test('an environment serves one request at a time, and is used again', async () => {
  const cloud = await startFixtureCloud();
  const signals = await startSignals();
  const count = async () =>
    JSON.parse(await (await fetch(`${cloud.origin}/echo?do=count`)).text()).invocations;
  expect(await count()).toBe(1);
  const long = fetch(`${cloud.origin}/echo?do=wait&url=${signals.url}/go`);
  const goOn = await signals.asked('go');
  // The busy one is at its second invocation; a new one starts to count.
  expect(await count()).toBe(1);
  expect(await count()).toBe(2);
  goOn();
  expect(JSON.parse(await (await long).text())).toEqual({ invocations: 2, answer: 'go' });
});

test('beyond the bound of environments a request waits for a free one', async () => {
  const cloud = await startFixtureCloud({ maxEnvironments: 1 });
  const signals = await startSignals();
  const long = fetch(`${cloud.origin}/echo?do=wait&url=${signals.url}/go`);
  const goOn = await signals.asked('go');
  const next = fetch(`${cloud.origin}/echo?do=count`);
  goOn();
  expect(await (await long).json()).toEqual({ invocations: 1, answer: 'go' });
  expect(await (await next).json()).toEqual({ invocations: 2 });
});

test.for(['crash', 'exit'])('an environment that dies of `%s` is replaced by a fresh one', async (what) => {
  const cloud = await startFixtureCloud({ maxEnvironments: 1 });
  await fetch(`${cloud.origin}/echo?do=count`);
  expect((await fetch(`${cloud.origin}/echo?do=${what}`)).status).toBe(502);
  expect(await (await fetch(`${cloud.origin}/echo?do=count`)).json()).toEqual({ invocations: 1 });
});

test('an error that the function throws leaves its environment alive', async () => {
  const cloud = await startFixtureCloud({ maxEnvironments: 1 });
  expect((await fetch(`${cloud.origin}/echo?do=throw`)).status).toBe(502);
  expect(await (await fetch(`${cloud.origin}/echo?do=count`)).json()).toEqual({ invocations: 2 });
});

test('what a function prints is in its log, with the time, and so are its failures', async () => {
  const cloud = await startFixtureCloud();
  await fetch(`${cloud.origin}/echo?do=log`);
  await fetch(`${cloud.origin}/echo?do=throw`);
  await vi.waitFor(() => {
    const log = readFileSync(join(cloud.dataDir, 'logs', 'buffered.log'), 'utf8');
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z a line of the function$/m);
    expect(log).toMatch(/^\S+Z \{"errorType":"Error","errorMessage":"thrown"/m);
  });
});

test('a function can be invoked directly, by logical id or by the name that people use', async () => {
  const cloud = await startFixtureCloud();
  const answer = { direct: 1, function: 'Fixture-Buffered1A2B3C4D' };
  expect(await cloud.invoke('buffered', { direct: 1 })).toEqual(answer);
  expect(await cloud.invoke('Buffered1A2B3C4D', { direct: 1 })).toEqual(answer);
  await expect(cloud.invoke('nobody', {})).rejects.toThrow('there is no function `nobody`');
  await expect(cloud.invoke('buffered', { queryStringParameters: { do: 'throw' } })).rejects.toThrow(
    'thrown',
  );
});

test.for([
  ['Control1A2B3C4D', 'control'],
  ['ContextStoreFunctionDEADBEEF', 'context-store'],
  ['Gateway', 'gateway'],
  ['IssuerFn00112233', 'issuer'],
] as const)('%s is called %s', ([logicalId, name]) => {
  expect(toFunctionName(logicalId)).toBe(name);
});
