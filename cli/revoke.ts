import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { isIdOf, REVOCATION_KINDS } from '../functions/core/revocation-request.ts';
import { type AdminDoor, DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { confirm, YES_OPTION } from './confirm.ts';
import { refusalOf } from './http.ts';
import { type Failure, failed, misused, type Output } from './outcome.ts';
import { describeEntry, describePage, Entry, Page } from './revocation-words.ts';
import { readTime } from './time.ts';
import type { Arguments, Verb } from './verb.ts';

/** Those whose name is not an argument of its own. */
const UNNAMED: ReadonlySet<string> = new Set(['org', 'all']);

const Revoked = z.object({ revocation: Entry, ends: z.array(z.string()), dry_run: z.boolean() });

/** What is sent to `/admin/revocations`. */
type Request = Readonly<Record<string, string | number | boolean>>;

/** `sallyport revoke`: ends tokens, logins and runs before their time. */
export const revoke: Verb = {
  name: 'revoke',
  summary: 'end tokens, logins and runs at once; list what is revoked',
  usage: 'token|family|run|client|user|team ID | token|family|run - | org | all | list [KIND]',
  positionals: { min: 1, max: 2 },
  options: [
    { name: 'org', value: 'ORG', help: 'the organisation (default: that of the token)' },
    {
      name: 'before',
      value: 'TIME',
      help: 'only what was issued until then, such as 2026-11-21T09:30Z (default: now)',
    },
    { name: 'dry-run', help: 'say what it would end, and end nothing' },
    YES_OPTION,
    { name: 'cursor', value: 'TEXT', help: 'list: go on where the last page ended' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    ['everything that a client has now', 'sallyport revoke client report-agent --client platform-admin'],
    ['everything that a user has now', 'sallyport revoke user company:ada --client platform-admin'],
    [
      'a token that was found somewhere, and the login that it came from',
      'cat found.token | sallyport revoke family - --token-file admin.token',
    ],
    ['what it would end', 'sallyport revoke run run_7 --dry-run --client platform-admin'],
    ['everything of one organisation', 'sallyport revoke org --org acme --client platform-admin'],
    ['everything', 'sallyport revoke all --yes --client platform-admin --json'],
    ['which clients are revoked', 'sallyport revoke list client --client platform-admin'],
  ],
  notes: [
    'What ends, ends on every route within 5 s, open streams too. Who is revoked is not kept out: new tokens are good.',
    'With - the token that names what ends comes from standard input; it is never an argument. --client is the client',
    'that asks. The token needs a UI scope with revoke on all; other organisations than its own, and all, need a client',
    'of the platform’s own organisation.',
  ],
  async run(input, terminal) {
    const [kind = '', name] = input.positionals;
    if (kind === 'list') return list(input, name, () => openDoor(input, terminal));
    const request = await readRequest(input, kind, name, () => terminal.readInput());
    if (!request.ok) return request;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const planned = await ask(door.value, { ...request.value, dry_run: true });
    if (!planned.ok) return planned;
    const lines = planned.value.ends;
    if (input.flag('dry-run')) return ok({ text: lines.join('\n'), json: planned.value });
    for (const line of lines) terminal.note(line);
    const meant = await confirm(input, terminal, 'revoke?');
    if (!meant.ok) return meant;
    const revoked = await ask(door.value, request.value);
    if (!revoked.ok) return revoked;
    const text = `revoked: ${describeEntry(revoked.value.revocation)}; it holds everywhere within 5 s`;
    return ok({ text, json: revoked.value });
  },
};

async function readRequest(
  input: Arguments,
  kind: string,
  name: string | undefined,
  readInput: () => Promise<string>,
): Promise<Result<Request, Failure>> {
  const known = REVOCATION_KINDS.find((one) => one === kind);
  if (known === undefined) {
    return err(misused(`\`${kind}\` is none of ${REVOCATION_KINDS.join(', ')}, list`));
  }
  const org = input.text('org');
  const before = input.text('before');
  const beforeSeconds = before === undefined || before === 'now' ? undefined : readTime(before);
  if (before !== undefined && before !== 'now' && beforeSeconds === undefined) {
    return err(misused('`--before` is `now` or a time with its zone, such as 2026-11-21T09:30Z'));
  }
  const base = {
    kind,
    ...(org === undefined ? {} : { org_id: org }),
    ...(beforeSeconds === undefined ? {} : { before: beforeSeconds }),
  };
  if (UNNAMED.has(kind)) {
    return name === undefined ? ok(base) : err(misused(`\`revoke ${kind}\` takes no name; see --org`));
  }
  if (name === undefined) return err(misused(`say which: \`revoke ${kind} ID\``));
  // A token has no place on a command line, where every user of the machine can read it.
  if (name !== '-') return isIdOf(known, name) ? ok({ ...base, id: name }) : err(misused(noId(kind)));
  if (input.text('token-file') === '-' || input.text('secret-file') === '-') {
    return err(misused('standard input has what is revoked; take the token to call with from a file'));
  }
  const token = (await readInput()).trim();
  return token === '' ? err(misused('standard input has no token')) : ok({ ...base, token });
}

function noId(kind: string): string {
  const where = `this is no id of a ${kind}, as audit records have it. An argument is no place for a token:`;
  return `${where} \`revoke token -\`, and \`family\` and \`run\`, read it from standard input`;
}

async function ask(door: AdminDoor, body: Request): Promise<Result<z.infer<typeof Revoked>, Failure>> {
  const answer = await door('/admin/revocations', { method: 'POST', body });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return err(refusalOf(answer.value));
  const parsed = Revoked.safeParse(answer.value.body);
  return parsed.success ? ok(parsed.data) : err(failed('the gateway’s answer is not about a revocation'));
}

async function list(
  input: Arguments,
  kind: string | undefined,
  open: () => Promise<Result<AdminDoor, Failure>>,
): Promise<Result<Output, Failure>> {
  if (kind !== undefined && !REVOCATION_KINDS.some((one) => one === kind)) {
    return err(misused(`\`${kind}\` is none of ${REVOCATION_KINDS.join(', ')}`));
  }
  const query = new URLSearchParams(kind === undefined ? {} : { kind });
  for (const [option, parameter] of [
    ['org', 'org_id'],
    ['cursor', 'cursor'],
  ] as const) {
    const value = input.text(option);
    if (value !== undefined) query.set(parameter, value);
  }
  const door = await open();
  if (!door.ok) return door;
  const answer = await door.value(`/admin/revocations?${query}`);
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return err(refusalOf(answer.value));
  const page = Page.safeParse(answer.value.body);
  if (!page.success) return err(failed('the gateway’s answer is no list of revocations'));
  return ok({ text: describePage(page.data).join('\n'), json: page.data });
}
