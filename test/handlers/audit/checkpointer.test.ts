import { beforeEach, describe, expect, test } from 'vitest';
import { checkpointHash, openCheckpoint } from '../../../functions/core/audit/checkpoint.ts';
import { AuditWorld, BEGIN_MS } from '../../support/audit-world.ts';
import { makeKey } from '../../support/test-issuer.ts';

const KEY = makeKey('access');
const HOUR_MS = 3_600_000;

let world: AuditWorld;

beforeEach(() => {
  world = new AuditWorld('acme', KEY);
});

/** The checkpoints so far, verified one by one. */
function opened() {
  return world.checkpoints.map(({ jws }) => {
    const result = openCheckpoint(jws, world.keySet);
    if (!result.ok) throw new Error(result.error);
    return result.value;
  });
}

describe('a run', () => {
  test('writes nothing where there is nothing', async () => {
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
    expect(world.checkpoints).toEqual([]);
  });

  test('signs how far every chain has come', async () => {
    const [a, b] = [world.startChain('a'), world.startChain('b')];
    world.write(a, 3);
    world.write(b, 1);
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
    expect(opened()).toEqual([
      {
        orgId: 'acme',
        number: 1,
        prev: '',
        isPrevVerified: true,
        prevExpiresAtSeconds: 0,
        signedAtSeconds: BEGIN_MS / 1000 + 14,
        through: '2026-11-21T10:00:09.000Z',
        expiresAtSeconds: BEGIN_MS / 1000 + 14 + 60 * 86_400,
        chains: [
          { chain: 'a', seq: 3, tips: [expect.stringMatching(/^3:/)], expiresAtSeconds: expect.any(Number) },
          { chain: 'b', seq: 1, tips: [expect.stringMatching(/^1:/)], expiresAtSeconds: expect.any(Number) },
        ],
      },
    ]);
  });

  test('seals an organisation whose last client was removed', async () => {
    world.write(world.startChain('a'), 1);
    world.hasClient = false;
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
  });

  test('says of the next one only what went on', async () => {
    const [a, b] = [world.startChain('a'), world.startChain('b')];
    world.write(a, 3);
    world.write(b, 1);
    await world.seal();
    world.write(b, 1);
    await world.seal();
    expect(opened()[1]?.chains.map(({ chain, seq }) => [chain, seq])).toEqual([['b', 2]]);
  });

  test('that comes again writes nothing again', async () => {
    world.write(world.startChain('a'), 3);
    await world.seal();
    expect(await world.run()).toEqual({ written: 0, failed: 0 });
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
  });

  test('that comes again writes nothing again where a page of the table has one checkpoint only', async () => {
    for (const chain of ['a', 'b', 'c']) {
      world.write(world.startChain(chain), 1);
      await world.seal();
    }
    world.pageBytes = 1;
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
  });

  test('that comes at once with another writes one checkpoint', async () => {
    world.write(world.startChain('a'), 3);
    world.nowMs += 10_000;
    const runs = await Promise.all([world.run(), world.run(), world.run()]);
    expect(runs.map(({ written }) => written).toSorted()).toEqual([0, 0, 1]);
    expect(runs.map(({ failed }) => failed)).toEqual([0, 0, 0]);
    expect(world.kinds()).toEqual([]);
  });

  test('leaves what is just being written to the next', async () => {
    const a = world.startChain('a');
    world.write(a, 3);
    world.nowMs += 4_000;
    await world.run();
    expect(opened().map(({ chains }) => chains.map(({ seq }) => seq))).toEqual([[2]]);
  });

  test('covers what arrived late', async () => {
    const a = world.startChain('a');
    const slow = world.begin(a);
    world.nowMs += 1_000;
    const { seq, arrive } = world.begin(a);
    arrive();
    a.settle(seq, true);
    await world.seal();
    slow.arrive();
    a.settle(slow.seq, true);
    await world.seal();
    expect(opened().map(({ chains }) => chains[0]?.tips.map((tip) => Number.parseInt(tip, 10)))).toEqual([
      [2],
      [1, 2],
    ]);
    expect(world.kinds()).toEqual([]);
  });
});

describe('what is in the way of sealing', () => {
  test.for([999_999_999_999, 1_000_000_000, 0])('a checkpoint %d is told of', async (number) => {
    world.write(world.startChain('a'), 1);
    world.checkpoints = [{ number, jws: 'a.b.c' }];
    expect(await world.seal()).toEqual({ written: 0, failed: 1 });
    expect(world.log).toMatchObject([
      { event: 'checkpoint_failed', detail: `no checkpoint has the number ${number}` },
    ]);
  });

  test('a conflict that is with no checkpoint is told of', async () => {
    world.write(world.startChain('a'), 1);
    world.isBlocked = true;
    expect(await world.seal()).toEqual({ written: 0, failed: 1 });
    expect(world.log).toMatchObject([{ event: 'checkpoint_failed', org_id: 'acme' }]);
  });
});

test('the name of each checkpoint is logged', async () => {
  world.write(world.startChain('a'), 1);
  await world.seal();
  const hash = checkpointHash(world.checkpoints[0]?.jws ?? '');
  expect(world.log).toEqual([
    { level: 'info', event: 'checkpoint_written', org_id: 'acme', number: 1, hash },
  ]);
});

