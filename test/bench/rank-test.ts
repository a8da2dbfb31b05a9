/** What two samples tell: the chance of such a difference if there were none, and how often one of the first is above one of the second. */
export type RankTest = {
  /** Two-sided, by the normal approximation of Mann and Whitney's U. */
  readonly p: number;
  /** Rank-biserial correlation: 0 where nothing tells the samples apart, ±1 where every pair does. */
  readonly effect: number;
};

/** Compares two samples by ranks (Mann–Whitney), so that a few slow outliers decide nothing. Ties share their rank. */
export function rankTest(first: readonly number[], second: readonly number[]): RankTest {
  const all = [
    ...first.map((value) => ({ value, isFirst: true })),
    ...second.map((value) => ({ value, isFirst: false })),
  ].sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let tieTerm = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]?.value === all[start]?.value) end += 1;
    const rank = (start + 1 + end) / 2;
    for (let at = start; at < end; at += 1) if (all[at]?.isFirst === true) rankSum += rank;
    tieTerm += (end - start) ** 3 - (end - start);
    start = end;
  }
  const [n, m, total] = [first.length, second.length, all.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const variance = ((n * m) / 12) * (total + 1 - tieTerm / (total * (total - 1)));
  const z = (u - (n * m) / 2) / Math.sqrt(variance);
  return { p: 2 * upperTail(Math.abs(z)), effect: (2 * u) / (n * m) - 1 };
}

/** The normal distribution above `z` (Abramowitz and Stegun 26.2.17, good to 10⁻⁷). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
