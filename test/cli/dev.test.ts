// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type DevOptions, type LocalParts, runDev } from '../../cli/dev-session.ts';
import { claimDataDirectory, isDataDirectoryInUse } from '../../local/data-directory.ts';
import { startDemo } from '../../local/demo/index.ts';

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url));
const CLOUD = {
  origin: 'http://127.0.0.1:4000',
  controlUrl: 'http://127.0.0.1:4001',
  endpoints: { AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:4002' },
};

let root: string;
let events: string[];
let applied: { apply: { source: string; files: Record<string, string> } } | undefined;
let seeded: ReadonlyMap<string, string>;
let disconnecting: string | undefined;
let controlAnswer: { [name: string]: boolean | number | string | { [name: string]: string | number }[] };
let setupProblems: readonly string[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-'));
});

afterAll(() => rm(root, { recursive: true }));

beforeEach(() => {
  events = [];
  applied = undefined;
  seeded = new Map();
  controlAnswer = { ok: true, version: 1 };
  setupProblems = [];
});

/** The cloud and the build say what is done with them; the demo servers are real. */
const parts: LocalParts = {
  isDataDirectoryInUse,
  synthesize: async ({ stage }) => events.push(`synthesize ${stage}`) > 0,
  startLocalCloud: async ({ port, secrets, disconnects }) => {
    events.push(`start ${port}`);
    seeded = secrets;
    disconnecting = disconnects;
    return {
      ...CLOUD,
      invoke: async (name, event) => {
        events.push(`invoke ${name}`);
        if (name === 'issuer') return { problems: setupProblems };
        applied = JSON.parse(JSON.stringify(event));
        return controlAnswer;
      },
      close: async () => {
        events.push('close');
      },
    };
  },
  startDemo: async (options) => {
    const demo = await startDemo(options);
    events.push('demo');
    return {
      ...demo,
      close: async () => {
        events.push('close demo');
        await demo.close();
      },
    };
  },
};

/** Runs a session that is stopped at an event, or when it is ready. */
async function session(
  options: Partial<DevOptions>,
  {
    env = {},
    stopAt = '',
    changed = {},
  }: { env?: Record<string, string>; stopAt?: string; changed?: Partial<LocalParts> } = {},
) {
  const stop = new AbortController();
  const out: string[] = [];
  const notes: string[] = [];
  const dataDirectory = options.dataDirectory ?? join(root, 'data');
  const result = await runDev(
    {
      configDirectory: CONFIG,
      isDemo: true,
      dataDirectory,
      port: 0,
      stage: 'local',
      allowedOrigins: '',
      disconnects: 'reported',
      isJson: true,
      ...options,
    },
    { ...parts, ...changed },
    {
      env,
      isInteractive: false,
      print: (line) => {
        out.push(line);
        stop.abort('SIGINT');
      },
      note: (line) => {
        notes.push(line);
        if (stopAt !== '' && line.startsWith(stopAt)) stop.abort('SIGINT');
      },
      readInput: async () => '',
      ask: async () => '',
      untilStopped: () => stop.signal,
    },
  );
  return { result, out, notes, failure: result.ok ? undefined : result.error };
}

