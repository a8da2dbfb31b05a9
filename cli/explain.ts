import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { DOOR_OPTIONS, openDoor } from './admin-door.ts';
import { parseJson, refusalOf } from './http.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Verb } from './verb.ts';

const Explained = z.looseObject({
  decision: z.enum(['allow', 'deny']),
  reason: z.string(),
  text: z.string(),
  scopes: z.array(z.string()).optional(),
  required_scopes: z.array(z.string()).optional(),
  rule: z.object({ scope: z.string(), at: z.string(), words: z.string() }).optional(),
  remedies: z.array(z.looseObject({ kind: z.string(), text: z.string() })).optional(),
});

type Explained = z.infer<typeof Explained>;

/** Options about somebody else, and the members of `caller` that they are. */
const ABOUT = [
  ['as', 'client_id'],
  ['as-user', 'subject'],
  ['as-org', 'org_id'],
] as const;
const ABOUT_LISTS = [
  ['as-groups', 'groups'],
  ['as-scopes', 'scopes'],
  ['as-teams', 'teams'],
] as const;

/** `sallyport explain`: would this be allowed, why, and what would change it. */
export const explain: Verb = {
  name: 'explain',
  summary: 'say whether a call is allowed, by which rule, and what would change that',
  usage: 'SERVER METHOD [NAME]',
  positionals: { min: 2, max: 3 },
  options: [
    { name: 'arguments', value: 'FILE', help: 'the arguments of the call, as JSON; - for standard input' },
    { name: 'as', value: 'ID', help: 'about this client, and not about the token; for administrators' },
    { name: 'as-user', value: 'SUBJECT', help: 'with --as: a user who acts through it, such as company:ada' },
    { name: 'as-groups', value: '"A B"', help: 'with --as: the groups of that user' },
    { name: 'as-scopes', value: '"A B"', help: 'with --as: a token with these scopes alone' },
    { name: 'as-teams', value: '"A B"', help: 'with --as: a token for these teams alone' },
    { name: 'as-org', value: 'ORG', help: 'with --as: its organisation (default: that of the token)' },
    ...DOOR_OPTIONS,
  ],
  examples: [
    ['may I?', 'sallyport explain weather tools/call forecast --client reader'],
    [
      'why may this agent not, and what would change it?',
      'sallyport explain weather tools/call forecast --as reader --client platform-admin',
    ],
    [
      'for a user with these groups',
      'sallyport explain fininfo tools/list --as desktop --as-user company:ada --as-groups analysts --client platform-admin',
    ],
  ],
  notes: [
    'The exit code is 0 where it is allowed, and 1 where it is not. Without --as the token is explained to its own',
    'holder, who is told what a refusal tells. With --as it takes a UI scope with manage_policy on all; the rule is',
    'told with file and line, and every change that is proposed was tried: with it, the call is allowed.',
  ],
  async run(input, terminal) {
    const [server = '', method = '', name] = input.positionals;
    const caller = readCaller(input);
    if (!caller.ok) return caller;
    const args = await readArguments(input, terminal);
    if (!args.ok) return args;
    const door = await openDoor(input, terminal);
    if (!door.ok) return door;
    const answer = await door.value('/me/explain', {
      method: 'POST',
      body: {
        server,
        method,
        ...(name === undefined ? {} : { name }),
        ...(args.value === undefined ? {} : { arguments: args.value }),
        ...(caller.value === undefined ? {} : { caller: caller.value }),
      },
    });
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return err(refusalOf(answer.value));
    const explained = Explained.safeParse(answer.value.body);
    if (!explained.success) return err(failed('the gateway’s answer is no explanation'));
    const { data } = explained;
    const output = { text: describe(data).join('\n'), json: data };
    return ok(data.decision === 'allow' ? output : { ...output, exit: 1 });
  },
};

function readCaller(input: Arguments): Result<Readonly<Record<string, unknown>> | undefined, Failure> {
  const texts = ABOUT.map(([option, member]) => [member, input.text(option)] as const);
  const lists = ABOUT_LISTS.map(
    ([option, member]) => [member, input.text(option)?.split(/\s+/).filter(Boolean)] as const,
  );
  const said = [...texts, ...lists].filter(([, value]) => value !== undefined);
  if (said.length > 0 && input.text('as') === undefined) {
    return err(misused('say which client: `--as ID`'));
  }
  return ok(said.length === 0 ? undefined : Object.fromEntries(said));
}

async function readArguments(input: Arguments, terminal: Terminal): Promise<Result<unknown, Failure>> {
  const file = input.text('arguments');
  if (file === undefined) return ok(undefined);
  try {
    const value = parseJson(file === '-' ? await terminal.readInput() : await readFile(file, 'utf8'));
    return value === undefined ? err(misused(`\`--arguments ${file}\` is not JSON`)) : ok(value);
  } catch (error) {
    return err(failed(`cannot read \`--arguments ${file}\`: ${reasonOf(error)}`));
  }
}

function describe({
  decision,
  text,
  rule,
  remedies = [],
  required_scopes: scopes = [],
}: Explained): readonly string[] {
  const said = text.startsWith('this is') || text.startsWith('access denied') ? text : `${decision}: ${text}`;
  return [
    said,
    ...(rule === undefined ? [] : [`${rule.words}, ${rule.at}`]),
    ...(remedies.length === 0 && scopes.length > 0 ? [`ask for a token with: ${scopes.join(' ')}`] : []),
    ...(remedies.length === 0
      ? []
      : ['to allow it, one of these:', ...remedies.map((one) => `  ${one.text}`)]),
  ];
}
