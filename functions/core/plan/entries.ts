import { type Change, changesOf, shown } from './change.ts';

/** How the entries of one part of a snapshot are told apart, and what it means that one comes or goes. */
export type Part<T> = {
  readonly part: string;
  readonly nameOf: (entry: T) => string;
  /** Members that the words of a new entry say. */
  readonly told: readonly string[];
  /** Completes "the … NAME". */
  readonly noun: string;
  readonly added: { readonly effect: Change['effect']; readonly words: (entry: T) => string };
  readonly removed: { readonly effect: Change['effect']; readonly words: (entry: T) => string };
  /** Members that have words of their own, or that change nothing (a line number). */
  readonly handled: readonly string[];
  /** Changes of those members. */
  readonly compare: (before: T, after: T) => readonly Change[];
};

/** What comes, goes and changes among entries with names. A member that nobody thought of here is shown as it is: nothing changes unsaid. */
export function compareEntries<T extends object>(
  part: Part<T>,
  before: readonly T[],
  after: readonly T[],
): readonly Change[] {
  const byName = (entries: readonly T[]) => new Map(entries.map((one) => [part.nameOf(one), one]));
  const [old, young] = [byName(before), byName(after)];
  const changeOfEntry = (name: string) => (effect: Change['effect'], words: string) => ({
    effect,
    part: part.part,
    name,
    text: `the ${part.noun} ${name} ${words}`,
  });
  const stayed = Array.from(old, ([name, was]): readonly Change[] => {
    const change = changeOfEntry(name);
    const is = young.get(name);
    if (is === undefined) return [change(part.removed.effect, part.removed.words(was))];
    return [...part.compare(was, is), ...compareMembers(was, is, part.handled, change)];
  });
  const added = [...young].filter(([name]) => !old.has(name));
  return [
    ...stayed.flat(),
    ...added.map(([name, is]) => {
      const more = wordsOfRest(is, part.told);
      return changeOfEntry(name)(part.added.effect, `${part.added.words(is)}${more}`);
    }),
  ];
}

function compareMembers(
  before: object,
  after: object,
  handled: readonly string[],
  change: (effect: Change['effect'], words: string) => Change,
): readonly Change[] {
  const was = new Map<string, unknown>(Object.entries(before));
  const is = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((member) => !handled.includes(member))
    .flatMap((member) => changesOf(member, was.get(member), is.get(member)))
    .map((words) => change('change', words));
}

/** What an entry says beside what its words have said, but for what says nothing: an absent member, `false`, an empty list. */
function wordsOfRest(entry: object, said: readonly string[]): string {
  const rest = Object.entries(entry).filter(
    ([member, value]) => !said.includes(member) && !['nothing', 'false', '[]'].includes(shown(value)),
  );
  if (rest.length === 0) return '';
  return `; it has ${rest.map(([member, value]) => `\`${member}\` ${shown(value)}`).join(', ')}`;
}
