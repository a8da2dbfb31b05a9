import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dispatch } from '../../cli/dispatch.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { type LoopbackServer, serveOnLoopback } from '../../local/demo/loopback.ts';
import { AuditApp } from '../support/audit-app.ts';
import type { AuditWorld } from '../support/audit-world.ts';
import { makeKey } from '../support/test-issuer.ts';
import { run } from './terminal.ts';

const KEY = makeKey('access');

let app: AuditApp;
let world: AuditWorld;
let server: LoopbackServer;
/** What happens when the gateway has answered once. */
let afterAnswer: () => void;
let asked: string[];

beforeEach(async () => {
  app = new AuditApp(KEY);
  world = app.world;
  world.nowMs = Date.now() - 60_000;
  afterAnswer = () => {};
  asked = [];
  server = await serveOnLoopback(0, async ({ url, headers }) => {
    const { pathname, search } = new URL(url);
    asked.push(pathname + search);
    const answer = await app.fetch(pathname + search, headers);
    afterAnswer();
    return answer;
  });
});

afterEach(() => server.close());

function environment(clientId = 'acme-auditor') {
  return { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: app.token(clientId) };
}

const audit = (...argv: string[]) => run(['audit', ...argv], { env: environment() });

/** Ten records, of which the first seven are covered by a checkpoint, until half a minute ago. */
async function fill(): Promise<void> {
  const chain = world.startChain('chain-a');
  world.write(chain, 7);
  await world.seal();
  world.write(chain, 3);
  world.nowMs = Date.now();
}

describe('search', () => {
  test('shows what happened, a line for each record', async () => {
    await fill();
    const { code, out } = await audit('search');
    expect([code, out.split('\n').length]).toEqual([0, 10]);
    expect(out.split('\n')[0]).toBe(`${world.records[0]?.record['ts']}  allow  access  acme  desk/read  r-1`);
  });

  test('passes on what is asked for, by the names of the log', async () => {
    await audit(
      'search',
      '--since',
      '2026-11-21T09:30Z',
      '--until',
      '2026-11-21T10:30Z',
      '--decision',
      'deny',
      '--of-client',
      'a',
      '--subject',
      'b',
      '--server',
      'c',
      '--method',
      'd',
      '--name',
      'e',
      '--request',
      'f',
      '--area',
      'g',
      '--event',
      'h',
      '--reason',
      'i',
      '--jti',
      'j',
      '--trace',
      'k',
      '--org',
      'acme',
      '--limit',
      '5',
    );
    expect(Object.fromEntries(new URL(asked[0] ?? '', server.origin).searchParams)).toEqual({
      since: '2026-11-21T09:30:00.000Z',
      until: '2026-11-21T10:30:00.000Z',
      decision: 'deny',
      client_id: 'a',
      subject: 'b',
      server: 'c',
      method: 'd',
      name: 'e',
      request_id: 'f',
      area: 'g',
      event: 'h',
      reason: 'i',
      jti: 'j',
      trace_id: 'k',
      org: 'acme',
      limit: '5',
    });
  });

  test('goes on over pages until there are enough, and says that there are more', async () => {
    const chain = world.startChain('chain-a');
    for (let record = 0; record < 2_400; record += 1) {
      const { seq, arrive } = world.begin(chain);
      arrive();
      chain.settle(seq, true);
    }
    world.nowMs = Date.now();
    const some = JSON.parse((await audit('search', '--json', '--limit', '2300')).out);
    expect([some.records.length, some.is_all]).toEqual([2_300, false]);
    const all = JSON.parse((await audit('search', '--json', '--limit', '5000')).out);
    expect([all.records.length, all.is_all, all.org_id]).toEqual([2_400, true, 'acme']);
    expect((await audit('search', '--limit', '1')).out).toContain('there are more: --limit');
  });

  test('says that there is nothing', async () => {
    expect(await audit('search')).toMatchObject({ code: 0, out: 'no records' });
  });

  test('shows what steers a terminal, or turns the writing, as numbers', async () => {
    const { arrive } = world.begin(world.startChain('chain-a'), 'a\u001b[2J\u202eb\nc');
    arrive();
    world.nowMs = Date.now();
    const { out } = await audit('search');
    expect(out).toContain('a\\u{1b}[2J\\u{202e}b\\u{a}c');
  });

  test('of what is not there for this caller is refused', async () => {
    expect(await audit('search', '--org', 'beta')).toMatchObject({
      code: 1,
      notes: expect.stringContaining('404 Not Found'),
    });
  });
});

