import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FoundRecord } from '../../../functions/core/audit/audit-ports.ts';
import { AuditChain, hashOf, type RecordValue } from '../../../functions/core/audit/chain.ts';
import { recordKeyOf } from '../../../functions/core/audit/record-key.ts';
import { checkBegin } from '../../../functions/core/audit/verify-checkpoints.ts';
import { AuditWorld, BEGIN_MS } from '../../support/audit-world.ts';
import { makeKey } from '../../support/test-issuer.ts';

const KEY = makeKey('access');
const DAY_MS = 86_400_000;

/** Ten records of one chain: five are covered by the first checkpoint, eight by the second. */
let world: AuditWorld;
let chain: AuditChain;

beforeEach(async () => {
  world = new AuditWorld('acme', KEY);
  chain = world.startChain('chain-a');
  world.write(chain, 5);
  await world.seal();
  world.write(chain, 3);
  await world.seal();
  world.write(chain, 2);
});

/** A record with other members, and a hash that fits them. */
function rewritten({ record }: FoundRecord, changes: Readonly<Record<string, RecordValue>>): FoundRecord {
  const changed = { ...record, ...changes };
  const { ts, chain: id, seq, org_id } = changed;
  const key = recordKeyOf({ org_id: String(org_id), ts: String(ts), chain: String(id), seq: Number(seq) });
  return { key, record: { ...changed, hash: hashOf(changed) } };
}

