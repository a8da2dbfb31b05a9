import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type AdminDoor, DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { refusalOf } from './http.ts';
import { describeKeys, describeStep, Keys, type Purpose } from './key-words.ts';
import { type Failure, failed, misused, type Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

const Status = z.object({ issuer: Keys, identity: Keys });

type Status = z.infer<typeof Status>;

/** One request about keys with the operator's token. */
type Door = (path: string, body?: object) => Promise<Result<unknown, Failure>>;

/** `sallyport keys`: the signing keys of a deployment, and their rotation. */
export const keys: Verb = {
  name: 'keys',
  summary: 'look at the signing keys, rotate one, or retire one at once',
  usage: 'status | rotate issuer|identity [--wait] | retire issuer|identity KEY --now',
  positionals: { min: 1, max: 3 },
  options: [
    { name: 'wait', help: 'rotate: where it is too early, wait as long as it takes' },
    { name: 'now', help: 'retire: yes, refuse everything that this key has signed' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    ['which keys there are, and what to do next', 'sallyport keys status --client platform-admin'],
    ['let the key that stands by sign', 'sallyport keys rotate issuer --client platform-admin'],
    ['the same, for a script', 'sallyport keys rotate identity --wait --json --token-file admin.token'],
    ['a key is compromised', 'sallyport keys retire issuer A1 --now --client platform-admin'],
  ],
  notes: [
    'There are two keys, issuer and identity, and each has two slots, A and B. A rotation denies nobody anything:',
    'the other key has been published long enough, and what the old one signed is accepted until it expires. A key',
    'signs once in its life: before the next rotation, a number in cdk.json puts a fresh one into the slot that it left.',
    'retire ends every token of a key within seconds. Clients get new ones; services that keep the published keys',
    'themselves may take the old key, and not know the new one, for up to 5 minutes.',
    'The token needs a UI scope with manage_secrets on all, at a client of the platform’s own organisation.',
  ],
  async run(input, terminal) {
    const [action = '', purpose, key, ...rest] = input.positionals;
    const isRetire = action === 'retire';
    if (action !== 'status' && action !== 'rotate' && !isRetire) {
      return err(misused(`\`${action}\` is not one of status, rotate, retire`));
    }
    if (
      rest.length > 0 ||
      (key !== undefined && !isRetire) ||
      (purpose !== undefined && action === 'status')
    ) {
      return err(misused(`too many arguments for \`keys ${action}\``));
    }
    const chosen = readPurpose(purpose);
    if (action !== 'status' && chosen === undefined) {
      return err(misused('say which key: issuer or identity'));
    }
    if (isRetire && key === undefined) return err(misused('say which one: `keys status` lists them'));
    if (isRetire && !input.flag('now')) {
      return err(misused('retire refuses every token that this key has signed; if you mean it, add --now'));
    }
    const opened = await openDoor(input, terminal);
    if (!opened.ok) return opened;
    const door = doorOfKeys(opened.value);
    if (chosen === undefined) return status(door);
    return isRetire
      ? change(door, chosen, 'retire', key ?? '')
      : rotate(door, chosen, input.flag('wait'), terminal);
  },
};

function readPurpose(text: string | undefined): Purpose | undefined {
  return text === 'issuer' || text === 'identity' ? text : undefined;
}

function doorOfKeys(door: AdminDoor): Door {
  return async (path, body) => {
    const answer = await door(`/admin/keys${path}`, body === undefined ? {} : { method: 'POST', body });
    if (!answer.ok) return answer;
    return answer.value.status === 200 ? ok(answer.value.body) : err(refusalOf(answer.value));
  };
}

async function readStatus(door: Door): Promise<Result<Status, Failure>> {
  const answer = await door('');
  if (!answer.ok) return answer;
  const parsed = Status.safeParse(answer.value);
  return parsed.success ? ok(parsed.data) : err(failed('the gateway’s answer is not about keys'));
}

async function status(door: Door): Promise<Result<Output, Failure>> {
  const found = await readStatus(door);
  if (!found.ok) return found;
  const { issuer, identity } = found.value;
  const lines = [...describeKeys('issuer', issuer), '', ...describeKeys('identity', identity)];
  return ok({ text: lines.join('\n'), json: found.value });
}

/** Lets the key sign that stands by; nothing is asked of the gateway that it would refuse. */
async function rotate(
  door: Door,
  purpose: Purpose,
  mayWait: boolean,
  terminal: Terminal,
): Promise<Result<Output, Failure>> {
  for (;;) {
    const found = await readStatus(door);
    if (!found.ok) return found;
    const { next } = found.value[purpose];
    if (next?.step === 'rotate') return change(door, purpose, 'rotate', next.key);
    if (next?.step !== 'wait' || !mayWait) {
      const why = next?.step === 'deploy' ? 'no key stands by' : 'it is too early';
      return err(failed(`${why}: ${describeStep(purpose, next)}`, { json: { next } }));
    }
    terminal.note(`waiting ${next.seconds} s, until everybody can know ${next.key}`);
    await wait(next.seconds * 1000);
  }
}

async function change(
  door: Door,
  purpose: Purpose,
  action: 'rotate' | 'retire',
  key: string,
): Promise<Result<Output, Failure>> {
  const answer = await door(`/${purpose}/${action}`, { key });
  if (!answer.ok) return answer;
  const parsed = Keys.safeParse(answer.value);
  if (!parsed.success) return err(failed('the gateway’s answer is not about keys'));
  const done =
    action === 'rotate'
      ? `${key} signs now; it is in use everywhere within 15 s, and nothing is refused meanwhile`
      : `${key} is refused now, everywhere within 15 s; whoever has a token of it needs a new one`;
  return ok({ text: [done, '', ...describeKeys(purpose, parsed.data)].join('\n'), json: parsed.data });
}
