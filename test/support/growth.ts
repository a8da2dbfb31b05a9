const RUNS = 15;

/**
 * By how much the work grows from `size` to four times `size`: about 4 where it is linear, 16 where it is quadratic. Takes the least
 * of some runs each, in turns, so that a busy machine changes little: it slows down some of both.
 */
export function growthOf(run: (size: number) => void, size: number): number {
  run(4 * size);
  const times = Array.from({ length: RUNS }, () => [timeOf(() => run(size)), timeOf(() => run(4 * size))]);
  const [small = [], large = []] = [0, 1].map((which) => times.map((pair) => pair[which] ?? 0));
  return Math.min(...large) / Math.min(...small);
}

function timeOf(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
