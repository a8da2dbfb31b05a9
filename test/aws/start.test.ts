import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Environment } from '../../functions/aws/environment.ts';

/** A function starts with all of its settings or not at all, and there is none that turns a check off. */

const KEYS = 'A1=arn:aws:kms:eu-west-1:111122223333:key/a,B1=arn:aws:kms:eu-west-1:111122223333:key/b';
const SETTINGS: Environment = {
  SALLYPORT_STAGE: 'prod',
  AUTH_TABLE: 'auth',
  AUDIT_TABLE: 'audit',
  AUDIT_RETENTION_DAYS: '365',
  CONTEXT_TABLE: 'context',
  CONTEXT_ROLE_ARN: 'arn:aws:iam::111122223333:role/data',
  ISSUER_KEY_ARNS: KEYS,
  IDENTITY_KEY_ARNS: KEYS,
  CONNECTION_KEY_ARN: 'arn:aws:kms:eu-west-1:111122223333:key/c',
  SEALING_SECRET: 'sealing',
  EDGE_SECRET: '',
  ALLOWED_ORIGINS: '',
};
const PLATFORM = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' };

/** Says what a function reads of its environment, and what its start says where one of that is missing, or empty. */
const STARTS = `
const [url, given] = process.argv.slice(1);
const settings = JSON.parse(given);
globalThis.awslambda = { streamifyResponse: (handler) => handler };
let starts = 0;
const start = async (environment) => {
  const read = new Set();
  const note = (name) => typeof name === 'string' && read.add(name);
  process.env = new Proxy(environment, {
    get: (all, name) => (note(name), all[name]),
    has: (all, name) => (note(name), name in all),
    ownKeys: (all) => (note('every name'), Reflect.ownKeys(all)),
  });
  const said = await import(url + '?start=' + (starts += 1)).then(() => 'started', (error) => error.message);
  return { read: [...read], said };
};
const whole = await start(settings);
const without = {};
for (const name of whole.read.filter((name) => name in settings && !name.startsWith('AWS_'))) {
  const { [name]: _, ...others } = settings;
  without[name] = [(await start(others)).said, (await start({ ...others, [name]: '' })).said];
}
console.log(JSON.stringify({ ...whole, without }));
`;

type Starts = {
  readonly said: string;
  readonly read: readonly string[];
  readonly without: Readonly<Record<string, readonly [missing: string, empty: string]>>;
};

describe.for(['issuer', 'authorizer', 'gateway', 'context-store', 'control'])('the function %s', (name) => {
  let starts: Starts;
  beforeAll(async () => {
    const url = pathToFileURL(join(import.meta.dirname, '../../functions', `${name}.ts`)).href;
    const settings = JSON.stringify({ ...SETTINGS, ...PLATFORM });
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      STARTS,
      url,
      settings,
    ]);
    starts = JSON.parse(stdout);
  });

  test('starts with its settings', () => {
    expect(starts.said).toBe('started');
    expect(Object.keys(starts.without)).toEqual(
      expect.arrayContaining(['SALLYPORT_STAGE', 'AUTH_TABLE', 'AUDIT_TABLE']),
    );
  });

  test('does not start where one is missing or empty, and says which', () => {
    for (const [setting, [missing, empty]] of Object.entries(starts.without)) {
      const refusal = `environment variable \`${setting}\` is missing or empty`;
      expect(missing).toBe(refusal);
      expect(empty).toBe(/^(?:ALLOWED_ORIGINS|EDGE_SECRET)$/.test(setting) ? 'started' : refusal);
    }
  });

  test('reads nothing else: no setting turns verification off', () => {
    const others = starts.read.filter((setting) => !(setting in SETTINGS));
    // What the platform and the AWS SDK read of their own, and Node for a package with a source map.
    expect(
      others.filter(
        (setting) => !/^(?:AWS_|FORCE_COLOR$|WATCH_REPORT_DEPENDENCIES$|NODE_V8_COVERAGE$)/.test(setting),
      ),
    ).toEqual([]);
  });
});
