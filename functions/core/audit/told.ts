import type { Link } from './link.ts';
import { readRanges } from './number-ranges.ts';

type Ranges = readonly (readonly [from: number, to: number])[];

/** What the records after a number tell of those before: which is asked from the last number to the first. */
export class Told {
  /** Of all records, each about those before itself: of those the same is known however few have been added. */
  readonly #failed: Ranges;
  /** What all that have been added say was under way; undefined before the first. */
  #pending: Ranges | undefined;

  constructor(links: readonly Link[]) {
    this.#failed = ascending(
      links.flatMap(({ seq, failed }) =>
        readRanges(failed).map(([from, to]) => [from, Math.min(to, seq - 1)] as const),
      ),
    );
  }

  get isEmpty(): boolean {
    return this.#pending === undefined;
  }

  add({ pending }: Link): void {
    const ranges = ascending(readRanges(pending));
    this.#pending = this.#pending === undefined ? ranges : common(this.#pending, ranges);
  }

  /** Does one of them tell that its write failed? */
  isFailed(seq: number): boolean {
    return rangeFrom(this.#failed, seq)?.isIn === true;
  }

  /** Does one of them tell that, or did all of them begin before its fate was known? */
  isGivenUp(seq: number): boolean {
    return this.stretch(seq, seq).isGivenUp;
  }

  /** Is it given up, and down to which number, at least `first`, does the same hold? */
  stretch(seq: number, first: number): { readonly isGivenUp: boolean; readonly downTo: number } {
    const found = [this.#failed, this.#pending ?? []].flatMap((ranges) => rangeFrom(ranges, seq) ?? []);
    const inside = found.filter(({ isIn }) => isIn);
    const downTo = inside.length > 0 ? inside.map(({ from }) => from) : found.map(({ to }) => to + 1);
    return { isGivenUp: inside.length > 0, downTo: Math.max(first, ...downTo) };
  }
}

/** As its writer would have written it: nobody else has to keep to that. */
function ascending(ranges: Ranges): Ranges {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.filter(([one, other]) => one <= other).toSorted(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** The last range that does not begin after a number, in ascending ones. */
function rangeFrom(
  ranges: Ranges,
  seq: number,
): { readonly isIn: boolean; readonly from: number; readonly to: number } | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(ranges[middle]?.[0]) <= seq) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range === undefined ? undefined : { from: range[0], to: range[1], isIn: seq <= range[1] };
}

function common(some: Ranges, others: Ranges): Ranges {
  return some.flatMap(([from, to]) =>
    others
      .map(([low, high]) => [Math.max(from, low), Math.min(to, high)] as const)
      .filter(([low, high]) => low <= high),
  );
}
