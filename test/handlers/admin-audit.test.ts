import { beforeEach, describe, expect, test } from 'vitest';
import { AuditApp } from '../support/audit-app.ts';
import { type AuditWorld, BEGIN_MS } from '../support/audit-world.ts';
import { makeKey } from '../support/test-issuer.ts';

const KEY = makeKey('access');

let app: AuditApp;
let world: AuditWorld;

beforeEach(() => {
  app = new AuditApp(KEY);
  world = app.world;
});

/** Asks as a client with a token of a scope. */
async function ask(clientId: string, query = '', { path = '/admin/audit', scope = 'auditor' } = {}) {
  const authorization = `Bearer ${app.token(clientId, scope)}`;
  const response = await app.fetch(`${path}${query}`, { authorization });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const numbersOf = (body: { records: { record: { seq: number } }[] }) =>
  body.records.map(({ record }) => record.seq);

describe('an auditor', () => {
  beforeEach(() => world.write(world.startChain('a'), 25));

  test('reads the records of its own organisation as they are stored, oldest first', async () => {
    const { status, body } = await ask('acme-auditor');
    expect([status, body.org_id, body.is_all]).toEqual([200, 'acme', true]);
    expect(numbersOf(body)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(body.records[0]).toEqual({ key: world.records[0]?.key, record: world.records[0]?.record });
  });

  test('reads page by page, and each page once', async () => {
    const seen: number[] = [];
    let query = '?limit=10';
    let isAll = false;
    while (!isAll) {
      const { body } = await ask('acme-auditor', query);
      seen.push(...numbersOf(body));
      query = `?cursor=${body.next}`;
      isAll = body.is_all;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  test('reads the newest first, to the end', async () => {
    const first = await ask('acme-auditor', '?order=desc&limit=20');
    expect(numbersOf(first.body)).toEqual(Array.from({ length: 20 }, (_, index) => 25 - index));
    const second = await ask('acme-auditor', `?cursor=${first.body.next}`);
    expect(numbersOf(second.body)).toEqual([5, 4, 3, 2, 1]);
    expect([second.body.is_all, second.body.next]).toEqual([true, undefined]);
  });

  test('goes on from the end with what is written later, and sees again what might have come late', async () => {
    const first = await ask('acme-auditor', '?limit=100');
    world.nowMs += 60_000;
    const quiet = await ask('acme-auditor', `?cursor=${first.body.next}`);
    expect([quiet.body.is_all, numbersOf(quiet.body)]).toEqual([true, expect.arrayContaining([25])]);
    world.write(world.startChain('b'), 2);
    const later = await ask('acme-auditor', `?cursor=${quiet.body.next}`);
    expect(numbersOf(later.body)).toEqual([1, 2]);
  });

  test('reads what is between two instants', async () => {
    const [since, until] = [3, 6].map((second) => new Date(BEGIN_MS + second * 1_000).toISOString());
    const { body } = await ask('acme-auditor', `?since=${since}&until=${until}`);
    expect(numbersOf(body)).toEqual([4, 5, 6]);
    expect(body.next).toBeUndefined();
  });

  test('finds by what a record says', async () => {
    const other = world.startChain('b');
    const { arrive } = world.begin(other, 'used_by:fininfo');
    arrive();
    const found = await ask('acme-auditor', '?reason=used_by:fininfo&decision=allow');
    expect(found.body.records.map(({ record }: { record: { reason: string } }) => record.reason)).toEqual([
      'used_by:fininfo',
    ]);
    expect((await ask('acme-auditor', '?decision=deny')).body.records).toEqual([]);
  });

  test('reads checkpoints, newest first', async () => {
    await world.seal();
    world.write(world.startChain('c'), 1);
    await world.seal();
    const path = '/admin/audit/checkpoints';
    const { body } = await ask('acme-auditor', '', { path });
    expect(body).toMatchObject({
      org_id: 'acme',
      checkpoints: world.checkpoints.toReversed(),
      is_all: true,
    });
    const before = await ask('acme-auditor', '?before=2', { path });
    expect(before.body.checkpoints).toEqual(world.checkpoints.slice(0, 1));
  });

  test('reads checkpoints on where a page of the table ended, as it does long before there are 500', async () => {
    for (let count = 0; count < 3; count += 1) {
      world.write(world.startChain(`c-${count}`), 1);
      await world.seal();
    }
    world.pageBytes = 1;
    const pages: unknown[] = [];
    for (const query of ['', '?before=3', '?before=2']) {
      const { body } = await ask('acme-auditor', query, { path: '/admin/audit/checkpoints' });
      pages.push([body.checkpoints.map(({ number }: { number: number }) => number), body.is_all]);
    }
    expect(pages).toEqual([
      [[3], false],
      [[2], false],
      [[1], true],
    ]);
  });

  test('reads with the newest ones which of them the issuer knows of as its newest, and not with older ones', async () => {
    await world.seal();
    const path = '/admin/audit/checkpoints';
    const { number, hash, expiresAtSeconds } = world.witness ?? {};
    expect((await ask('acme-auditor', '', { path })).body.witness).toEqual({
      number,
      hash,
      expires_at: expiresAtSeconds,
    });
    expect((await ask('platform-auditor', '?org=beta', { path })).body).not.toHaveProperty('witness');
    expect((await ask('acme-auditor', '?before=2', { path })).body).not.toHaveProperty('witness');
  });

  test('reads it before the checkpoints, so that one that is made meanwhile is not missed', async () => {
    await world.seal();
    world.beforeCheckpoints = async () => {
      world.beforeCheckpoints = async () => {};
      world.write(world.startChain('c'), 1);
      await world.seal();
    };
    const { body } = await ask('acme-auditor', '', { path: '/admin/audit/checkpoints' });
    expect([body.checkpoints.length, body.witness.number]).toEqual([2, 1]);
  });
});

describe('that somebody reads is recorded', () => {
  test('before the answer, with whose records they were', async () => {
    await ask('platform-auditor', '?org=acme');
    await ask('acme-auditor', '', { path: '/admin/audit/checkpoints' });
    expect(app.written).toEqual([
      expect.objectContaining({
        event: 'decision',
        area: 'audit',
        decision: 'allow',
        reason: 'read_audit',
        org_id: 'platform',
        client_id: 'platform-auditor',
        method: 'search',
        name: 'acme',
      }),
      expect.objectContaining({ org_id: 'acme', method: 'read_checkpoints', name: 'acme' }),
    ]);
  });

  test('once for a reading, however many pages it has', async () => {
    world.write(world.startChain('a'), 5);
    const { body } = await ask('acme-auditor', '?limit=2');
    await ask('acme-auditor', `?cursor=${body.next}`);
    expect(app.written).toHaveLength(1);
  });

  test('and where it cannot be, nothing is read', async () => {
    app.canRecord = false;
    for (const path of ['/admin/audit', '/admin/audit/checkpoints']) {
      expect(await ask('acme-auditor', '', { path })).toMatchObject({
        status: 503,
        body: { code: 'unavailable' },
      });
    }
    expect(world.reads).toBe(0);
  });
});

describe('another organisation', () => {
  test.for(['/admin/audit', '/admin/audit/checkpoints'])(
    'is not there, as one that is none: %s',
    async (path) => {
      const answers = await Promise.all(
        ['beta', 'idle', 'nowhere', '-', 'platform'].map((org) =>
          ask('acme-auditor', `?org=${org}`, { path }),
        ),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(world.reads).toBe(0);
      expect(app.written).toEqual([]);
    },
  );

  test('is read by an auditor of the platform, and so is what nobody was verified for', async () => {
    for (const org of ['acme', 'beta', 'idle', '-']) {
      expect((await ask('platform-auditor', `?org=${org}`)).status).toBe(200);
    }
    expect((await ask('platform-auditor', '?org=nowhere')).status).toBe(404);
  });

  test('is not reached by a cursor either', async () => {
    const { body } = await ask('platform-auditor', '?org=acme');
    expect((await ask('acme-auditor', `?cursor=${body.next}`)).status).toBe(400);
    expect((await ask('beta-auditor', `?cursor=${body.next}`)).status).toBe(400);
    expect((await ask('platform-auditor', `?cursor=${body.next}`)).status).toBe(200);
  });
});

describe('who may not', () => {
  test.for([
    ['another action', 'acme-other', 'steward'],
    ['one target of it', 'acme-other', 'narrow'],
    ['no scope', 'acme-other', ''],
  ] as const)('with %s is refused, and that is recorded', async ([, client, scope]) => {
    for (const path of ['/admin/audit', '/admin/audit/checkpoints']) {
      expect(await ask(client, '', { path, scope })).toMatchObject({
        status: 403,
        body: { code: 'permission_denied' },
      });
    }
    expect(app.written).toHaveLength(2);
    expect(app.written[0]).toMatchObject({ area: 'audit', decision: 'deny', reason: 'not_granted' });
    expect(world.reads).toBe(0);
  });
});

describe('what cannot be asked', () => {
  test.for([
    '?since=yesterday',
    '?since=2026-13-01',
    '?until=2026-11-21T10:00:00',
    '?order=random',
    '?limit=0',
    '?limit=1001',
    '?limit=ten',
    '?arguments=x',
    '?client_id=',
    '?client_id=a&client_id=b',
    `?name=${'n'.repeat(2_049)}`,
    '?cursor=AAAA',
    '?cursor=',
    '?cursor=AAAA&limit=5',
  ])('%s is 400, and says what can', async (query) => {
    const { status, body } = await ask('acme-auditor', query);
    expect([status, body.code]).toEqual([400, 'invalid_argument']);
    expect(body.detail).not.toBe('');
    expect(world.reads).toBe(0);
  });

  test.for(['?before=0', '?before=x', '?since=2026-11-21', '?before=1&before=2', '?org='])(
    'of checkpoints: %s',
    async (query) => {
      const { status } = await ask('acme-auditor', query, { path: '/admin/audit/checkpoints' });
      expect(status).toBe(query === '?org=' ? 404 : 400);
    },
  );

  test('a cursor is good for a quarter of an hour', async () => {
    const { body } = await ask('acme-auditor');
    world.nowMs += 899_000;
    expect((await ask('acme-auditor', `?cursor=${body.next}`)).status).toBe(200);
    world.nowMs += 1_000;
    expect((await ask('acme-auditor', `?cursor=${body.next}`)).status).toBe(400);
  });
});

describe('an outage', () => {
  test('of the table is 503', async () => {
    world.isDown = true;
    for (const path of ['/admin/audit', '/admin/audit/checkpoints']) {
      expect((await ask('acme-auditor', '', { path })).status).toBe(503);
    }
  });

  test('of what the issuer knows of its checkpoints is 503', async () => {
    await world.seal();
    world.isMemoryDown = true;
    expect((await ask('acme-auditor', '', { path: '/admin/audit/checkpoints' })).status).toBe(503);
  });

  test('of the sealing secret is 503, before anything is read', async () => {
    app.hasSecret = false;
    expect((await ask('acme-auditor')).status).toBe(503);
    expect(world.reads).toBe(0);
  });
});

test('very many records come in several answers, and so do very long ones', async () => {
  const chain = world.startChain('a');
  for (let count = 0; count < 6_000; count += 1) {
    const { seq, arrive } = world.begin(chain, count < 5_990 ? 'x' : 'y'.repeat(400_000));
    arrive();
    chain.settle(seq, true);
    world.nowMs += 10;
  }
  const first = await ask('acme-auditor', '?decision=deny');
  expect([first.body.records, first.body.is_all]).toEqual([[], false]);
  const second = await ask('acme-auditor', `?cursor=${first.body.next}`);
  expect([second.body.records, second.body.is_all]).toEqual([[], true]);
  const long = await ask('acme-auditor', '?order=desc&limit=1000');
  expect(long.body.records).toHaveLength(8);
}, 30_000);
