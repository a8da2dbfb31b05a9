import { err } from '../functions/core/result.ts';
import { TOKEN_OPTIONS } from './access-token.ts';
import { type ContextAction, DOCUMENT_ACTIONS } from './context-actions.ts';
import { ARCHIVE_ACTIONS } from './context-archive.ts';
import { openContext } from './context-door.ts';
import { RELATION_ACTIONS } from './context-relations.ts';
import { ORIGIN_OPTION } from './origin.ts';
import { misused } from './outcome.ts';
import type { Option, Verb } from './verb.ts';

const ACTIONS: ReadonlyMap<string, ContextAction> = new Map(
  Object.entries({ ...DOCUMENT_ACTIONS, ...RELATION_ACTIONS, ...ARCHIVE_ACTIONS }),
);

/** Options of the single actions. */
const ACTION_OPTIONS: readonly Option[] = [
  {
    name: 'filename',
    value: 'NAME',
    help: 'list: part of the name; push: the name, where the file’s is not it',
  },
  { name: 'tags', value: 'A,B', help: 'list: documents with all of these; push, create: tags to put on' },
  { name: 'metadata', value: 'JSON', help: 'push, create: an object of texts' },
  { name: 'ttl', value: 'SECONDS', help: 'push, create: how long the document lives' },
  { name: 'limit', value: 'N', help: 'list, search: documents; links: relations; read: characters' },
  { name: 'cursor', value: 'CURSOR', help: 'list, links: the page after the one that named it' },
  { name: 'offset', value: 'N', help: 'read, edit: the first character, from 0' },
  { name: 'length', value: 'N', help: 'edit: with --offset, how many characters to replace (default 0)' },
  { name: 'old', value: 'TEXT', help: 'edit: what to replace; it must be there exactly once, or --all' },
  { name: 'new', value: 'TEXT', help: 'edit: what to put in its place' },
  { name: 'all', help: 'edit: replace every occurrence' },
  { name: 'if-version', value: 'N', help: 'write, edit, delete: only where the document is of this version' },
  { name: 'type', value: 'TYPE', help: 'link: parent-child, related or predecessor-successor' },
  { name: 'note', value: 'TEXT', help: 'link: what the first document says about the second' },
  { name: 'resume', help: 'export: go on with a file that was begun' },
];

/** `sallyport context`: the documents of a namespace. */
export const context: Verb = {
  name: 'context',
  summary: 'read, write, export and import the documents of a namespace',
  usage: 'ACTION [arguments]',
  positionals: { min: 1, max: 3 },
  options: [
    ...ACTION_OPTIONS,
    { name: 'namespace', value: 'NS', help: 'a namespace by name (default: the token’s own)' },
    ORIGIN_OPTION,
    ...TOKEN_OPTIONS,
    { name: 'scope', value: 'SCOPES', help: 'with --client: scopes, separated by spaces' },
  ],
  examples: [
    ['what is there?', 'sallyport context list --tags plan --client planner'],
    ['store a file', 'sallyport context push plan.md --tags plan,draft --client planner'],
    [
      'change a word of it',
      "sallyport context edit doc_0123456789abcdef01234567 --old 'draft' --new 'final' --client planner",
    ],
    ['find it by its words', "sallyport context search 'quarterly numbers' --client planner"],
    ['a copy of all that the token sees', 'sallyport context export proj-a.jsonl --client planner'],
    [
      'put it into another namespace',
      'sallyport context import proj-a.jsonl --namespace proj-b --client steward',
    ],
  ],
  notes: [
    'Actions:',
    ...Array.from(ACTIONS, ([name, { usage }]) => `  ${name} ${usage}`.trimEnd()),
    '',
    'The token comes from --token-file, else from a token request as --client, else from SALLYPORT_TOKEN; a run token does.',
    'FILE is `-` for standard input in push and write. No file is overwritten. An import makes what is not there yet and',
    'changes nothing that is; it exits with 1 where something else is there already.',
    '',
  ],
  async run(input, terminal) {
    const [name = '', ...rest] = input.positionals;
    const action = ACTIONS.get(name);
    if (action === undefined) {
      return err(misused(`\`${name}\` is not one of ${[...ACTIONS.keys()].join(', ')}`));
    }
    const { min, max } = action.positionals;
    if (rest.length < min || rest.length > max) {
      return err(misused(`usage: sallyport context ${name} ${action.usage}`.trimEnd()));
    }
    const foreign = ACTION_OPTIONS.find(
      (option) =>
        !action.options.includes(option.name) &&
        (input.text(option.name) !== undefined || input.flag(option.name)),
    );
    if (foreign !== undefined) return err(misused(`\`--${foreign.name}\` is not for \`context ${name}\``));
    const door = await openContext(input, terminal);
    return door.ok ? action.run(door.value, rest, input, terminal) : door;
  },
};
