import type { ConfigurationProblem } from '../core/configuration/yaml-reader.ts';
import type { Change } from '../core/plan/change.ts';
import type { PolicyPlan } from './policy-plan.ts';

/** What a plan lists; an answer of a function has at most 6 MB. */
const MAX_CHANGES = 2_000;
const MAX_CHANGE_CHARACTERS = 100_000;
const MAX_CHANGES_BYTES = 3_000_000;
const MAX_PROBLEMS_BYTES = 1_500_000;

/** A plan as an answer: the first of many changes and warnings, and how many more there are. */
export function planAnswer({ over, changes, warnings }: PolicyPlan): object {
  const first = withinBytes(changes.slice(0, MAX_CHANGES).map(shortened), MAX_CHANGES_BYTES);
  const more = changes.length - first.length;
  return { over, changes: first, ...(more > 0 ? { more } : {}), warnings: problemsAnswer(warnings) };
}

/** Problems as an answer; the last says how many were left out. */
export function problemsAnswer(problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  const first = withinBytes(problems, MAX_PROBLEMS_BYTES);
  const next = problems[first.length];
  if (next === undefined) return problems;
  const more = problems.length - first.length;
  return [...first, { ...next, message: `and ${more} more from here on` }];
}

/** The first of a list that have so many bytes as JSON. */
function withinBytes<T>(list: readonly T[], maxBytes: number): readonly T[] {
  let bytes = 0;
  const end = list.findIndex((one) => {
    bytes += Buffer.byteLength(JSON.stringify(one)) + 1;
    return bytes > maxBytes;
  });
  return end === -1 ? list : list.slice(0, end);
}

function shortened(change: Change): Change {
  const more = change.text.length - MAX_CHANGE_CHARACTERS;
  if (more <= 0) return change;
  const text = change.text.slice(0, MAX_CHANGE_CHARACTERS).toWellFormed();
  return { ...change, text: `${text} … and ${more} more characters` };
}