describe('tail', () => {
  /** Runs it until `lines` lines were printed. */
  async function follow(lines: number, ...argv: string[]): Promise<{ code: number; out: string[] }> {
    const stop = new AbortController();
    const out: string[] = [];
    const terminal: Terminal = {
      env: environment(),
      isInteractive: true,
      print(line) {
        out.push(line);
        if (out.length === lines) stop.abort('SIGINT');
      },
      note: () => {},
      readInput: async () => '',
      ask: async () => '',
      untilStopped: () => stop.signal,
    };
    return { code: await dispatch(['audit', 'tail', ...argv], terminal), out };
  }

  test('shows the last records, and then each one that comes, once', async () => {
    await fill();
    let answers = 0;
    const chain = world.startChain('chain-b');
    afterAnswer = () => {
      answers += 1;
      if (answers !== 2) return;
      world.nowMs = Date.now();
      for (const reason of ['first', 'second']) world.begin(chain, reason).arrive();
    };
    const { code, out } = await follow(5, '--lines', '3');
    expect(code).toBe(0);
    expect(out.slice(0, 3).every((line) => line.includes('desk/read'))).toBe(true);
    expect(out.slice(3).map((line) => line.includes('first') || line.includes('second'))).toEqual([
      true,
      true,
    ]);
  });

  test('without following ends after the last ones, and as JSON has a record on each line', async () => {
    await fill();
    const { code, out } = await audit('tail', '--no-follow', '--lines', '2', '--json');
    expect([code, out.split('\n').map((line) => JSON.parse(line).seq)]).toEqual([0, [9, 10]]);
  });
});

