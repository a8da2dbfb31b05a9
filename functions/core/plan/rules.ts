import type { Snapshot } from '../policy.ts';
import type { DefaultRule, ScopeRule } from '../rules/rule.ts';
import { type Change, listed } from './change.ts';
import { compareNames } from './entries.ts';
import { type Deed, deedsOf } from './rule-words.ts';

/** Who is told by a rule, in words, and by what name. */
type Audience = { readonly part: string; readonly name: string; readonly who: string };

/** What the rules of scopes and defaults grant and forbid now and did not before, and the other way round. Which line says it is no change. */
export function compareRules(before: Snapshot, after: Snapshot): readonly Change[] {
  const [old, young] = [new Map(before.scopes), new Map(after.scopes)];
  const names = [...new Set([...old.keys(), ...young.keys()])];
  const scopes = names.flatMap((name) =>
    compareDeeds(() => audienceOf(after, before, name), old.get(name) ?? [], young.get(name) ?? []),
  );
  return [...compareDefaults(before.defaults ?? [], after.defaults ?? []), ...scopes];
}

function compareDefaults(before: readonly DefaultRule[], after: readonly DefaultRule[]): readonly Change[] {
  const orgs = [...new Set([...before, ...after].map(({ org }) => org))];
  return orgs.flatMap((org) => {
    const who = org === undefined ? 'everyone' : `everyone of ${org}`;
    const ofOrg = (rules: readonly DefaultRule[]) => rules.filter((rule) => rule.org === org);
    return compareDeeds(() => ({ part: 'defaults', name: org ?? '*', who }), ofOrg(before), ofOrg(after));
  });
}

/** Who is asked for only where something changes: to find them takes a look at every client. */
function compareDeeds(
  audience: () => Audience,
  before: readonly ScopeRule[],
  after: readonly ScopeRule[],
): readonly Change[] {
  const wordsOf = (rules: readonly ScopeRule[], isDeny: boolean) =>
    rules
      .flatMap(deedsOf)
      .filter((deed: Deed) => deed.isDeny === isDeny)
      .map(({ words }) => words);
  const grants = compareNames(wordsOf(before, false), wordsOf(after, false));
  const denies = compareNames(wordsOf(before, true), wordsOf(after, true));
  if ([grants, denies].every(({ gained, lost }) => gained.length + lost.length === 0)) return [];
  const { part, name, who } = audience();
  const change = (effect: Change['effect'], text: string): Change => ({ effect, part, name, text });
  return [
    ...grants.gained.map((words) => change('gain', `${who} may now ${words}`)),
    ...grants.lost.map((words) => change('loss', `${who} may no longer ${words}`)),
    ...denies.gained.map((words) => change('loss', `a deny now stops ${who}, who may not ${words}`)),
    ...denies.lost.map((words) => change('gain', `a deny no longer stops ${who}, who could not ${words}`)),
  ];
}

/** A scope, and who can have it by the new configuration, or by the old one where it goes. */
function audienceOf(after: Snapshot, before: Snapshot, scope: string): Audience {
  const of = ({ clients, groups }: Snapshot) => [
    ...clients.filter(({ scopes }) => scopes.includes(scope)).map(({ id }) => `client ${id}`),
    ...groups.filter(([, scopes]) => scopes.includes(scope)).map(([group]) => `group ${group}`),
  ];
  const holders = new Set([...of(after), ...of(before)]);
  const whom = holders.size === 0 ? 'nobody has it' : listed([...holders]);
  return { part: 'scopes', name: scope, who: `who has the scope ${scope} (${whom})` };
}
