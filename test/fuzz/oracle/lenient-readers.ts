import { caseless, type Tree } from './json-tree.ts';

/** Picks one of the members that could be meant. */
export type ReadMember = (tree: Tree | undefined, name: string) => Tree | undefined;

/** A parser as a server may have it. */
export type Reader = { readonly name: string; readonly member: ReadMember };

/** Parsers that know a member by its exact name: where it comes twice, the first counts, or the last. */
export const EXACT_READERS: readonly Reader[] = [
  { name: 'first wins', member: (tree, name) => named(tree, (one) => one === name)[0] },
  { name: 'last wins', member: (tree, name) => named(tree, (one) => one === name).at(-1) },
];

/** Parsers that know a member in any case, as Go does. */
export const FOLDING_READERS: readonly Reader[] = [
  { name: 'any case, first wins', member: (tree, name) => named(tree, isCaseOf(name))[0] },
  { name: 'any case, last wins', member: (tree, name) => named(tree, isCaseOf(name)).at(-1) },
];

/** A server that merges what it parsed into an object of its own: a prototype in the text is asked for what is missing. */
export const MERGING_READER: Reader = {
  name: 'merged into an object',
  member(tree, name) {
    const own = named(tree, (one) => one === name).at(-1);
    const prototype = own === undefined ? named(tree, (one) => one === '__proto__').at(-1) : undefined;
    return own ?? named(prototype, (one) => one === name).at(-1);
  },
};

/** The text of a string; undefined for anything else. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === 'string' ? tree.value : undefined;
}

function isCaseOf(name: string): (one: string) => boolean {
  return (one) => caseless(one) === caseless(name);
}

function named(tree: Tree | undefined, isMeant: (name: string) => boolean): readonly Tree[] {
  if (tree?.kind !== 'object') return [];
  return tree.members.filter(([name]) => isMeant(name)).map(([, value]) => value);
}
