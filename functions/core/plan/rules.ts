import type { Snapshot } from '../policy.ts';
import type { DefaultRule, ScopeRule } from '../rules/rule.ts';
import { type Change, canonical, compareNames, listed } from './change.ts';
import { type Deed, deedsOf, writtenAs } from './rule-words.ts';

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
  const [old, young] = [before.map(toldOf), after.map(toldOf)];
  const wordsOf = (rules: readonly Told[], isDeny: boolean) =>
    rules
      .flatMap(({ deeds }) => deeds)
      .filter((deed) => deed.isDeny === isDeny)
      .map(({ words }) => words);
  const grants = compareNames(wordsOf(old, false), wordsOf(young, false));
  const denies = compareNames(wordsOf(old, true), wordsOf(young, true));
  const written = compareNames(alikeIn(old, young), alikeIn(young, old));
  if ([grants, denies, written].every(({ gained, lost }) => gained.length + lost.length === 0)) return [];
  const { part, name, who } = audience();
  const change = (effect: Change['effect'], text: string): Change => ({ effect, part, name, text });
  return [
    ...grants.gained.map((words) => change('gain', `${who} may now ${words}`)),
    ...grants.lost.map((words) => change('loss', `${who} may no longer ${words}`)),
    ...denies.gained.map((words) => change('loss', `a deny now stops ${who}, who may not ${words}`)),
    ...denies.lost.map((words) => change('gain', `a deny no longer stops ${who}, who could not ${words}`)),
    ...written.gained.map((rule) => change('change', `a rule for ${who} is new as written: ${rule}`)),
    ...written.lost.map((rule) => change('change', `a rule for ${who} is gone as written: ${rule}`)),
  ];
}

type Told = { readonly deeds: readonly Deed[]; readonly words: string; readonly written: string };

function toldOf(rule: ScopeRule): Told {
  const deeds = deedsOf(rule);
  return { deeds, words: canonical(deeds.map(({ words }) => words).sort()), written: writtenAs(rule) };
}

/** Rules for which one of the others has the same words, and those for which there are none: where they differ, only what is written tells. */
function alikeIn(rules: readonly Told[], others: readonly Told[]): readonly string[] {
  const known = new Set([canonical([]), ...others.map(({ words }) => words)]);
  return rules.filter(({ words }) => known.has(words)).map(({ written }) => written);
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
