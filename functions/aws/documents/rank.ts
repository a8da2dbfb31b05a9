/** More than a document of 4 MB can have of one word. */
const MORE_THAN_ALL = 9_999_999;

/** The counts below have a digit each; from this one on, several share one. */
const FIRST_SHARED = 4;

/** What a rank says: how often the term is there at most, and whether it is there just so often. */
export type Rank = { readonly most: number; readonly isExact: boolean };

/**
 * The place of a row among those of its term and scope: the more of the term, the earlier it sorts. One digit, which was all that older versions
 * wrote, and where several counts share it, the count itself after it, downwards.
 */
export function rankOf(count: number): string {
  if (count < FIRST_SHARED) return coarseRankOf(count);
  return `${coarseRankOf(count)}${String(MORE_THAN_ALL - count).padStart(7, '0')}`;
}

/** What an older version had in that place: one digit. */
export function coarseRankOf(count: number): string {
  return String(9 - Math.min(9, Math.floor(2 * Math.log2(count))));
}

/** What either of them says. */
export function readRank(rank: string): Rank {
  const [digit = '0', ...fine] = rank;
  if (fine.length > 0) return { most: MORE_THAN_ALL - Number(fine.join('')), isExact: true };
  if (digit === '0') return { most: Number.POSITIVE_INFINITY, isExact: false };
  const most = Math.ceil(2 ** ((10 - Number(digit)) / 2)) - 1;
  return { most, isExact: most < FIRST_SHARED };
}
