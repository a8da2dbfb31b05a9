import type { Snapshot } from '../policy.ts';
import { LIMIT_SUBJECTS, type Limit } from '../rules/limit.ts';
import { type Change, canonical, compareNames } from './change.ts';

const SAID: ReadonlySet<string> = new Set([
  'per',
  'requests',
  'windowSeconds',
  'server',
  'tools',
  'org',
  'scope',
  'at',
]);

/** Limits that come and go. One that says something else is another one: it counts from the start. */
export function compareLimits(before: Snapshot, after: Snapshot): readonly Change[] {
  const wordsOf = (snapshot: Snapshot) => (snapshot.limits ?? []).map(limitWords);
  const { gained, lost } = compareNames(wordsOf(before), wordsOf(after));
  const change = (effect: Change['effect'], words: string, becomes: string): Change => ({
    effect,
    part: 'limits',
    name: words,
    text: `the limit of ${words} ${becomes}`,
  });
  return [
    ...gained.map((words) => change('loss', words, 'is new')),
    ...lost.map((words) => change('gain', words, 'is gone')),
  ];
}

function limitWords(limit: Limit): string {
  const { per, requests, windowSeconds, server, tools, org, scope } = limit;
  const each = LIMIT_SUBJECTS.filter((subject) => per.includes(subject)).join(' and ');
  const more = Object.entries(limit).filter(([member, value]) => !SAID.has(member) && value !== undefined);
  return [
    `${requests} request${requests === 1 ? '' : 's'} in ${windowWords(windowSeconds)} for each ${each}`,
    ...(server === undefined ? [] : [`on ${server}`]),
    ...(tools === undefined ? [] : [`calling ${tools.join(', ')}`]),
    ...(org === undefined ? [] : [`of ${org}`]),
    ...(scope === undefined ? [] : [`with a right to ${scope}`]),
    ...more.map(([member, value]) => `with \`${member}\` ${canonical(value)}`),
  ].join(' ');
}

function windowWords(seconds: number): string {
  const [length, unit] = [[86_400, 'd'] as const, [3_600, 'h'] as const, [60, 'm'] as const].find(
    ([length]) => seconds % length === 0,
  ) ?? [1, 's'];
  return `${seconds / length}${unit}`;
}
