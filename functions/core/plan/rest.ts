import type { Snapshot } from '../policy.ts';
import { type Change, canonical, changesOf, shown } from './change.ts';
import { compareEntries } from './entries.ts';

/** Parts that have words of their own. The format follows from the others. */
const COMPARED: ReadonlySet<string> = new Set([
  'format',
  'scopes',
  'defaults',
  'uiScopes',
  'groups',
  'servers',
  'services',
  'clients',
  'orgs',
  'idps',
  'providers',
  'teams',
  'roles',
  'roleBindings',
  'limits',
]);

/** What changes in every other part, those of configurations to come included: entry by entry, member by member, as it is written. */
export function compareRest(before: Snapshot, after: Snapshot): readonly Change[] {
  const [old, young] = [membersOf(before), membersOf(after)];
  const parts = [...new Set([...old.keys(), ...young.keys()])].filter((part) => !COMPARED.has(part));
  return parts.flatMap((part) => compareOne(part, old.get(part), young.get(part)));
}

function compareOne(part: string, before: unknown, after: unknown): readonly Change[] {
  if (!isList(before) || !isList(after)) {
    const sentence = (words: string) => `\`${part}\` ${words}`;
    return compareMembers({ part, name: '' }, sentence, before, after);
  }
  return compareEntries(
    {
      part,
      noun: `entry of \`${part}\``,
      nameOf: ({ name }) => name,
      added: { effect: 'change', words: ({ entry }) => `is new: ${shown(entry)}` },
      removed: { effect: 'change', words: ({ entry }) => `is gone: ${shown(entry)}` },
      told: ['name', 'entry'],
      handled: ['name', 'entry'],
      compare: (was, is) => {
        const sentence = (words: string) => `the entry of \`${part}\` ${is.name} ${words}`;
        return compareMembers({ part, name: is.name }, sentence, was.entry, is.entry);
      },
    },
    namedEntries(before ?? []),
    namedEntries(after ?? []),
  );
}

type Named = { readonly name: string; readonly entry: unknown };

function compareMembers(
  place: Pick<Change, 'part' | 'name'>,
  sentence: (words: string) => string,
  before: unknown,
  after: unknown,
): readonly Change[] {
  const [old, young] = [membersOf(before), membersOf(after)];
  return [...new Set([...old.keys(), ...young.keys()])]
    .flatMap((member) => changesOf(member, old.get(member), young.get(member)))
    .map((words) => ({ effect: 'change', ...place, text: sentence(words) }));
}

function isList(value: unknown): value is readonly unknown[] | undefined {
  return value === undefined || Array.isArray(value);
}

/** Entries by their names. One without a name is called by all that it says, and one of a name that was there by its number too. */
function namedEntries(values: readonly unknown[]): readonly Named[] {
  const counts = new Map<string, number>();
  return values.map(withoutPlace).map((entry) => {
    const name = nameOf(entry) || canonical(entry);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { name: count === 1 ? name : `${name} (${count})`, entry };
  });
}

/** A pair is a name and what it stands for. */
function withoutPlace(entry: unknown): unknown {
  if (Array.isArray(entry) && entry.length === 2) return { name: entry[0], ...Object(entry[1]) };
  if (typeof entry !== 'object' || entry === null) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([member]) => member !== 'at'));
}

/** `org/name`, or what it has of both, and whom it binds. */
function nameOf(entry: unknown): string {
  const members = membersOf(entry);
  return ['org', 'name', 'id', 'role', 'team']
    .map((member) => members.get(member))
    .filter((part) => typeof part === 'string')
    .join('/');
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
