import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { applyConfiguration } from '../../functions/handlers/policy-apply.ts';
import { configurationOf, type PolicyApp, startPolicyApp } from '../support/policy-app.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let app: PolicyApp;

afterEach(() => app.close());

const start = async () => {
  app = await startPolicyApp();
};
const apply = (...scopes: readonly string[]) => app.ask('PUT', '', { files: configurationOf(...scopes) });
const read = async (response: Response): Promise<Record<string, unknown>> =>
  JSON.parse(await response.text());
const by = { client_id: 'steward', subject: 'steward' };

describe('whoever would lock itself out', () => {
  const files = configurationOf('one');
  const clients = JSON.parse(files['clients.yml'] ?? '').clients;
  const steward = (changes: object) => ({
    ...files,
    'clients.yml': JSON.stringify({ clients: { ...clients, steward: { ...clients.steward, ...changes } } }),
  });
  const others = { rival: { ...clients.agent, org: 'rival' } };
  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ['without its scope', steward({ scopes: ['one'] })],
    ['disabled', steward({ disabled: true })],
    ['with tokens for one server at a time', steward({ audience: 'resource' })],
    ['without an entry', { ...files, 'clients.yml': JSON.stringify({ clients: { agent: clients.agent } }) }],
    [
      'beside a client of another organisation',
      { ...files, 'clients.yml': JSON.stringify({ clients: { ...clients, ...others } }) },
    ],
    [
      'where the action is gone',
      { ...files, 'scopes.yml': JSON.stringify({ 'UI-Scopes': { steward: {} }, one: [] }) },
    ],
  ])('%s is warned by the plan, and refused until it says that it means it', async ([, next]) => {
    await start();
    const plan = await read(await app.ask('POST', '/plan', { files: next }));
    expect(JSON.stringify(plan['warnings'])).toContain('could not change the policy any more');
    const refused = await app.ask('PUT', '', { files: next });
    expect(refused.status).toBe(412);
    expect(await refused.text()).toContain('allow_lockout');
    expect(await app.version()).toBe(1);
    expect((await app.ask('PUT', '', { files: next, allow_lockout: true })).status).toBe(200);
    expect(await app.version()).toBe(2);
  });
});

describe('who was dismissed, in the seconds in which the old policy is remembered,', () => {
  const files = configurationOf('one');
  const { clients } = JSON.parse(files['clients.yml'] ?? '');
  const steward = (changes: object) => ({
    ...files,
    'clients.yml': JSON.stringify({ clients: { ...clients, steward: { ...clients.steward, ...changes } } }),
  });
  const bindings = (...members: readonly string[]) => ({
    ...files,
    'orgs.yml': JSON.stringify({
      orgs: { acme: { role_bindings: [{ role: 'platform_admin', members }] } },
    }),
  });
  const orgs = (suspended: boolean) => ({
    ...files,
    'orgs.yml': JSON.stringify({ orgs: { acme: { suspended } } }),
  });
  type Files = Readonly<Record<string, string>>;
  const rows: readonly (readonly [string, Files, Files])[] = [
    ['as a client that is disabled', files, steward({ disabled: true })],
    [
      'with its entry',
      files,
      { ...files, 'clients.yml': JSON.stringify({ clients: { agent: clients.agent } }) },
    ],
    ['with its scope', files, steward({ scopes: ['one'] })],
    ['with tokens for the whole gateway', files, steward({ audience: 'resource' })],
    ['with its role', bindings('steward'), bindings('agent')],
    ['with its organisation', orgs(false), orgs(true)],
  ];

  test.for(rows)('%s, neither looks at it, changes it nor rolls back', async ([, before, after]) => {
    await start();
    const written = { atSeconds: NOW_SECONDS };
    const applyNow = async (next: Files) => {
      const applied = await applyConfiguration(app.policies, new Map(Object.entries(next)), 'deploy', {
        written,
      });
      expect(applied).toMatchObject({ ok: true });
    };
    await applyNow(before);
    const version = await app.version();
    expect((await app.ask('GET', '')).status).toBe(200);
    await applyNow(after);
    app.nowSeconds += 2;
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '/plan', { version }],
      ['POST', '/rollback', { version, allow_lockout: true }],
      ['PUT', '', { files: before, allow_lockout: true }],
    ] as const) {
      expect([method, (await app.ask(method, path, body)).status]).toEqual([method, 403]);
    }
    expect(await app.version()).toBe(version + 1);
    expect(app.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'not_granted' });
  });
});