describe('an untouched log', () => {
  test('holds, and says how much of it is sealed', () => {
    expect(world.verify()).toEqual({
      findings: [],
      records: 10,
      chains: 1,
      checkpoints: 2,
      failedWrites: 0,
      unconfirmed: 0,
      unsealed: 2,
      unchained: 0,
      sealedThrough: '2026-11-21T10:00:23.000Z',
      verifiedFrom: '2026-11-21T10:00:00.000Z',
    });
  });

  test('holds from any instant on', () => {
    for (let second = -10; second < 40; second += 1) {
      expect(world.kinds(new Date(BEGIN_MS + second * 1_000).toISOString())).toEqual([]);
    }
  });

  test('holds with other writers, over midnight and many checkpoints', async () => {
    const others = [world.startChain('chain-b'), world.startChain('chain-c')];
    for (let hour = 0; hour < 30; hour += 1) {
      world.nowMs += 1_800_000;
      for (const [index, other] of others.entries()) if (hour % (index + 2) === 0) world.write(other, 2);
      await world.seal();
    }
    for (const hours of [0, 1, 5, 7, 12, 15]) {
      expect(world.kinds(new Date(BEGIN_MS + hours * 3_600_000).toISOString())).toEqual([]);
    }
  });

  test('holds when its writers fail, stop, overlap, and are answered late', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 40 }), async (steps) => {
        const busy = new AuditWorld('acme', KEY);
        await play(busy, steps);
        expect(busy.kinds()).toEqual([]);
        await busy.seal();
        expect(busy.kinds()).toEqual([]);
        expect(busy.verify().unsealed).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what is found', () => {
  const REWRITTEN = { reason: 'another' };

  test.for([
    ['a record that says something else', 3, ['changed 3']],
    ['a record that nothing covers yet', 10, ['changed 10']],
  ] as const)('%s', ([, seq, found]) => {
    world.tamper(seq, ({ key, record }) => ({ key, record: { ...record, decision: 'deny' } }));
    expect(world.kinds()).toEqual(found);
  });

  test.for([3, 5, 8, 9])('record %i, whose hash was made to fit', (seq) => {
    world.tamper(seq, (found) => rewritten(found, REWRITTEN));
    expect(world.kinds()).toEqual([`changed ${seq}`]);
  });

  test('a record that has a member more, or one less', () => {
    world.tamper(3, ({ key, record }) => ({ key, record: { ...record, name: '' } }));
    world.tamper(4, ({ key, record: { reason, ...record } }) => ({ key, record }));
    expect(world.kinds().toSorted()).toEqual(['changed 3', 'changed 4']);
  });

  test('a record that would expire sooner', () => {
    world.tamper(3, ({ key, record }) => ({ key, record: { ...record, expires_at: 1 } }));
    expect(world.kinds()).toEqual(['changed 3']);
  });

  test.for([1, 4, 5, 7, 8, 9])('record %i, removed', (seq) => {
    world.tamper(seq, () => undefined);
    expect(world.kinds()).toEqual([`removed ${seq}`]);
  });

  test('the end of a chain, cut off', () => {
    for (const seq of [6, 7, 8, 9, 10]) world.tamper(seq, () => undefined);
    // The checkpoint says that there were eight; what came before the eighth, nobody is left to say.
    expect(world.kinds()).toEqual(['removed 8', 'removed 7', 'removed 6']);
  });

  test('the end of a chain, cut off before the issuer seals again', async () => {
    await world.seal();
    world.tamper(10, () => undefined);
    world.tamper(9, () => undefined);
    await world.seal();
    expect(world.kinds()).toEqual(['removed 10', 'removed 9']);
    const anchored = new Date(world.nowMs).toISOString();
    world.write(chain, 1);
    await world.seal();
    expect(world.kinds(anchored)).toEqual([]);
  });

  test('the end of a chain, cut off, with a record put in its place', async () => {
    await world.seal();
    world.tamper(10, () => undefined);
    const [ninth] = world.records.slice(8);
    if (ninth === undefined) throw new Error('there are nine');
    const ts = new Date(world.nowMs).toISOString();
    const key = rewritten(ninth, { ts }).key;
    world.tamper(9, ({ record }) => ({ key, record }));
    await world.seal();
    expect(world.kinds().toSorted()).toEqual(['moved 9', 'removed 10']);
    world.tamper(9, () => undefined);
    world.records.push(rewritten(ninth, { seq: 0, prev: ['0:x'], ts }));
    await world.seal();
    expect(world.kinds().toSorted()).toEqual(['inserted 0', 'removed 10', 'removed 9']);
  });

  test('what was removed under the licence of a record that was put there', async () => {
    const [tenth] = world.records.slice(9);
    if (tenth === undefined) throw new Error('there are ten');
    world.records.push(
      rewritten(tenth, { seq: 1_000_000, expires_at: 1, ts: new Date(world.nowMs).toISOString() }),
    );
    await world.seal();
    for (const seq of [3, 7, 9]) world.tamper(seq, () => undefined);
    const kinds = world.kinds();
    for (const seq of [3, 7, 9, 999_999]) expect(kinds).toContain(`removed ${seq}`);
    expect(kinds.length).toBeLessThan(1_100);
  });

  test('a record of a number beyond all reach, in good time', () => {
    const [tenth] = world.records.slice(9);
    if (tenth === undefined) throw new Error('there are ten');
    world.records.push(rewritten(tenth, { seq: 9_999_999_999 }));
    world.records.push(rewritten(tenth, { seq: 1e300 }));
    const kinds = world.kinds();
    expect(kinds).toContain('removed 9999999998');
    expect(kinds).toContain('inserted 1e+300');
  });

  test('a state that names no record', async () => {
    const [tenth] = world.records.slice(9);
    if (tenth === undefined) throw new Error('there are ten');
    world.records.push(rewritten(tenth, { chain: 'chain-z', seq: 2, prev: ['2:x'] }));
    await world.seal();
    world.records.pop();
    world.checkpoints = world.checkpoints.slice(1);
    expect(world.kinds()).toContain('removed 2');
  });

  test('a record before one that names no record', () => {
    world.tamper(10, (found) => rewritten(found, { prev: ['the ninth'] }));
    expect(world.kinds()).toEqual(['inserted 9']);
  });

  test('a whole chain, removed', async () => {
    world.records = [];
    expect(world.kinds().at(0)).toBe('removed 8');
  });

  test('all records of an organisation, and all checkpoints but the first', () => {
    world.records = world.records.filter(({ record }) => Number(record['seq']) <= 5);
    world.checkpoints = world.checkpoints.slice(0, 1);
    world.nowMs += 2 * 3_600_000;
    expect(world.kinds()).toEqual(['unsealed 1']);
  });

  test('two records in each other’s place', () => {
    const [third, fourth] = [world.records[2], world.records[3]];
    if (third === undefined || fourth === undefined) throw new Error('there are ten');
    world.tamper(3, () => ({ key: third.key, record: fourth.record }));
    world.tamper(4, (found) => (found.key === third.key ? found : { key: fourth.key, record: third.record }));
    const kinds = world.kinds();
    expect(kinds).toContain('moved 4');
  });

  test('two records that were given each other’s numbers', () => {
    const [third, fourth] = [world.records[2], world.records[3]];
    if (third === undefined || fourth === undefined) throw new Error('there are ten');
    world.records[2] = rewritten(third, { seq: 4 });
    world.records[3] = rewritten(fourth, { seq: 3 });
    expect(world.kinds().toSorted()).toEqual(['changed 3', 'changed 4']);
  });

  test.for([
    ['under another instant', { ts: '2026-11-20T10:00:02.000Z' }],
    ['of another organisation', { org_id: 'beta' }],
  ] as const)('a record that was put %s', ([, changes]) => {
    world.tamper(3, ({ key, record }) => ({ key: rewritten({ key, record }, changes).key, record }));
    expect(world.kinds()).toEqual(['moved 3']);
  });

  test('a record of another organisation, put among these', () => {
    const other = new AuditWorld('beta', KEY);
    other.write(other.startChain('chain-b'), 1);
    const [record] = other.records;
    if (record === undefined) throw new Error('there is one');
    world.records.push(record);
    expect(world.kinds()).toContain('moved 1');
  });

  test('a record of a writer that never was', () => {
    const forged = new AuditChain('chain-x', BEGIN_MS);
    const nowMs = world.nowMs;
    world.nowMs = BEGIN_MS - 300_000;
    world.begin(forged).arrive();
    world.nowMs = nowMs;
    expect(world.kinds(new Date(BEGIN_MS - 600_000).toISOString())).toEqual(['inserted 1']);
  });

  describe('a record of no chain', () => {
    const unchained = (changes: Partial<FoundRecord['key']>, of: FoundRecord | undefined) => {
      if (of === undefined) throw new Error('there are ten');
      const { chain: _, seq, hash, prev, ...record } = of.record;
      world.records.push({ key: { ...of.key, ...changes }, record });
    };

    test('that is where older versions wrote them is counted and told of', () => {
      unchained({ pk: 'acme#2026-11-21' }, world.records[2]);
      expect(world.verify()).toMatchObject({ records: 11, unchained: 1, findings: [] });
    });

    test.for<Partial<FoundRecord['key']>>([
      {},
      { sk: '2026-11-21T10:00:02.000Z#forged' },
      { pk: 'RECORD#acme#2026-11-21' },
      { pk: 'acme#2026-11-20' },
      { pk: 'beta#2026-11-21' },
    ])('that is elsewhere was written by nobody of ours: %j', (key) => {
      unchained(key, world.records[2]);
      const { unchained: count, findings } = world.verify();
      expect([count, findings]).toEqual([
        0,
        [
          {
            kind: 'inserted',
            detail: expect.stringContaining('in no chain'),
            ts: expect.stringMatching(/^2026.*Z$/),
          },
        ],
      ]);
    });

    test.for(['chain', 'seq', 'hash'])('that had its `%s` taken away is missed too', (member) => {
      world.tamper(3, ({ key, record }) => {
        const { [member]: _, ...rest } = record;
        return { key, record: rest };
      });
      expect(world.kinds()).toEqual(['inserted', 'removed 3']);
    });
  });

  test('a second record of a number', () => {
    const [third] = world.records.slice(2);
    if (third === undefined) throw new Error('there are ten');
    world.records.push(rewritten(third, { ...REWRITTEN, ts: '2026-11-21T10:00:02.500Z' }));
    expect(world.kinds()).toEqual(['inserted 3']);
  });

  test('a record put behind the end of a chain, that the chain then reaches', () => {
    const forger = new AuditChain('chain-a', BEGIN_MS);
    for (let seq = 1; seq <= 11; seq += 1) {
      const begun = world.begin(forger, 'forged');
      if (seq === 11) begun.arrive();
    }
    world.write(chain, 2);
    expect(world.kinds()).toContain('inserted 11');
  });

  test('a record that its writer gave up is told of, and one that arrived all the same too', async () => {
    for (const arrives of [false, true]) {
      const { seq, arrive } = world.begin(chain);
      if (arrives) arrive();
      chain.settle(seq, false);
      world.nowMs += 1_000;
    }
    world.write(chain, 1);
    expect(world.verify()).toMatchObject({ findings: [], failedWrites: 1, unconfirmed: 1 });
    await world.seal();
    expect(world.verify()).toMatchObject({ findings: [], failedWrites: 1, unconfirmed: 1 });
  });
});