describe('verify', () => {
  test('says that nothing is wrong, and what is not covered yet', async () => {
    await fill();
    const { code, out } = await audit('verify');
    expect([code, out.split('\n')]).toEqual([
      0,
      [
        'acme: nothing was changed, removed, inserted or moved',
        '  10 records in 1 chain, 1 checkpoint',
        expect.stringMatching(/^ {2}verified: what is from 20.* on$/),
        expect.stringMatching(/^ {2}covered by a checkpoint: what is before 20/),
        expect.stringMatching(/^ {2}the newest checkpoint, for --after the next time: 1:[\w-]{43}$/),
        '  3 newer than the last checkpoint: one cut off at their end would not be missed',
      ],
    ]);
  });

  test('takes no signature by the gateway’s key for one of the issuer', async () => {
    await audit('verify');
    expect(asked.filter((path) => path.includes('jwks'))).toEqual(['/.well-known/jwks.json?purpose=access']);
  });

  test('finds that a checkpoint is not there any more that an earlier run has named', async () => {
    await fill();
    const { newest } = JSON.parse((await audit('verify', '--json')).out);
    expect((await audit('verify', '--after', newest)).code).toBe(0);
    const another = `1:${'A'.repeat(43)}`;
    expect(await audit('verify', '--after', another)).toMatchObject({
      code: 1,
      out: expect.stringContaining('checkpoint 1: it is not the one that was there'),
    });
    world.checkpoints = [];
    expect(await audit('verify', '--after', newest)).toMatchObject({
      code: 1,
      out: expect.stringContaining('checkpoint 1: it is not there any more'),
    });
    for (const argv of [
      ['verify', '--after', '1'],
      ['search', '--after', newest],
    ]) {
      expect(await audit(...argv)).toMatchObject({ code: 2 });
    }
  });

  test('finds at once that the newest checkpoint that the issuer knows of is gone, and why that is one', async () => {
    await fill();
    world.nowMs -= 30_000;
    await world.seal();
    world.nowMs = Date.now();
    const [first, second] = world.checkpoints;
    if (first === undefined || second === undefined) throw new Error('there are two');
    world.checkpoints = [first];
    world.records = world.records.slice(0, 7);
    const { code, out } = await audit('verify');
    expect([code, out.split('\n').slice(0, 2)]).toEqual([
      1,
      [
        'acme: 1 finding',
        '  CHECKPOINT  checkpoint 2: it is not there any more: the issuer knows of it as its newest',
      ],
    ]);
    world.checkpoints = [first, { number: 2, jws: first.jws }];
    expect(JSON.parse((await audit('verify', '--json')).out).findings[0]).toEqual({
      kind: 'checkpoint',
      number: 2,
      detail: 'it is not the one that was there: the issuer knows of it as its newest',
    });
    world.checkpoints = [first, second];
    const { findings } = JSON.parse((await audit('verify', '--json')).out);
    expect(findings.filter(({ kind }: { kind: string }) => kind === 'checkpoint')).toEqual([]);
  });

  test('says nothing of what a gateway does not tell that keeps no such name', async () => {
    await fill();
    world.witness = undefined;
    expect(await audit('verify')).toMatchObject({ code: 0 });
    world.checkpoints = [];
    expect(await audit('verify')).toMatchObject({ code: 0 });
  });

  test('says from when on records were verified, and finds that it is later than was asked for', async () => {
    world.nowMs = Date.now() - 10 * 3_600_000;
    const chain = world.startChain('chain-a');
    for (let hour = 0; hour < 10; hour += 1) {
      world.write(chain, 1);
      await world.seal();
      world.nowMs += 3_589_000 - 10_000 * Number(hour === 9);
    }
    world.nowMs = Date.now();
    const whole = JSON.parse((await audit('verify', '--since', '2h', '--json')).out);
    expect([whole.findings, whole.verified_from]).toEqual([[], whole.since]);
    world.checkpoints = world.checkpoints.slice(9);
    const { findings, verified_from: from } = JSON.parse(
      (await audit('verify', '--since', '9h', '--json')).out,
    );
    expect(findings).toMatchObject([{ kind: 'checkpoint', number: 9 }]);
    expect(from > whole.since).toBe(true);
  });

  test('finds what is wrong, here and not there, and exits with 1', async () => {
    await fill();
    world.tamper(3, ({ key, record }) => ({ key, record: { ...record, reason: 'another' } }));
    world.tamper(5, () => undefined);
    const { code, out } = await audit('verify');
    expect(code).toBe(1);
    expect(out.split('\n').slice(0, 3)).toEqual([
      'acme: 2 findings',
      expect.stringMatching(
        /^ {2}CHANGED {2}record 3 of chain chain-a: 20.*: it does not say what its hash is of$/,
      ),
      '  REMOVED  record 5 of chain chain-a: a later one names it',
    ]);
    const json = JSON.parse((await audit('verify', '--json', '--since', '2h')).out);
    expect(json).toMatchObject({ org_id: 'acme', is_sound: false, records: 9, unsealed: 3 });
    expect(json.findings.map(({ kind, seq }: { kind: string; seq: number }) => [kind, seq])).toEqual([
      ['changed', 3],
      ['removed', 5],
    ]);
  });

  test('reads checkpoints page by page, as far back as a chain may have begun', async () => {
    world.nowMs = Date.now() - 10.5 * 3_600_000;
    const chain = world.startChain('chain-a');
    for (let minute = 0; minute < 620; minute += 1) {
      world.write(chain, 1);
      world.nowMs += 48_000;
      await world.seal();
    }
    world.nowMs = Date.now();
    const { code, out } = await audit('verify', '--since', '3h', '--json');
    const { findings, checkpoints, records } = JSON.parse(out);
    expect([code, findings]).toEqual([0, []]);
    expect(checkpoints).toBeGreaterThan(500);
    expect(records).toBeLessThan(200);
    expect(asked.filter((path) => path.startsWith('/admin/audit/checkpoints'))).toHaveLength(2);
  });

  test('is told where the first checkpoint should be and is not', async () => {
    await fill();
    world.checkpoints = world.checkpoints.map(({ jws }) => ({ number: 2, jws }));
    const { code, out } = await audit('verify');
    expect([code, out]).toEqual([1, expect.stringContaining('CHECKPOINT  checkpoint 2')]);
  });

  test('takes all records', async () => {
    expect(await audit('verify', '--decision', 'deny')).toMatchObject({ code: 2 });
    expect(await audit('verify', '--until', '1h')).toMatchObject({ code: 2 });
  });
});

describe('a wrong command line', () => {
  test.for([
    ['frob'],
    ['search', '--since', 'yesterday'],
    ['search', '--until', '2026-11-21'],
    ['search', '--limit', 'all'],
    ['tail', '--lines', '-1'],
    ['tail', '--until', '1h'],
  ])('%o asks nothing', async (argv) => {
    expect((await audit(...argv)).code).toBe(2);
    expect(asked).toEqual([]);
  });

  test('without a token neither', async () => {
    const { code } = await run(['audit', 'tail'], { env: { SALLYPORT_ORIGIN: server.origin } });
    expect([code, asked]).toEqual([2, []]);
  });
});

test('what is no audit log is a failure', async () => {
  await server.close();
  server = await serveOnLoopback(0, async () => Response.json({ hello: 'world' }));
  for (const action of ['search', 'verify', 'tail']) {
    const { code, notes } = await audit(action);
    expect([code, notes]).toEqual([1, 'sallyport: the gateway’s answer is not about its audit log']);
  }
});
