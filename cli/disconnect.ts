import { z } from 'zod';
import { err, ok } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { readProvider } from './connect.ts';
import { refusalOf } from './http.ts';
import { failed } from './outcome.ts';
import type { Verb } from './verb.ts';

const Ended = z.object({ revoked: z.boolean() });

/** `sallyport disconnect`: ends the user's connection at a provider. */
export const disconnect: Verb = {
  name: 'disconnect',
  summary: 'end your connection at a provider',
  usage: 'PROVIDER',
  positionals: { min: 1, max: 1 },
  options: DOOR_OPTIONS,
  examples: [['end one', 'sallyport disconnect github --token-file my.token']],
  notes: [
    'The gateway forgets the connection at once, and asks the provider to end it where the provider has a way to.',
    'The token is one of yours for the whole gateway: `sallyport login` without a server gives one.',
  ],
  async run(input, terminal) {
    const provider = readProvider(input);
    if (!provider.ok) return provider;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const answer = await door.value(`/connections/${provider.value}`, { method: 'DELETE' });
    if (!answer.ok) return answer;
    if (answer.value.status === 404) return err(failed(`\`${provider.value}\` is not connected`));
    const ended = Ended.safeParse(answer.value.body);
    if (answer.value.status !== 200 || !ended.success) return err(refusalOf(answer.value));
    const { revoked } = ended.data;
    const there = revoked
      ? 'the provider has ended it'
      : 'the provider could not be asked to end it: take the access away in your account there';
    return ok({ text: `${provider.value} is disconnected; ${there}`, json: { revoked } });
  },
};