describe('a checkpoint', () => {
  test('that was changed is found, and what it alone covers is not believed', () => {
    world.checkpoints = world.checkpoints.map(({ number, jws }) => ({
      number,
      jws: number === 1 ? `${jws}A` : jws,
    }));
    expect(world.kinds()).toEqual(['checkpoint 1']);
    world.checkpoints = world.checkpoints.map(({ number, jws }) => ({ number, jws: `${jws}A` }));
    expect(world.kinds()).toEqual(['checkpoint 2', 'checkpoint 1']);
  });

  test('that nobody can read any more does not hide what was removed before it', async () => {
    world.checkpoints = [...world.checkpoints.slice(0, 1), { number: 2, jws: 'a.b.c' }];
    world.write(chain, 1);
    await world.seal();
    world.checkpoints = world.checkpoints.slice(2);
    const [third] = world.verified.checkpoints;
    expect(checkBegin(third, world.checkpoints, Math.floor(world.nowMs / 1000))).toMatchObject([
      { number: 2 },
    ]);
  });

  test('that was removed is found', async () => {
    world.write(chain, 1);
    await world.seal();
    world.checkpoints = world.checkpoints.filter(({ number }) => number !== 2);
    expect(world.kinds()).toEqual(['checkpoint 2']);
  });

  test('in the place of another, or of another organisation, is found', async () => {
    const other = new AuditWorld('beta', KEY);
    other.write(other.startChain('chain-b'), 1);
    await other.seal();
    const [foreign] = other.checkpoints;
    const [first, second] = world.checkpoints;
    if (foreign === undefined || first === undefined || second === undefined) throw new Error('there are');
    world.checkpoints = [first, { number: 2, jws: foreign.jws }];
    expect(world.kinds()).toContain('checkpoint 2');
    world.checkpoints = [first, { number: 2, jws: first.jws }];
    expect(world.kinds()).toContain('checkpoint 2');
    world.checkpoints = [first, second];
    expect(world.kinds()).toEqual([]);
  });

  test('holds by the next one when its key has been retired, and falls with the last', async () => {
    const next = makeKey('access');
    world.keys = [KEY, next];
    world.signing = next;
    await world.seal();
    world.keys = [next];
    expect(world.kinds()).toEqual([]);
    world.checkpoints = world.checkpoints.slice(0, 2);
    expect(world.kinds()).toEqual(['checkpoint 2', 'checkpoint 1']);
  });

  test('that the issuer could not verify vouches for nothing before it', async () => {
    const next = makeKey('access');
    world.keys = [next];
    world.signing = next;
    world.write(chain, 1);
    await world.seal();
    expect(world.kinds().slice(0, 1)).toEqual(['checkpoint 2']);
  });

  test('that came late, as after newer ones were removed of which nothing outside the table knows, is told of', async () => {
    const stolen = world.checkpoints.slice(0, 1);
    world.checkpoints = stolen;
    world.witness = undefined;
    world.nowMs += 2 * 3_600_000;
    await world.seal();
    expect(world.kinds()).toEqual(['unsealed 2']);
    expect(world.kinds(new Date(world.nowMs).toISOString())).toEqual([]);
  });

  test('is missed when there should long have been one', () => {
    world.checkpoints = [];
    expect(world.kinds()).toEqual([]);
    world.nowMs += 2 * 3_600_000;
    expect(world.kinds()).toEqual(['unsealed']);
  });
});

