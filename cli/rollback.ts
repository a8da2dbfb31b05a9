import { err } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { confirm, YES_OPTION } from './confirm.ts';
import { misused } from './outcome.ts';
import { askForPlan, LOCKOUT_OPTION, makeRun, notePlan } from './policy-door.ts';
import type { Verb } from './verb.ts';

/** `sallyport rollback`: makes a configuration run again that ran before. */
export const rollback: Verb = {
  name: 'rollback',
  summary: 'make a configuration run again that ran before',
  usage: 'VERSION',
  positionals: { min: 1, max: 1 },
  options: [YES_OPTION, LOCKOUT_OPTION, ...DOOR_OPTIONS],
  examples: [
    ['after a look at `sallyport versions`', 'sallyport rollback 12 --client platform-admin'],
    ['from a script', 'sallyport rollback 12 --json --token-file admin.token'],
  ],
  notes: [
    'The content of that version runs under a new version. The files of your directory stay as they are: bring them in',
    'line before the next apply. A deploy never overwrites a rollback unseen. The token needs a UI scope with',
    'manage_policy.',
  ],
  async run(input, terminal) {
    const [number = ''] = input.positionals;
    if (!/^[1-9][0-9]{0,14}$/.test(number))
      return err(misused('say which version: `sallyport versions` lists them'));
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const content = { version: Number(number) };
    const plan = await askForPlan(door.value, content);
    if (!plan.ok) return plan;
    notePlan(terminal, plan.value);
    if (plan.value.changes.length > 0) {
      const meant = await confirm(input, terminal, 'roll back?');
      if (!meant.ok) return meant;
    }
    return makeRun(door.value, content, plan.value, { allowLockout: input.flag('allow-lockout') });
  },
};