describe('a plan', () => {
  test('says what would change for whom, over which version, and changes nothing', async () => {
    await start();
    const response = await app.ask('POST', '/plan', { files: configurationOf('one', 'two') });
    expect(response.status).toBe(200);
    const body = await read(response);
    expect(body).toEqual({
      over: 1,
      warnings: [],
      changes: [
        {
          effect: 'gain',
          part: 'clients',
          name: 'agent',
          text: 'the client agent may now have the scope two',
        },
        {
          effect: 'gain',
          part: 'scopes',
          name: 'two',
          text: 'who has the scope two (client agent) may now reach the server fin',
        },
        {
          effect: 'gain',
          part: 'scopes',
          name: 'two',
          text: 'who has the scope two (client agent) may now call the tool two on the server fin',
        },
        {
          effect: 'change',
          part: 'registration',
          name: '',
          text: '`registration` changes its `scopes`, now with two',
        },
      ],
    });
    expect(await app.version()).toBe(1);
    expect(app.records).toMatchObject([{ area: 'policy', decision: 'allow', method: 'plan' }]);
  });

  test('of what runs is empty', async () => {
    await start();
    const body = await read(await app.ask('POST', '/plan', { files: configurationOf('one') }));
    expect(body['changes']).toEqual([]);
  });

  test('of an earlier version says what it would bring back', async () => {
    await start();
    await apply('two');
    const body = await read(await app.ask('POST', '/plan', { version: 1 }));
    expect(body).toMatchObject({ over: 2 });
    expect(JSON.stringify(body['changes'])).toContain('loses the scope two');
    expect((await app.ask('POST', '/plan', { version: 9 })).status).toBe(404);
  });

  test('of a configuration that is not valid is its errors', async () => {
    await start();
    const response = await app.ask('POST', '/plan', { files: { ...configurationOf('one'), 'x.yml': '' } });
    expect(response.status).toBe(400);
    expect(await read(response)).toMatchObject({ errors: [{ file: 'x.yml', line: 1 }] });
  });

  test('of very much says how much more there is', async () => {
    await start();
    const many = Array.from({ length: 1_100 }, (_, index) => `scope-${index}`);
    const body = await read(await app.ask('POST', '/plan', { files: configurationOf(...many) }));
    expect(body['changes']).toHaveLength(2_000);
    expect(body['more']).toBe(3 * 1_100 + 4 - 2_000);
  });
});