describe('where no checkpoint says how far chains had come', () => {
  test('one that began before what is read is looked at from where it is read', () => {
    world.checkpoints = [];
    const since = new Date(BEGIN_MS + DAY_MS + 130_000).toISOString();
    world.nowMs = BEGIN_MS + 120_000;
    world.write(chain, 20);
    expect(world.verify(since)).toMatchObject({ findings: [], records: expect.any(Number) });
    expect(world.verify(since).records).toBeLessThan(20);
  });

  test('one that begins later begins with its first record', () => {
    world.checkpoints = [];
    world.nowMs = BEGIN_MS + DAY_MS;
    const later = world.startChain('chain-later');
    world.write(later, 3);
    world.records = world.records.filter(
      ({ record }) => record['chain'] !== 'chain-later' || record['seq'] !== 1,
    );
    expect(world.kinds(new Date(BEGIN_MS + DAY_MS).toISOString())).toEqual(['removed 1', 'unsealed']);
  });
});

describe('what has expired', () => {
  /** Nothing was sealed for a month. */
  const LATE = ['unsealed 3'];

  test('is not missed, and what has not is', async () => {
    world.nowMs += 30 * DAY_MS - 60_000;
    const late = world.startChain('chain-late');
    world.write(late, 3);
    await world.seal();
    const since = new Date(BEGIN_MS).toISOString();
    expect(world.kinds(since)).toEqual(LATE);
    world.tamper(4, () => undefined);
    expect(world.kinds(since)).toEqual(LATE);
    world.records = world.records.filter(({ record }) => record['chain'] === 'chain-late');
    expect(world.kinds(since)).toEqual(LATE);
    world.tamper(2, () => undefined);
    expect(world.kinds(since)).toEqual(['removed 2', ...LATE]);
  });

  test('is missed where a checkpoint says that it is too early', () => {
    world.nowMs += 29 * DAY_MS;
    world.tamper(4, () => undefined);
    expect(world.kinds()).toContain('removed 4');
  });

  test('of checkpoints too', async () => {
    world.nowMs += 61 * DAY_MS;
    await world.seal();
    world.write(world.startChain('chain-late'), 2);
    await world.seal();
    world.checkpoints = world.checkpoints.slice(2);
    world.records = world.records.filter(({ record }) => record['chain'] === 'chain-late');
    expect(world.kinds()).toEqual([]);
  });
});

