/**
 * By how much the work grows from `size` to four times `size`: about 4 where it is linear, 16 where it is quadratic. Takes the least
 * processor time of some runs each, so that a busy machine changes little.
 */
export function growthOf(run: (size: number) => void, size: number): number {
  const least = (of: number) => Math.min(...Array.from({ length: 7 }, () => timeOf(() => run(of))));
  run(4 * size);
  return least(4 * size) / least(size);
}

function timeOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}
