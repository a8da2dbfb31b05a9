import { err, ok, type Result } from '../functions/core/result.ts';
import { type AdminDoor, DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { refusalOf } from './http.ts';
import { type Failure, failed, misused, type Output } from './outcome.ts';
import { PROVIDERS, readOwner, readValue, VALUE_OPTIONS } from './secret-value.ts';
import { describeChange, describeSecrets, Secrets, type SecretVerb } from './secret-words.ts';
import type { Verb } from './verb.ts';

const VERBS: readonly SecretVerb[] = ['put', 'rotate', 'promote', 'delete', 'restore'];
const MAX_PAGES = 1_000;

/** `sallyport secret`: the credentials that the gateway puts on, written and never read. */
export const secret: Verb = {
  name: 'secret',
  summary: 'write, rotate, list or delete the credentials that the gateway puts on',
  usage: 'list [TARGET] | put|rotate|promote|delete|restore TARGET OWNER',
  positionals: { min: 1, max: 3 },
  options: [
    ...VALUE_OPTIONS,
    { name: 'org', value: 'ORG', help: 'of this organisation (default: the administrator’s own)' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    [
      'the API key of an agent, from standard input',
      'cat api-key.txt | sallyport secret put prices client.analyst --type bearer --token-file admin.token',
    ],
    [
      'any type of credential, as JSON',
      'sallyport secret put prices client.analyst --file credential.json --client platform-admin',
    ],
    ['what there is, and never a value', 'sallyport secret list prices --client platform-admin'],
    [
      'stage a new one: it is tried where the API refuses the old one',
      'sallyport secret rotate prices client.analyst --type bearer --file new-key.txt --client platform-admin',
    ],
    ['and make it the current one', 'sallyport secret promote prices client.analyst --client platform-admin'],
    [
      'take it away; for a week it can be restored',
      'sallyport secret delete prices client.analyst --client platform-admin',
    ],
  ],
  notes: [
    'TARGET is a server or service of the policy, or _providers: then OWNER is a provider, and the input our client secret there.',
    'OWNER is client.ID or user.SUBJECT, as the entry’s `key` says, or _default, where it says `fallback: default`.',
    'A value is read from standard input or a file, never from the command line, and nobody gets it back.',
    'put replaces the current version: it is in use within 60 s, and at once where the API refuses the old one.',
    'The token needs a UI scope with manage_secrets on all, or on TARGET.',
  ],
  async run(input, terminal) {
    const [action = '', target, owner] = input.positionals;
    const verb = VERBS.find((one) => one === action);
    if (verb === undefined && action !== 'list') {
      return err(misused(`\`${action}\` is not one of list, ${VERBS.join(', ')}`));
    }
    if (verb === undefined) {
      if (owner !== undefined) return err(misused('too many arguments for `secret list`'));
      const door = await openDoor(input, terminal);
      return door.ok ? list(door.value, target, input.text('org')) : door;
    }
    if (target === undefined || owner === undefined)
      return err(misused(`say which one: secret ${verb} TARGET OWNER`));
    const key = readOwner(target, owner);
    if (!key.ok) return key;
    const takesValue = verb === 'put' || verb === 'rotate';
    const value = takesValue ? await readValue(input, terminal, target) : ok(undefined);
    if (!value.ok) return value;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    return change(door.value, verb, { target, key: key.value, org: input.text('org') }, value.value);
  },
};

type Place = { readonly target: string; readonly key: string; readonly org: string | undefined };

async function change(
  door: AdminDoor,
  verb: SecretVerb,
  { target, key, org }: Place,
  value: object | undefined,
): Promise<Result<Output, Failure>> {
  const path = `/admin/secrets/${encodeURIComponent(target)}/${encodeURIComponent(key)}`;
  const step = verb === 'put' || verb === 'delete' ? '' : `/${verb}`;
  const query = org === undefined ? '' : `?${new URLSearchParams({ org })}`;
  const method = { put: 'PUT', delete: 'DELETE' } as const;
  const answer = await door(`${path}${step}${query}`, {
    method: verb === 'put' || verb === 'delete' ? method[verb] : 'POST',
    ...(value === undefined ? {} : { body: value }),
  });
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  if (status !== 200 && status !== 201) return err(refusalOf(answer.value));
  return ok({ text: describeChange(verb, body).join('\n'), json: body });
}

async function list(
  door: AdminDoor,
  target: string | undefined,
  org: string | undefined,
): Promise<Result<Output, Failure>> {
  const all: Secrets['secrets'] = [];
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams(
      Object.entries({ org, target, after }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    const answer = await door(`/admin/secrets${query.size === 0 ? '' : `?${query}`}`);
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return err(refusalOf(answer.value));
    const parsed = Secrets.safeParse(answer.value.body);
    if (!parsed.success) return err(failed('the gateway’s answer is not about secrets'));
    all.push(...parsed.data.secrets);
    after = parsed.data.next;
    if (after === undefined) break;
  }
  const where = target === PROVIDERS ? 'at providers' : `of ${target ?? 'any server or service'}`;
  return ok({
    text: all.length === 0 ? `there is no secret ${where}` : describeSecrets(all).join('\n'),
    json: { secrets: all },
  });
}
