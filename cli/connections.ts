import { err, ok, type Result } from '../functions/core/result.ts';
import { type AdminDoor, DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { Connections, describeConnections } from './connection-words.ts';
import { refusalOf } from './http.ts';
import type { Failure } from './outcome.ts';
import type { Verb } from './verb.ts';

/** `sallyport connections`: the accounts that the user has connected at providers. */
export const connections: Verb = {
  name: 'connections',
  summary: 'list the accounts that you have connected at providers',
  usage: '',
  positionals: { min: 0, max: 0 },
  options: DOOR_OPTIONS,
  examples: [
    ['yours, by a login of yours', 'sallyport login --client cli | sallyport connections --token-file -'],
    ['the same, for a script', 'sallyport connections --json --token-file my.token'],
  ],
  notes: ['The token is one of yours for the whole gateway: `sallyport login` without a server gives one.'],
  async run(input, terminal) {
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const found = await readConnections(door.value);
    return found.ok ? ok({ text: describeConnections(found.value), json: found.value }) : found;
  },
};

/** The user's connections as they are now. */
export async function readConnections(door: AdminDoor): Promise<Result<Connections, Failure>> {
  const answer = await door('/connections');
  if (!answer.ok) return answer;
  const found = Connections.safeParse(answer.value.body);
  return answer.value.status === 200 && found.success ? ok(found.data) : err(refusalOf(answer.value));
}