describe('a change', () => {
  test('follows the version that it was planned over, or none', async () => {
    await start();
    const body = { files: configurationOf('two') };
    const done = await app.ask('PUT', '', body, { 'if-match': '"1"' });
    expect([done.status, done.headers.get('etag')]).toEqual([200, '"2"']);
    const late = await app.ask('PUT', '', { files: configurationOf('three') }, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    expect((await read(late))['detail']).toBe('version 2 runs by now, not 1; look at it and try again');
    expect(await app.version()).toBe(2);
    expect((await app.ask('PUT', '', { files: configurationOf('three') }, { 'if-match': '*' })).status).toBe(
      200,
    );
  });

  test.for(['1', '"1", "2"', 'W/"1"', '"x"', '"0"', ''])('with `If-Match: %s` is refused', async (match) => {
    await start();
    const done = await app.ask('PUT', '', { files: configurationOf('two') }, { 'if-match': match });
    expect(done.status).toBe(400);
    expect(await app.version()).toBe(1);
  });

  test('of fifty at once over one version is made once, and nothing is lost of it', async () => {
    await start();
    const scopes = Array.from({ length: 50 }, (_, index) => `scope-${index}`);
    const answers = await Promise.all(
      scopes.map((scope) => app.ask('PUT', '', { files: configurationOf(scope) }, { 'if-match': '"1"' })),
    );
    const won = scopes.filter((_, index) => answers[index]?.status === 200);
    expect(won).toHaveLength(1);
    for (const { status } of answers.filter((answer) => answer.status !== 200))
      expect([409, 412]).toContain(status);
    expect(await app.version()).toBe(2);
    const pointer = await app.policies.readPointer();
    const running = pointer.ok && pointer.value ? await app.policies.readSnapshot(pointer.value) : undefined;
    expect(running?.ok ? running.value.clients[1]?.scopes : undefined).toEqual(won);
    expect(await read(await app.ask('GET', '/versions'))).toMatchObject({
      versions: [{ version: 2 }, { version: 1 }],
    });
  });
});

describe('the versions', () => {
  test('are told newest first, with who made them, and when, and what they brought back', async () => {
    await start();
    app.nowSeconds += 60;
    await apply('two');
    app.nowSeconds += 60;
    expect((await app.ask('POST', '/rollback', { version: 1 })).status).toBe(200);
    const { versions } = await read(await app.ask('GET', '/versions'));
    const content_hash = expect.any(String);
    const deployed = { version: 1, source: 'deploy', content_hash, applied_at: NOW_SECONDS };
    const applied = {
      version: 2,
      source: 'apply',
      content_hash,
      applied_at: NOW_SECONDS + 60,
      applied_by: by,
    };
    const restored = { ...applied, version: 3, applied_at: NOW_SECONDS + 120, restored: 1 };
    expect(versions).toEqual([restored, applied, deployed]);
    expect(await read(await app.ask('GET', ''))).toEqual(restored);
    expect(await read(await app.ask('GET', '/versions?before=3'))).toEqual({ versions: [applied, deployed] });
    expect(await read(await app.ask('GET', '/versions?before=1'))).toEqual({ versions: [] });
  });

  test.for(['0', 'x', '-1', '1.5'])('are not told before %s', async (before) => {
    await start();
    expect((await app.ask('GET', `/versions?before=${before}`)).status).toBe(400);
    expect((await app.ask('GET', `/versions?before=3&before=${before}`)).status).toBe(400);
  });

  test('have an ETag', async () => {
    await start();
    expect((await app.ask('GET', '')).headers.get('etag')).toBe('"1"');
  });
});

describe('a rollback', () => {
  test('makes the earlier content run again under a new version', async () => {
    await start();
    await apply('two');
    const first = await app.policyHistory.find(1);
    const done = await app.ask('POST', '/rollback', { version: 1 }, { 'if-match': '"2"' });
    expect([done.status, await read(done)]).toEqual([200, { version: 3 }]);
    const third = await app.policies.readPointer();
    expect(third.ok && third.value?.contentHash).toBe(first.ok && first.value?.contentHash);
    expect(app.records.slice(-2)).toMatchObject([
      { event: 'decision', decision: 'allow', method: 'rollback', name: 'version:1' },
      { event: 'outcome', reason: 'version:3', method: 'rollback' },
    ]);
  });

  test('to what runs changes nothing', async () => {
    await start();
    expect(await read(await app.ask('POST', '/rollback', { version: 1 }))).toEqual({ version: 1 });
  });

  test('to a version that is not kept, or of another format, is none', async () => {
    await start();
    expect((await app.ask('POST', '/rollback', { version: 2 })).status).toBe(404);
    const pointer = await app.policies.readPointer();
    if (!pointer.ok || pointer.value === undefined) throw new Error('there is no policy');
    const snapshot = await app.policies.readSnapshot(pointer.value);
    if (!snapshot.ok) throw new Error(snapshot.error.detail);
    const strange = Object.assign({ ...snapshot.value }, { format: 99 });
    await app.policies.write(strange, pointer.value, 'apply');
    const now = await app.policies.readPointer();
    if (!now.ok || now.value === undefined) throw new Error('there is no policy');
    await app.policies.write(snapshot.value, now.value, 'apply');
    expect((await app.ask('POST', '/rollback', { version: 2 })).status).toBe(503);
    expect(await app.version()).toBe(3);
  });

  test('is an apply to a deploy: what was taken back is not deployed again unseen', async () => {
    await start();
    await apply('two');
    await app.ask('POST', '/rollback', { version: 1 });
    const pointer = await app.policies.readPointer();
    expect(pointer).toMatchObject({ value: { source: 'apply', version: 3 } });
  });

  test.for([{}, { version: '1' }, { version: 0 }, { version: 1.5 }, [], 'x'])(
    'that names no version is refused: %j',
    async (body) => {
      await start();
      expect((await app.ask('POST', '/rollback', body)).status).toBe(400);
      expect((await app.ask('POST', '/plan', body)).status).toBe(400);
    },
  );
});

describe('nothing happens', () => {
  const CHANGES = [
    ['GET', '/versions', undefined],
    ['POST', '/plan', { version: 1 }],
    ['PUT', '', { files: configurationOf('two') }],
    ['POST', '/rollback', { version: 1 }],
  ] as const;

  test.for(CHANGES)('that cannot be recorded: %s %s', async ([method, path, body]) => {
    await start();
    app.canRecord = false;
    expect((await app.ask(method, path, body)).status).toBe(503);
    app.canRecord = true;
    expect(await app.version()).toBe(1);
  });

  test('where the history cannot be read', async () => {
    await start();
    const { find, read: list } = app.policyHistory;
    const down = () => Promise.resolve({ ok: false, error: { reason: 'unavailable', detail: '' } } as const);
    Object.assign(app.policyHistory, { find: down, read: down });
    for (const [method, path, body] of CHANGES.filter(([verb]) => verb !== 'PUT')) {
      expect((await app.ask(method, path, body)).status).toBe(503);
    }
    Object.assign(app.policyHistory, { find, read: list });
    expect(await app.version()).toBe(1);
  });
});

describe('the running policy survives', () => {
  /** JSON of anything, and configurations in which one file is anything. */
  const anything = fc.anything({ withNullPrototype: false, maxDepth: 3 });
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    anything.map((files) => ({ files })),
    fc
      .tuple(
        fc.constantFrom('scopes.yml', 'servers.yml', 'clients.yml', 'orgs.yml', 'idps.yml', '__proto__'),
        anything,
      )
      .map(([name, value]) => ({ files: { ...configurationOf('one'), [name]: value } })),
    fc
      .tuple(
        fc.constantFrom('scopes.yml', 'servers.yml', 'clients.yml', 'orgs.yml', 'idps.yml'),
        fc.string(),
        fc.nat(),
      )
      .map(([name, noise, at]) => {
        const files = configurationOf('one');
        const text = files[name] ?? '';
        const place = text.length === 0 ? 0 : at % text.length;
        return { files: { ...files, [name]: text.slice(0, place) + noise + text.slice(place) } };
      }),
  );

  test('whatever is sent: it is refused, or it is a configuration, and none of it is a bug', async () => {
    await start();
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const text =
          typeof sent === 'string'
            ? sent
            : JSON.stringify(sent, (_, value) => (typeof value === 'bigint' ? String(value) : value));
        const planned = await app.ask('POST', '/plan', text);
        expect([200, 400, 404]).toContain(planned.status);
        if (planned.status === 200) return;
        const before = await app.version();
        expect([400, 404]).toContain((await app.ask('PUT', '', text)).status);
        expect([400, 404]).toContain((await app.ask('POST', '/rollback', text)).status);
        expect(await app.version()).toBe(before);
      }),
      { numRuns: 100 },
    );
    expect(await app.version()).toBe(1);
  });

  test.for([
    ['more than 2 MB', { files: { 'scopes.yml': 'x'.repeat(2_000_001) } }, 413],
    ['ten thousand anchors', { files: { ...configurationOf('one'), 'scopes.yml': anchors(10_000) } }, 400],
    ['a file too many', { files: { ...configurationOf('one'), 'secrets.yml': 'a: b' } }, 400],
  ] as const)('%s', async ([, sent, status]) => {
    await start();
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/plan'],
    ] as const) {
      expect((await app.ask(method, path, sent)).status).toBe(status);
    }
    expect(await app.version()).toBe(1);
  });
});

/** A text that would be exponentially large if its aliases were written out. */
function anchors(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
  );
  return ['a0: &a0 [x]', ...lines].join('\n');
}