describe('where nothing happens', () => {
  test('a checkpoint says so every hour', async () => {
    world.write(world.startChain('a'), 1);
    for (let minute = 0; minute < 180; minute += 1) {
      world.nowMs += 50_000;
      await world.seal();
    }
    expect(opened().map(({ chains }) => chains.length)).toEqual([1, 0, 0]);
    expect(world.kinds()).toEqual([]);
  });

  test('and where another key signs now, at once, so that no retired key is needed to verify', async () => {
    world.write(world.startChain('a'), 1);
    await world.seal();
    const next = makeKey('access');
    world.keys = [KEY, next];
    world.signing = next;
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
    world.keys = [next];
    expect(world.kinds()).toEqual([]);
  });
});

describe('a checkpoint before', () => {
  test('that cannot be verified is named, not believed, and told of', async () => {
    const a = world.startChain('a');
    world.write(a, 2);
    await world.seal();
    world.checkpoints = world.checkpoints.map(({ number, jws }) => ({ number, jws: `${jws}A` }));
    // As an older version leaves it, which kept no name of it outside the table.
    world.witness = undefined;
    world.write(a, 1);
    await world.seal();
    const [, second] = world.checkpoints;
    const checkpoint = openCheckpoint(second?.jws ?? '', world.keySet);
    expect(checkpoint).toMatchObject({
      ok: true,
      value: { number: 2, isPrevVerified: false, chains: [{ chain: 'a', seq: 3 }] },
    });
    if (!checkpoint.ok) throw new Error(checkpoint.error);
    // Nothing tells when it may be gone: not before this one.
    expect(checkpoint.value.prevExpiresAtSeconds).toBe(checkpoint.value.expiresAtSeconds);
    expect(world.kinds()).toEqual(['checkpoint 1']);
  });
});

test('a checkpoint whose key was retired at once is signed over at once, also where nothing happens', async () => {
  world.write(world.startChain('a'), 1);
  await world.seal();
  const next = makeKey('access');
  world.keys = [next];
  world.signing = next;
  world.nowMs += 25 * HOUR_MS;
  expect(await world.seal()).toEqual({ written: 1, failed: 0 });
  expect(await world.seal()).toEqual({ written: 0, failed: 0 });
});

describe('very much at once', () => {
  test('is told of in several checkpoints where there are many chains', async () => {
    for (let chain = 0; chain < 2_300; chain += 1) {
      const { arrive } = world.begin(world.startChain(`chain-${chain}`));
      arrive();
    }
    expect(await world.seal()).toEqual({ written: 3, failed: 0 });
    const [first, second, third] = opened();
    expect([first, second, third].map((one) => one?.chains.length)).toEqual([1_000, 1_000, 300]);
    expect(first?.through).toBe(second?.through);
    expect(third?.through).toBe(new Date(world.nowMs - 5_000).toISOString());
    expect(world.kinds()).toEqual([]);
  });

  test('is read to its end, however much of it is of one minute', async () => {
    const a = world.startChain('a');
    world.nowMs -= 2_000;
    for (let record = 0; record < 21_000; record += 1) {
      const { seq, arrive } = world.begin(a);
      arrive();
      a.settle(seq, true);
      if (record % 1_000 === 0) world.nowMs += 100;
    }
    await world.seal();
    expect(
      opened()
        .at(-1)
        ?.chains.map(({ seq }) => seq),
    ).toEqual([21_000]);
    expect(await world.seal()).toEqual({ written: 0, failed: 0 });
  }, 30_000);
});

describe('a run that takes too long', () => {
  test('leaves the rest to the next ones, which begin with others', async () => {
    world.others = Array.from({ length: 29 }, (_, index) => `org-${index}`);
    world.write(world.startChain('a'), 1);
    world.readTakesMs = 2_000;
    const left = new Map<number, number>();
    for (let minute = 0; minute < 31; minute += 1) {
      world.nowMs = BEGIN_MS + (minute + 1) * 60_000;
      world.log.length = 0;
      const { failed } = await world.run();
      left.set(minute, failed);
      const errors = world.log.filter(({ level }) => level === 'error');
      expect(errors).toHaveLength(failed);
      for (const { detail } of errors) expect(detail).toBe('no time was left in this run');
    }
    expect(Math.min(...left.values())).toBeGreaterThan(5);
    expect(world.checkpoints).toHaveLength(1);
  });
});

describe('an outage', () => {
  test('is logged, and made up for by the next run', async () => {
    world.write(world.startChain('a'), 2);
    world.isDown = true;
    expect(await world.seal()).toEqual({ written: 0, failed: 2 });
    expect(world.log).toContainEqual({
      level: 'error',
      event: 'checkpoint_failed',
      org_id: 'acme',
      detail: 'a test’s outage',
    });
    world.isDown = false;
    world.nowMs += 12 * HOUR_MS;
    expect(await world.seal()).toEqual({ written: 1, failed: 0 });
    expect(world.kinds()).toEqual([]);
  });
});
