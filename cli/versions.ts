import { err, ok } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { refusalOf } from './http.ts';
import { failed, misused } from './outcome.ts';
import { describeVersions, Versions } from './policy-words.ts';
import type { Verb } from './verb.ts';

/** `sallyport versions`: the policies that ran. */
export const versions: Verb = {
  name: 'versions',
  summary: 'list the configurations that ran, newest first',
  usage: '',
  positionals: { min: 0, max: 0 },
  options: [{ name: 'before', value: 'VERSION', help: 'only those before it' }, ...DOOR_OPTIONS],
  examples: [['who changed what, when', 'sallyport versions --client platform-admin']],
  notes: ['The first is the one that runs. All are kept; `sallyport rollback` brings one back.'],
  async run(input, terminal) {
    const before = input.text('before');
    if (before !== undefined && !/^[1-9][0-9]{0,14}$/.test(before)) {
      return err(misused('`--before` is the number of a version'));
    }
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const answer = await door.value(
      `/admin/policy/versions${before === undefined ? '' : `?before=${before}`}`,
    );
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return err(refusalOf(answer.value));
    const page = Versions.safeParse(answer.value.body);
    if (!page.success) return err(failed('the gateway’s answer is no list of versions'));
    return ok({ text: describeVersions(page.data).join('\n'), json: page.data });
  },
};