/** One thing that happens to one of three writers. */
type Step =
  | { readonly act: 'begin' | 'crash'; readonly writer: number }
  | { readonly act: 'settle'; readonly pick: number; readonly fate: 'durable' | 'lost' | 'late' }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'seal' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constant('begin' as const), writer: fc.nat(2) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constant('settle' as const),
      pick: fc.nat(9),
      fate: fc.constantFrom('durable' as const, 'durable' as const, 'lost' as const, 'late' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('crash' as const), writer: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
  { weight: 2, arbitrary: fc.constant({ act: 'seal' as const }) },
);

/** Writers that begin, settle in any order, are answered late, and stop. A write is under way for less than two minutes. */
async function play(busy: AuditWorld, steps: readonly Step[]): Promise<void> {
  let chains = 0;
  const start = () => {
    chains += 1;
    return busy.startChain(`chain-${chains}`);
  };
  const writers = [start(), start(), start()];
  let open: { chain: AuditChain; seq: number; arrive: () => void; atMs: number }[] = [];
  for (const step of steps) {
    if (step.act === 'begin') {
      const writer = writers[step.writer];
      if (writer !== undefined) open.push({ chain: writer, atMs: busy.nowMs, ...busy.begin(writer) });
    } else if (step.act === 'settle' && open.length > 0) {
      const [settled] = open.splice(step.pick % open.length, 1);
      if (settled === undefined) continue;
      if (step.fate !== 'lost') settled.arrive();
      settled.chain.settle(settled.seq, step.fate === 'durable');
    } else if (step.act === 'crash') {
      const crashed = writers[step.writer];
      // Of what was under way, some arrives and some does not.
      for (const [index, write] of open.entries())
        if (write.chain === crashed && index % 2 === 0) write.arrive();
      open = open.filter((write) => write.chain !== crashed);
      writers[step.writer] = start();
    } else if (step.act === 'wait') {
      busy.nowMs += step.ms;
      const overdue = open.filter(({ atMs }) => busy.nowMs - atMs > 60_000);
      for (const { chain, seq } of overdue) chain.settle(seq, false);
      open = open.filter((write) => !overdue.includes(write));
    } else if (step.act === 'seal') {
      await busy.seal();
    }
  }
}

describe('a chain that began after what is known to hold', () => {
  test('begins with its first record', async () => {
    const since = new Date(world.nowMs).toISOString();
    await world.seal();
    const late = world.startChain('chain-b');
    world.write(late, 3);
    await world.seal();
    for (const from of [since, new Date(world.nowMs).toISOString()]) expect(world.kinds(from)).toEqual([]);
    world.records = world.records.filter(
      ({ record }) => record['chain'] !== 'chain-b' || record['seq'] !== 1,
    );
    expect(world.kinds(since)).not.toEqual([]);
  });

  test('begins at what a checkpoint says of it, where none of its records is there', async () => {
    const late = world.startChain('chain-b');
    world.nowMs += 3 * 86_400_000;
    world.write(late, 2);
    await world.seal();
    const since = new Date(world.nowMs - 20_000).toISOString();
    world.records = world.records.filter(({ record }) => record['chain'] !== 'chain-b');
    expect(world.kinds(since)).not.toEqual([]);
  });
});
