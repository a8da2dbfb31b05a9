import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type AdminDoor, DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { openBrowser } from './browser.ts';
import { type Connection, describeConnection } from './connection-words.ts';
import { readConnections } from './connections.ts';
import { refusalOf } from './http.ts';
import { type Failure, failed, misused, type Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Verb } from './verb.ts';

const Begun = z.object({ url: z.string() });

/** As long as the pages hold, and the sign-in before them. */
const WAIT_MS = 1_200_000;
const LOOK_AGAIN_MS = 1_000;
const LOOKS_PER_NOTE = 30;

/** `sallyport connect`: connects an account of the user at a provider, in the browser. */
export const connect: Verb = {
  name: 'connect',
  summary: 'connect an account of yours at a provider, with the browser',
  usage: 'PROVIDER',
  positionals: { min: 1, max: 1 },
  options: [
    { name: 'no-browser', help: 'print the URL and open nothing' },
    { name: 'no-wait', help: 'print the URL on standard output, and do not wait until it is done' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    ['your account at GitHub', 'sallyport connect github --token-file my.token'],
    ['the page to open, for a script', 'sallyport connect github --no-wait --json --token-file my.token'],
  ],
  notes: [
    'The browser has to be signed in as the user of the token. The command ends with 0 once the account is connected,',
    'at once where it already is, and with 1 where nobody has connected it after 20 minutes. What may be done there,',
    'and how it ends: docs/connections.md.',
    'The token is one of yours for the whole gateway: `sallyport login` without a server gives one.',
  ],
  async run(input, terminal) {
    const provider = readProvider(input);
    if (!provider.ok) return provider;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const begun = await begin(door.value, provider.value);
    if (!begun.ok) return begun;
    const url = begun.value;
    if (input.flag('no-wait')) return ok({ text: url, json: { url } });
    const there = await findActive(door.value, provider.value);
    if (!there.ok) return there;
    if (there.value !== undefined) return ok(connected(there.value));
    terminal.note('open this page to connect:');
    terminal.note(url);
    if (!input.flag('no-browser')) openBrowser(url);
    return waitFor(door.value, provider.value, terminal);
  },
};

/** The provider that a command line names. */
export function readProvider(input: Arguments): Result<string, Failure> {
  const [provider = ''] = input.positionals;
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(provider)
    ? ok(provider)
    : err(misused(`\`${provider}\` is not a provider’s name; \`sallyport connections\` lists them`));
}

async function begin(door: AdminDoor, provider: string): Promise<Result<string, Failure>> {
  const answer = await door(`/connections/${provider}`, { method: 'POST' });
  if (!answer.ok) return answer;
  if (answer.value.status === 404) {
    return err(failed(`there is no provider \`${provider}\` for you; \`sallyport connections\` lists them`));
  }
  const begun = Begun.safeParse(answer.value.body);
  return answer.value.status === 200 && begun.success ? ok(begun.data.url) : err(refusalOf(answer.value));
}

async function findActive(
  door: AdminDoor,
  provider: string,
): Promise<Result<Connection | undefined, Failure>> {
  const found = await readConnections(door);
  if (!found.ok) return found;
  return ok(found.value.connections.find((one) => one.provider === provider && one.status === 'active'));
}

async function waitFor(
  door: AdminDoor,
  provider: string,
  terminal: Terminal,
): Promise<Result<Output, Failure>> {
  const stop = AbortSignal.any([terminal.untilStopped(), AbortSignal.timeout(WAIT_MS)]);
  for (let looks = 1; ; looks += 1) {
    await wait(LOOK_AGAIN_MS, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) return err(failed(`\`${provider}\` was not connected; run it again`));
    const found = await findActive(door, provider);
    if (!found.ok) return found;
    if (found.value !== undefined) return ok(connected(found.value));
    if (looks % LOOKS_PER_NOTE === 0) terminal.note('waiting for the browser…');
  }
}

function connected(connection: Connection): Output {
  return { text: `${connection.provider} is ${describeConnection(connection)}`, json: connection };
}
