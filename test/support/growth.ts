const RUNS = 15;
/** What does not look linear is looked at again, so often at most: on a busy machine the longer runs are never left alone. */
const ROUNDS = 8;
const LINEAR = 6;

/**
 * By how much the work grows from `size` to four times `size`: about 4 where it is linear, 16 where it is quadratic. Takes the least
 * of some runs each, in turns, so that a busy machine changes little: it slows down some of both.
 */
export function growthOf(run: (size: number) => void, size: number): number {
  run(4 * size);
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS * RUNS; round += 1) {
    small = Math.min(
      small,
      timeOf(() => run(size)),
    );
    large = Math.min(
      large,
      timeOf(() => run(4 * size)),
    );
    if (round >= RUNS && large / small < LINEAR) break;
  }
  return large / small;
}

function timeOf(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
