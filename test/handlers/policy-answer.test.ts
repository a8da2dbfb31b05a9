import { expect, test } from 'vitest';
import { planAnswer, problemsAnswer } from '../../functions/handlers/policy-answer.ts';

/** What API Gateway and Lambda take of an answer. */
const MAX_ANSWER_BYTES = 6_000_000;
const change = (text: string) => ({ effect: 'gain', part: 'clients', name: 'agent', text }) as const;
const problem = (message: string, line = 1) => ({ file: 'scopes.yml', line, message });
const planOf = (texts: readonly string[], warnings: readonly string[] = []) =>
  JSON.parse(
    JSON.stringify(
      planAnswer({
        over: 3,
        changes: texts.map(change),
        warnings: warnings.map((one) => problem(one)),
        isLockout: false,
      }),
    ),
  );
const times = (count: number, text: string) => Array.from({ length: count }, () => text);

test('a plan that is small is whole', () => {
  expect(planOf(['one', 'two'], ['odd'])).toEqual({
    over: 3,
    changes: [change('one'), change('two')],
    warnings: [problem('odd')],
  });
});

test.for([
  ['many', 2_001, 'x'],
  ['long ones', 100, 'x'.repeat(90_000)],
  ['ones that JSON makes six times as long', 2_000, '\u0001'.repeat(2_000)],
] as const)('of %s it lists the first and counts the rest', ([, count, text]) => {
  const plan = planOf(times(count, text), times(1_001, '\u0001'.repeat(1_000)));
  expect(JSON.stringify(plan).length).toBeLessThan(MAX_ANSWER_BYTES);
  expect(plan.changes.length).toBeGreaterThan(10);
  expect(plan.changes.length + plan.more).toBe(count);
});

test('one sentence of very much is cut, and says so', () => {
  const { changes } = planOf(['x'.repeat(5_000_000)]);
  expect(changes[0].text).toMatch(/^x{100000} … and 4900000 more characters$/);
});

test('of very long problems the last says how many were left out', () => {
  const problems = Array.from({ length: 1_000 }, (_, index) => problem('\u0001'.repeat(1_000), index + 1));
  const answered = problemsAnswer(problems);
  expect(JSON.stringify(answered).length).toBeLessThan(MAX_ANSWER_BYTES);
  expect(answered.at(-1)).toEqual(
    problem(`and ${1_001 - answered.length} more from here on`, answered.length),
  );
  expect(problemsAnswer(problems.slice(0, 10))).toEqual(problems.slice(0, 10));
});
