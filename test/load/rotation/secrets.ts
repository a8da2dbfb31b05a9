import { setTimeout as wait } from 'node:timers/promises';
import { KINDS, type Kind, type Party } from './party.ts';

/** What an administrator does in a rotation. */
export type Rotation = {
  put(kind: Kind, value: object): Promise<void>;
  rotate(kind: Kind, value: object): Promise<void>;
  promote(kind: Kind): Promise<void>;
};

/** What became of the calls of one kind. `failed` has a line for each that was not answered as it should be. */
export type SecretReport = { calls: number; readonly failed: string[] };

/** The gateway looks past its cache where something is refused, and once in 5 s: a rotation right after such a look is seen at the next. */
const BETWEEN_LOOKS_MS = 6_000;

/**
 * Rotates the secret of every kind under load, and twice: staged, at a party that takes the next before it is promoted; and at once. Each
 * step waits for calls of all workers, however long they take.
 */
export async function rotateUnderLoad(
  party: Party,
  rotation: Rotation,
  call: (kind: Kind) => Promise<{ readonly status: number; readonly text: string }>,
  workers = 2,
): Promise<ReadonlyMap<Kind, SecretReport>> {
  const reports = new Map<Kind, SecretReport>();
  const quiet = async (kind: Kind): Promise<void> => {
    let sinceMs = performance.now();
    for (let before = party.refusals(kind); performance.now() - sinceMs < BETWEEN_LOOKS_MS; await wait(50)) {
      if (party.refusals(kind) !== before) sinceMs = performance.now();
      before = party.refusals(kind);
    }
  };
  const rotateOne = async (kind: Kind): Promise<void> => {
    const report: SecretReport = { calls: 0, failed: [] };
    reports.set(kind, report);
    const state = { isOver: false, step: 'before' };
    const work = Array.from({ length: workers }, async () => {
      while (!state.isOver) {
        const { step } = state;
        const { status, text } = await call(kind);
        report.calls += 1;
        if (status !== 200 || !text.includes('done'))
          report.failed.push(`${step}: ${status} ${text.slice(0, 200)}`);
      }
    });
    const during = async (step: string, calls = 8 * workers) => {
      state.step = step;
      const enough = report.calls + calls;
      while (report.calls < enough) await wait(10);
    };
    await during('before');
    await rotation.rotate(kind, party.next(kind));
    await during('staged');
    party.take(kind);
    await during('taken');
    await rotation.promote(kind);
    await during('promoted');
    await quiet(kind);
    await rotation.put(kind, party.next(kind));
    party.take(kind);
    await during('put');
    state.isOver = true;
    await Promise.all(work);
  };
  await Promise.all(KINDS.map(rotateOne));
  return reports;
}
