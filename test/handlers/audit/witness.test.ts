import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditChain } from '../../../functions/core/audit/chain.ts';
import { checkpointHash, openCheckpoint } from '../../../functions/core/audit/checkpoint.ts';
import { err } from '../../../functions/core/result.ts';
import { AuditWorld, type Ways } from '../../support/audit-world.ts';
import { makeKey } from '../../support/test-issuer.ts';

const KEY = makeKey('access');
/** Longer than a checkpoint is kept. */
const AWAY_MS = 61 * 86_400_000;

let world: AuditWorld;
let chain: AuditChain;

/** Three checkpoints, and two records of one chain under each. */
beforeEach(async () => {
  world = new AuditWorld('acme', KEY);
  chain = world.startChain('a');
  for (let count = 0; count < 3; count += 1) await writeAndSeal();
  world.log.length = 0;
});

async function writeAndSeal(): Promise<void> {
  world.write(chain, 2);
  await world.seal();
}

/** Removes the newest checkpoints, and the records that only these cover. */
function removeNewest(count: number): void {
  const left = world.checkpoints.length - count;
  world.checkpoints = world.checkpoints.slice(0, left);
  world.records = world.records.slice(0, left * 2);
}

/** The issuer's ways, without one to do something with what it knows. */
function without(operation: 'read' | 'keep'): Ways {
  const down = async () => err({ reason: 'unavailable', detail: 'a test’s outage' } as const);
  return { store: world.store, memory: { ...world.memory, [operation]: down } };
}

/** What is kept of a log's second checkpoint. */
function secondOf({ checkpoints, witness }: AuditWorld): AuditWorld['witness'] {
  return witness && { ...witness, number: 2, hash: checkpointHash(checkpoints[1]?.jws ?? '') };
}

const lost = () => world.log.filter(({ event }) => event === 'checkpoint_lost');
const numbers = () => world.checkpoints.map(({ number }) => number);

describe('what the issuer keeps outside the table', () => {
  test('is the newest checkpoint, for as long as that is kept', () => {
    const newest = world.checkpoints.at(-1);
    const opened = openCheckpoint(newest?.jws ?? '', world.keySet);
    if (!opened.ok) throw new Error(opened.error);
    expect(world.witness).toEqual({
      number: 3,
      hash: checkpointHash(newest?.jws ?? ''),
      expiresAtSeconds: opened.value.expiresAtSeconds,
    });
  });

  test('is there at once where many chains take several checkpoints', async () => {
    for (let index = 0; index < 1_100; index += 1) world.begin(world.startChain(`b-${index}`)).arrive();
    await world.seal();
    expect([world.checkpoints.length, world.witness?.number]).toEqual([5, 5]);
    expect(world.found()).toEqual([]);
  });

  test.for([
    ['by a version that keeps none', () => undefined],
    ['by a run that ended between the two', secondOf],
  ] as const)('is made up for after checkpoints were written %s', async ([, left]) => {
    world.witness = left(world);
    expect(world.found()).toEqual([]);
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
    expect(world.witness?.number).toBe(3);
    expect(lost()).toEqual([]);
    removeNewest(1);
    expect(world.found()).toEqual(['checkpoint 3']);
  });

  test('is not what somebody else signed', async () => {
    world.witness = undefined;
    world.checkpoints.push({ number: 4, jws: 'AAAA.AAAA.AAAA' });
    world.isBlocked = true;
    await world.seal();
    expect(world).toMatchObject({ witness: { number: 3 } });
  });

  test('and its name in the log, is that of one too whose writer did not learn that it had written it', async () => {
    world.write(chain, 1);
    const { store, memory } = world;
    const unanswered: Ways['store'] = {
      ...store,
      create: async (...asked) => {
        await store.create(...asked);
        return err({ reason: 'conflict' });
      },
    };
    expect(await world.seal({ store: unanswered, memory })).toEqual({ written: 0, failed: 0 });
    expect([numbers(), world.witness?.number, world.log]).toEqual([[1, 2, 3, 4], 3, []]);
    await world.seal();
    const hash = checkpointHash(world.checkpoints[3]?.jws ?? '');
    expect(world.witness).toMatchObject({ number: 4, hash });
    expect(world.log).toEqual([
      { level: 'info', event: 'checkpoint_written', org_id: 'acme', number: 4, hash },
    ]);
  });

  test('that cannot be kept is told of, and kept by the next run', async () => {
    world.write(chain, 1);
    expect(await world.seal(without('keep'))).toEqual({ written: 0, failed: 1 });
    expect(world.log.at(-1)).toMatchObject({ level: 'error', event: 'checkpoint_failed', org_id: 'acme' });
    expect([numbers(), world.witness?.number, world.found()]).toEqual([[1, 2, 3, 4], 3, []]);
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
    expect(world.witness?.number).toBe(4);
  });

  test('that cannot be read leaves everything to the next run', async () => {
    world.write(chain, 1);
    expect(await world.seal(without('read'))).toMatchObject({ written: 0 });
    expect(numbers()).toEqual([1, 2, 3]);
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
  });
});

