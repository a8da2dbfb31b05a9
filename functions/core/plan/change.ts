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

const MAX_SHOWN_CHARACTERS = 80;

/** A value in few characters, as JSON; an absent one is `nothing`. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) return 'nothing';
  return text.length <= MAX_SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, MAX_SHOWN_CHARACTERS).toWellFormed()}…`;
}

/** Names in a row: all of a few, else the first ones and how many more. */
export function listed(names: readonly string[]): string {
  const MAX_NAMES = 5;
  const rest = names.length - MAX_NAMES;
  return rest > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} and ${rest} more` : names.join(', ');
}

/** What becomes of a member, in words that follow whose it is: of a list of names only those that come and go. */
export function changeOf(member: string, before: unknown, after: unknown): string {
  if (!areNames(before) || !areNames(after)) {
    return `changes its \`${member}\` from ${shown(before)} to ${shown(after)}`;
  }
  const [gained, lost] = [
    after.filter((name) => !before.includes(name)),
    before.filter((name) => !after.includes(name)),
  ];
  const words = [
    ...(gained.length === 0 ? [] : [`now with ${listed(gained)}`]),
    ...(lost.length === 0 ? [] : [`no longer with ${listed(lost)}`]),
  ];
  return `changes its \`${member}\`, ${words.length === 0 ? 'in order' : words.join(', ')}`;
}

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
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
