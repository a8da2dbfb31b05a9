import type { Checks, Findings } from './suite.ts';

/**
 * What a run through the gateway found that a direct one did not, or the other way round: a row for each check of each scenario whose
 * statuses differ, `-` where it was not made at all.
 */
export function findDifferences(direct: Findings, through: Findings): readonly string[] {
  const scenarios = new Set([...direct.keys(), ...through.keys()]);
  return [...scenarios].sort().flatMap((scenario) => {
    const here = byCheck(direct.get(scenario));
    const there = byCheck(through.get(scenario));
    return [...new Set([...here.keys(), ...there.keys()])]
      .map((check) => ({ check, before: here.get(check) ?? '-', after: there.get(check) ?? '-' }))
      .filter(({ before, after }) => before !== after)
      .map(({ check, before, after }) => `${scenario} | ${check} | ${before} | ${after}`);
  });
}

/** Checks may be made more than once: their statuses, in order. */
function byCheck(checks: Checks = []): ReadonlyMap<string, string> {
  const statuses = new Map<string, string>();
  for (const { id, name, status } of checks) {
    const check = `${id} ${name}`;
    const earlier = statuses.get(check);
    statuses.set(check, earlier === undefined ? status : `${earlier} ${status}`);
  }
  return statuses;
}
