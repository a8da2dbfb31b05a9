import { ok } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { confirm, YES_OPTION } from './confirm.ts';
import { askForPlan, LOCKOUT_OPTION, makeRun, notePlan, readForGateway } from './policy-door.ts';
import type { Verb } from './verb.ts';

/** `sallyport apply`: shows what a configuration changes, asks, and makes it the running one. */
export const apply: Verb = {
  name: 'apply',
  summary: 'make the configuration in a directory the running one',
  usage: 'DIR',
  positionals: { min: 1, max: 1 },
  options: [YES_OPTION, LOCKOUT_OPTION, ...DOOR_OPTIONS],
  examples: [
    ['change the local demo', 'sallyport apply config --client platform-admin'],
    [
      'change a deployment, from a script',
      'sallyport apply config --origin https://gate.example.com --token-file admin.token',
    ],
  ],
  notes: [
    'It shows the plan and asks. What is applied follows the version that the plan was made over, or nothing is.',
    'The token needs a UI scope with manage_policy. It comes from --token-file, else from a token request as',
    '--client, else from SALLYPORT_TOKEN. Variables of the files are resolved here, from this shell’s environment.',
    'Secrets are never sent: a directory with secrets.local.yml can be applied to a gateway on this machine alone.',
  ],
  async run(input, terminal) {
    const [directory = ''] = input.positionals;
    const files = await readForGateway(input, terminal, directory);
    if (!files.ok) return files;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const content = { files: files.value };
    const plan = await askForPlan(door.value, content, directory);
    if (!plan.ok) return plan;
    notePlan(terminal, plan.value, directory);
    if (plan.value.changes.length > 0) {
      const meant = await confirm(input, terminal, 'apply?');
      if (!meant.ok) return meant;
    }
    const applied = await makeRun(door.value, content, plan.value, {
      directory,
      allowLockout: input.flag('allow-lockout'),
    });
    return applied.ok ? ok(applied.value) : applied;
  },
};
