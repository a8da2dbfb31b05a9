import { ok } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { configurationWarnings } from './config-directory.ts';
import { askForPlan, readForGateway } from './policy-door.ts';
import { describePlan } from './policy-words.ts';
import type { Verb } from './verb.ts';

/** `sallyport plan`: what a configuration would change for whom. */
export const plan: Verb = {
  name: 'plan',
  summary: 'say what a configuration would change, and change nothing',
  usage: 'DIR',
  positionals: { min: 1, max: 1 },
  options: DOOR_OPTIONS,
  examples: [
    ['what would change in the local demo', 'sallyport plan config --client platform-admin'],
    ['for a review, as JSON', 'sallyport plan config --json --token-file admin.token'],
  ],
  notes: [
    '+ is what somebody may do more, - what somebody may do less, ~ everything else. Which line of a file says it is',
    'no change. The token needs a UI scope with manage_policy.',
  ],
  async run(input, terminal) {
    const [directory = ''] = input.positionals;
    const files = await readForGateway(input, terminal, directory);
    if (!files.ok) return files;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const made = await askForPlan(door.value, { files: files.value }, directory);
    if (!made.ok) return made;
    for (const warning of configurationWarnings(directory, made.value)) terminal.note(warning);
    return ok({ text: describePlan(made.value).join('\n'), json: made.value });
  },
};
