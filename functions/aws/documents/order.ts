import type { Unavailable } from '../../core/ports.ts';
import type { Result } from '../../core/result.ts';
import type { Named } from './matches.ts';
import type { Posting } from './postings.ts';

/** Where a document is in a result: more comes first, and of equals the lower id. */
export type Place = { readonly worth: number; readonly id: string };

/** Some documents, best first. Not `isComplete` where a bound stopped who looked for them: others may come before them. */
export type NextNamed = { readonly named: readonly Named[]; readonly isComplete: boolean };

/** The order of a search's result, as far as the index alone tells: the heads of the documents decide. */
export type Order = {
  /** How much each of the terms says. */
  readonly weights: ReadonlyMap<string, number>;

  /** What places a document of which these are rows of the index. */
  worthOf(postings: readonly Posting[]): number;

  /** The next documents, at most so many, none twice, and of them only those that may come before `last`; none at the end. */
  next(count: number, last: Place | undefined): Promise<Result<NextNamed, Unavailable>>;
};

/** Is this one the better one? */
export function comesBefore(one: Place, other: Place): boolean {
  return one.worth > other.worth || (one.worth === other.worth && one.id < other.id);
}

/** To sort by, best first. */
export function byPlace(one: Place, other: Place): number {
  if (comesBefore(one, other)) return -1;
  return comesBefore(other, one) ? 1 : 0;
}
