/**
 * One thing that another policy changes, for whoever applies it. `gain`: somebody may do more; `loss`: somebody may do less; `change`: neither
 * can be told from it alone.
 */
export type Change = {
  readonly effect: 'gain' | 'loss' | 'change';
  /** The part of the configuration: `scopes`, `clients`, `servers` … */
  readonly part: string;
  /** What changes there: a scope, a client, a server. */
  readonly name: string;
  /** One sentence for people, without a full stop. */
  readonly text: string;
};

/** A value as JSON; an absent one is `nothing`. Whole: what is cut is hidden from whoever applies it. */
export function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

/** Names in a row: all of a few, else the first ones and how many more. */
export function listed(names: readonly string[]): string {
  const MAX_NAMES = 5;
  const rest = names.length - MAX_NAMES;
  return rest > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} and ${rest} more` : names.join(', ');
}

/**
 * What becomes of a member, in words that follow whose it is; nothing where it stays. Of a list only what comes and goes, of an object only
 * the members that change, each by its way from there.
 */
export function changesOf(member: string, before: unknown, after: unknown): readonly string[] {
  if (isSame(before, after)) return [];
  const [was, is] = [before ?? [], after ?? []];
  if (Array.isArray(was) && Array.isArray(is) && was.length + is.length > 0) {
    return [listChange(member, was, is)];
  }
  const [old, young] = [membersOf(before), membersOf(after)];
  if (old === undefined || young === undefined || old.size + young.size === 0) {
    return [`changes its \`${member}\` from ${shown(before)} to ${shown(after)}`];
  }
  return [...new Set([...old.keys(), ...young.keys()])].flatMap((name) =>
    changesOf(`${member}.${name}`, old.get(name), young.get(name)),
  );
}

function listChange(member: string, before: readonly unknown[], after: readonly unknown[]): string {
  const word = (one: unknown) => (typeof one === 'string' ? one : canonical(one));
  const [old, young] = [before.map(word), after.map(word)];
  const { gained, lost } = compareNames(old, young);
  const words = [
    ...(gained.length === 0 ? [] : [`now with ${gained.join(', ')}`]),
    ...(lost.length === 0 ? [] : [`no longer with ${lost.join(', ')}`]),
  ];
  return `changes its \`${member}\`, ${words.length === 0 ? 'in order' : words.join(', ')}`;
}

/** The members of an object, none of an absent one; undefined for anything else. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (value === undefined) return new Map();
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? new Map<string, unknown>(Object.entries(value)) : undefined;
}

/** What two lists of names do not have in common. */
export function compareNames(
  before: readonly string[],
  after: readonly string[],
): { readonly gained: readonly string[]; readonly lost: readonly string[] } {
  const [old, young] = [new Set(before), new Set(after)];
  return {
    gained: [...young].filter((name) => !old.has(name)),
    lost: [...old].filter((name) => !young.has(name)),
  };
}

/** Do two values say the same? Members of objects may stand in any order, members that are undefined are absent. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** A value as one text, equal for no other. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  );
}