describe('newest checkpoints that were removed with their records', () => {
  test.for([1, 2, 3])('are missed at once: %i of 3', (count) => {
    removeNewest(count);
    expect(world.found()).toEqual(['checkpoint 3']);
  });

  test.for([1, 2, 3])(
    'are logged, and missed for ever once the issuer has sealed again: %i of 3',
    async (count) => {
      const { hash } = world.witness ?? {};
      removeNewest(count);
      expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      expect(lost()).toEqual([
        {
          level: 'error',
          event: 'checkpoint_lost',
          org_id: 'acme',
          number: 3,
          hash,
          detail: 'the audit table does not have it, and the issuer knows of it as its newest',
        },
      ]);
      expect(numbers().at(-1)).toBe(4);
      expect(world.found()).toEqual(['checkpoint 3']);
      // It is logged once, and what comes later neither hides it nor repeats its number.
      const next = world.startChain('b');
      for (let more = 0; more < 3; more += 1) {
        world.write(next, 1);
        await world.seal();
      }
      expect(lost()).toHaveLength(1);
      expect(numbers().slice(-4)).toEqual([4, 5, 6, 7]);
      expect(world.found()).toEqual(['checkpoint 3']);
    },
  );

  test('are missed again when those that told of it are removed too', async () => {
    removeNewest(1);
    await world.seal();
    world.checkpoints = world.checkpoints.filter(({ number }) => number < 3);
    expect(world.found()).toEqual(['checkpoint 4']);
    await world.seal();
    expect(numbers()).toEqual([1, 2, 5]);
    expect(world.found()).toEqual(['checkpoint 4']);
  });

  test('hold again when they have been put back before the issuer has missed them', async () => {
    const { checkpoints, records } = world;
    removeNewest(2);
    expect(world.found()).toEqual(['checkpoint 3']);
    Object.assign(world, { checkpoints, records });
    expect(world.found()).toEqual([]);
    await writeAndSeal();
    expect([world.found(), lost()]).toEqual([[], []]);
  });

  test('are told of still when they have been put back after the issuer had missed them', async () => {
    const { checkpoints, records } = world;
    removeNewest(2);
    await world.seal();
    world.checkpoints = [...checkpoints, ...world.checkpoints.slice(-1)];
    world.records = records;
    expect(numbers()).toEqual([1, 2, 3, 4]);
    expect(world.found()).toEqual(['checkpoint 3']);
    await writeAndSeal();
    expect(world.found()).toEqual(['checkpoint 3']);
  });

  test('and for which something else was put there are told of, and so is what was put there', async () => {
    const [first] = world.checkpoints;
    world.checkpoints = [...world.checkpoints.slice(0, 2), { number: 3, jws: first?.jws ?? '' }];
    expect(new Set(world.found())).toEqual(new Set(['checkpoint 3']));
    await world.seal();
    expect(lost()).toHaveLength(1);
    expect(world.found()).toEqual(['checkpoint 3']);
    world.checkpoints = world.checkpoints.filter(({ number }) => number !== 3);
    expect(world.found()).toEqual(['checkpoint 3']);
  });

  test('cannot be hidden by a checkpoint of a higher number that nobody signed', async () => {
    removeNewest(1);
    world.checkpoints.push({ number: 4, jws: 'AAAA.AAAA.AAAA' });
    expect(world.found()).toContain('checkpoint 3');
    await world.seal();
    expect(world.found()).toContain('checkpoint 4');
    world.checkpoints = world.checkpoints.filter(({ number }) => number !== 4);
    world.write(chain, 1);
    await world.seal();
    expect(world.found()).toContain('checkpoint 4');
  });

  describe('and for which garbage of a higher number was put there', () => {
    const put = (...those: readonly number[]) => {
      for (const number of those) world.checkpoints.push({ number, jws: `AAAA.AAAA.${number}` });
    };

    test.for([
      ['one', [4]],
      ['as many as can be', Array.from({ length: 10 }, (_, index) => index + 4)],
    ] as const)('are logged by their own name, and missed for ever: %s', async ([, garbage]) => {
      const { hash } = world.witness ?? {};
      removeNewest(1);
      put(...garbage);
      // Nothing happens in the organisation, and a page of the table is short.
      world.pageBytes = 1;
      expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      expect(lost()).toMatchObject([{ level: 'error', number: 3, hash }]);
      expect(numbers().at(-1)).toBe(Math.max(...garbage) + 1);
      for (let more = 0; more < 3; more += 1) {
        expect(world.found()).toContain('checkpoint 3');
        world.nowMs += 3_600_000;
        expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      }
      expect(lost()).toHaveLength(1);
    });

    test('are not missed where they are there, and what was put there is signed over at once', async () => {
      put(4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
      world.pageBytes = 1;
      expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      expect([lost(), numbers().at(-1), world.witness?.number]).toEqual([[], 14, 14]);
      // None of ours is near any more that has how far the chain had come: that is said once more.
      expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      expect(await world.seal()).toEqual({ written: 0, failed: 0 });
      expect(world.found()).not.toContain('checkpoint 3');
    });

    test('nothing is sealed as long as that number is far above theirs, and everything once it was removed', async () => {
      const { checkpoints } = world;
      for (const number of [14, 999_999_999]) {
        world.checkpoints = [...checkpoints];
        put(number);
        world.write(chain, 1);
        expect(await world.seal()).toEqual({ written: 0, failed: 1 });
        const detail = `what is no checkpoint of the issuer's has the number ${number}, too far above those that are`;
        expect(world.log.at(-1)).toMatchObject({ level: 'error', event: 'checkpoint_failed', detail });
        expect([world.checkpoints.length, world.witness?.number]).toEqual([4, 3]);
      }
      world.checkpoints = checkpoints;
      expect(await world.seal()).toEqual({ written: 1, failed: 0 });
      expect([numbers(), world.found()]).toEqual([[1, 2, 3, 4], []]);
    });

    test.for([
      [500_000_000, { written: 1, failed: 0 }],
      [500_000_001, { written: 0, failed: 1 }],
    ] as const)('and nothing is known of, half of the numbers are left: %i', async ([number, result]) => {
      world.checkpoints = [];
      world.witness = undefined;
      put(number);
      expect(await world.seal()).toEqual(result);
    });
  });

  test('leave the records before them as they were, and those after them are sealed', async () => {
    removeNewest(1);
    const next = world.startChain('b');
    world.write(next, 2);
    await world.seal();
    expect(world.verify()).toMatchObject({ records: 6, unsealed: 0, findings: [{ number: 3 }] });
  });
});

describe('of an organisation that was away for longer than checkpoints are kept', () => {
  test.for([
    ['is still there', 4, (known: AuditWorld['witness']) => known],
    ['is gone as well', 1, () => undefined],
  ] as const)('nothing is missed where its witness %s', async ([, number, left]) => {
    world.nowMs += AWAY_MS;
    world.checkpoints = [];
    world.records = [];
    world.witness = left(world.witness);
    expect(world.found()).toEqual([]);
    world.write(world.startChain('b'), 1);
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
    expect([numbers(), lost(), world.found(new Date(world.nowMs - AWAY_MS / 2).toISOString())]).toEqual([
      [number],
      [],
      [],
    ]);
  });
});

test('a witness with a number that no checkpoint has is told of, and nothing is sealed', async () => {
  world.witness = { number: 1_000_000_000, hash: 'h', expiresAtSeconds: 0 };
  world.write(chain, 1);
  expect(await world.seal()).toEqual({ written: 0, failed: 1 });
  expect(world.log).toMatchObject([
    { event: 'checkpoint_failed', detail: 'no checkpoint has the number 1000000000' },
  ]);
});

/** One issuer: how many steps it takes before it ends, and whether the next one happens although it learns nothing of it. */
type Issuer = { readonly steps: number; readonly isNextTaken: boolean };
const issuers = fc.array(fc.record({ steps: fc.nat({ max: 9 }), isNextTaken: fc.boolean() }), {
  minLength: 2,
  maxLength: 4,
});

test('issuers at once that take their steps in any order, and end at any of them, leave nothing to find', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), issuers, async (scheduler, each) => {
      const busy = new AuditWorld('acme', KEY);
      const writer = busy.startChain('a');
      busy.write(writer, 2);
      await busy.seal();
      busy.write(writer, 2);
      busy.nowMs += 10_000;
      await scheduler.waitFor(Promise.all(each.map((one) => busy.run(stepwise(busy, scheduler, one)))));
      const isMissed = () => busy.log.some(({ event }) => event === 'checkpoint_lost');
      expect([busy.found(), isMissed()]).toEqual([[], false]);
      // The next run makes up for whatever they left, so that nothing can be taken away unseen.
      await busy.seal();
      expect([busy.found(), isMissed()]).toEqual([[], false]);
      const newest = busy.checkpoints.pop()?.number;
      expect(busy.found()).toContain(`checkpoint ${newest}`);
    }),
    { numRuns: 300 },
  );
});

function stepwise(busy: AuditWorld, scheduler: fc.Scheduler, { steps, isNextTaken }: Issuer): Ways {
  let left = steps;
  const step = async <T>(call: () => Promise<T>) => {
    await scheduler.schedule(Promise.resolve());
    left -= 1;
    if (left >= 0) return call();
    if (left === -1 && isNextTaken) await call();
    return err({ reason: 'unavailable', detail: 'a test’s end' } as const);
  };
  const { store, memory } = busy;
  return {
    store: {
      newest: (...asked) => step(() => store.newest(...asked)),
      create: (...asked) => step(() => store.create(...asked)),
    },
    memory: {
      read: (...asked) => step(() => memory.read(...asked)),
      keep: (...asked) => step(() => memory.keep(...asked)),
    },
  };
}