async function makeConfig(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(root, 'config-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

describe('the demo', () => {
  test('starts the parts in order, says that it is ready, and closes them in the other order', async () => {
    const { result, out } = await session({ dataDirectory: join(root, 'first') });
    expect(result).toMatchObject({ ok: true });
    expect(events).toEqual([
      'synthesize local',
      'start 0',
      'demo',
      'invoke control',
      'invoke issuer',
      'close demo',
      'close',
    ]);
    expect(out.map((line) => JSON.parse(line))).toEqual([
      {
        ready: true,
        origin: CLOUD.origin,
        stage: 'local',
        control_url: CLOUD.controlUrl,
        data: join(root, 'first'),
        AWS_ENDPOINT_URL_KMS: CLOUD.endpoints.AWS_ENDPOINT_URL_KMS,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        FININFO_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/),
        WEATHER_URL: expect.stringMatching(/\/mcp$/),
        POLYGON_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
        COMPANY_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        CARRIER_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        DEMO_LOGIN: 'true',
        DEMO_CARRIER_CLIENT: 'sallyport',
        DEMO_CARRIER_EGRESS: 'user_oauth',
      },
    ]);
  });

  test.for(['reported', 'unreported'] as const)('runs with disconnects %s', async (disconnects) => {
    await session({ disconnects });
    expect(disconnecting).toBe(disconnects);
  });

  test('applies the shipped configuration with the addresses of its own servers', async () => {
    await session({});
    expect(applied?.apply.source).toBe('dev');
    const { servers } = parse(applied?.apply.files['servers.yml'] ?? '');
    expect(servers.fininfo.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    expect(servers.fininfo.url).not.toContain('8790');
    const { providers } = parse(applied?.apply.files['idps.yml'] ?? '');
    expect(providers.company).toMatchObject({ enabled: true, issuer: expect.not.stringContaining('8793') });
    expect(Object.keys(applied?.apply.files ?? {})).toEqual(
      (await readdir(CONFIG)).filter((name) => !name.startsWith('secrets.')).sort(),
    );
  });

  test('a second start has the same secrets', async () => {
    await session({ dataDirectory: join(root, 'second') });
    const first = seeded;
    await session({ dataDirectory: join(root, 'second') });
    expect(first.size).toBeGreaterThan(0);
    expect([...seeded]).toEqual([...first]);
  });

  test('people get commands to paste, and no secret', async () => {
    const { out } = await session({ isJson: false });
    expect(out.join('\n')).toContain(`SALLYPORT_ORIGIN=${CLOUD.origin} npx sallyport token --client analyst`);
    for (const secret of seeded.values()) expect(out.join('\n')).not.toContain(secret);
  });
});

describe('a configuration of one’s own', () => {
  test('gets its secrets from secrets.local.yml, and no demo', async () => {
    const configDirectory = await makeConfig({
      'orgs.yml': 'orgs: { ${ORG}: {} }',
      'secrets.local.yml':
        'sallyport/{stage}/clients/a: raw\nsallyport/{stage}/credentials/acme/s/client.a:\n  type: bearer\n  token: t\n',
    });
    const { result } = await session(
      { configDirectory, isDemo: false, stage: 'test' },
      { env: { ORG: 'acme' } },
    );
    expect(result).toMatchObject({ ok: true });
    expect(events).not.toContain('demo');
    expect([...seeded]).toEqual([
      ['sallyport/test/clients/a', 'raw'],
      ['sallyport/test/credentials/acme/s/client.a', '{"type":"bearer","token":"t"}'],
    ]);
    expect(applied?.apply.files).toEqual({ 'orgs.yml': 'orgs: { acme: {} }' });
  });

  test('gets the secrets of identity providers from the environment too, and sends none of them on', async () => {
    const configDirectory = await makeConfig({
      'idps.yml':
        'providers:\n  okta: { client_id: "${ID}", client_secret: "${OKTA_SECRET}" }\n  entra: { client_secret: "${ENTRA_SECRET}" }\n  google: { client_secret: "${GOOGLE_SECRET}" }\n',
      'secrets.local.yml': 'sallyport/{stage}/env/ENTRA_SECRET: from-the-file',
    });
    const { result } = await session(
      { configDirectory, isDemo: false, stage: 'test' },
      {
        env: { ID: 'c-1', OKTA_SECRET: 'from-the-shell', ENTRA_SECRET: 'from-the-shell', OTHER_SECRET: 'x' },
      },
    );
    expect(result).toMatchObject({ ok: true });
    expect([...seeded].sort()).toEqual([
      ['sallyport/test/env/ENTRA_SECRET', 'from-the-file'],
      ['sallyport/test/env/OKTA_SECRET', 'from-the-shell'],
    ]);
    const sent = applied?.apply.files['idps.yml'] ?? '';
    expect(sent).toContain('c-1');
    expect(sent).toContain('${OKTA_SECRET}');
    expect(sent).not.toContain('from-the-shell');
  });

  test.for([
    ['a list', '- a', /secrets\.local\.yml:1: write a map/],
    ['a number', 'a: x\nb: 12345', /secrets\.local\.yml:2: the value of `b` is a string/],
    ['no YAML', 'a: "top-secret', /secrets\.local\.yml:1: not valid YAML/],
    ['a name twice', 'a: x\na: top-secret', /secrets\.local\.yml:2: not valid YAML, or a name twice/],
  ] as const)('secrets.local.yml with %s is refused before anything starts', async ([, text, message]) => {
    const configDirectory = await makeConfig({ 'orgs.yml': 'a: 1', 'secrets.local.yml': text });
    const { failure } = await session({ configDirectory, isDemo: false });
    expect(failure).toMatchObject({ exit: 1, message: expect.stringMatching(message) });
    expect(failure?.message).not.toContain('top-secret');
    expect(events).toEqual([]);
  });

  test('every error of it is told with file and line, and everything is closed', async () => {
    const configDirectory = await makeConfig({ 'orgs.yml': 'a: 1' });
    controlAnswer = { ok: false, errors: [{ file: 'orgs.yml', line: 1, message: 'unknown key `a`' }] };
    const { failure, out } = await session({ configDirectory, isDemo: false });
    expect(failure).toMatchObject({ exit: 1, details: [`${configDirectory}/orgs.yml:1: unknown key \`a\``] });
    expect(out).toEqual([]);
    expect(events.at(-1)).toBe('close');
  });

  test('what the issuer lacks is a warning, and it starts nevertheless', async () => {
    setupProblems = ['no token can be signed: A2 is the key that signs, and this environment has A1, B1'];
    const { notes, out } = await session({});
    expect(out).toHaveLength(1);
    expect(notes).toContain(`warning: ${setupProblems[0]}`);
  });

  test('a missing directory or variable is found before anything starts', async () => {
    const missing = await session({ configDirectory: join(root, 'none'), isDemo: false });
    expect(missing.failure).toMatchObject({
      exit: 1,
      message: `there is no directory \`${join(root, 'none')}\``,
    });
    const configDirectory = await makeConfig({ 'servers.yml': 'a: ${NOT_SET}' });
    const unset = await session({ configDirectory, isDemo: false });
    expect(unset.failure?.details?.[0]).toMatch(/servers\.yml:1: `NOT_SET` is not set/);
    expect(events).toEqual([]);
  });
});

describe('a session that cannot start', () => {
  test('names the port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const configDirectory = await makeConfig({ 'orgs.yml': 'a: 1' });
    const { failure } = await session({ configDirectory, isDemo: false, port });
    expect(failure).toMatchObject({ exit: 1, message: expect.stringContaining(`port ${port} is in use`) });
    expect(events).toEqual([]);
    server.close();
  });

  test('names the data directory that somebody else uses, before it builds', async () => {
    const dataDirectory = join(root, 'claimed');
    const claim = await claimDataDirectory(dataDirectory);
    const { failure } = await session({ dataDirectory });
    await claim.release();
    expect(failure).toMatchObject({
      exit: 1,
      message: expect.stringMatching(/claimed is in use .*; choose --data$/),
    });
    expect(events).toEqual([]);
  });

  test('names the data directory that cannot be used', async () => {
    await writeFile(join(root, 'file'), '');
    const { failure } = await session({ dataDirectory: join(root, 'file') });
    expect(failure).toMatchObject({ exit: 1, message: expect.stringContaining(join(root, 'file')) });
  });

  test('says what the build said', async () => {
    const synthesize = async () => {
      throw new Error('the CDK app failed:\nfunctions/x.ts:1: no such module\n    at somewhere');
    };
    const { failure } = await session({}, { changed: { synthesize } });
    expect(failure).toMatchObject({
      message: 'cannot build: the CDK app failed:',
      details: ['functions/x.ts:1: no such module'],
    });
  });

  test('closes the cloud where the demo cannot start', async () => {
    const failing = async () => {
      throw new Error('listen EADDRINUSE: address already in use 127.0.0.1:8790');
    };
    const { failure } = await session({}, { changed: { startDemo: failing } });
    expect(failure?.message).toContain('EADDRINUSE');
    expect(events.at(-1)).toBe('close');
  });

  test.for([
    ['building', ['synthesize local']],
    ['starting the local cloud', ['synthesize local', 'start 0', 'close']],
    ['applying', ['synthesize local', 'start 0', 'demo', 'invoke control', 'close demo', 'close']],
  ] as const)('is stopped while it is %s, with nothing left', async ([stopAt, expected]) => {
    const { failure, out } = await session({}, { stopAt });
    expect(failure?.exit).toBe(130);
    expect(out).toEqual([]);
    expect(events).toEqual(expected);
  });
});
