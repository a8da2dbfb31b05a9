/** One term of a document: how often it is there, and where it is first, in characters (Unicode code points) of the content. */
export type Term = { readonly term: string; readonly count: number; readonly positions: readonly number[] };

/** Distinct terms of a document that are found by search: the first so many of its name and then of its content (contract §8). */
export const MAX_TERMS = 1_000;

/** Places of one term that sections are made from. */
const MAX_POSITIONS = 16;

/** A longer word counts as its beginning. */
const MAX_TERM_CHARACTERS = 64;

/** Distinct words of a query that are looked for. */
const MAX_QUERY_TERMS = 16;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const LETTER = /^[\p{L}\p{N}\p{M}]$/u;

/** The terms of a document. A term of the name alone has no position; content of `undefined` is not text. */
export function termsOf(filename: string, content: string | undefined): readonly Term[] {
  const found = new Map<string, { count: number; positions: number[] }>();
  for (const [word] of filename.matchAll(WORD)) add(found, toTerm(word), undefined);
  if (content === undefined) return toTerms(found);
  let atUnit = 0;
  let atCharacter = 0;
  for (const { 0: word, index } of content.matchAll(WORD)) {
    atCharacter += countCharacters(content, atUnit, index);
    atUnit = index;
    add(found, toTerm(word), atCharacter);
  }
  return toTerms(found);
}

/** The terms that a query asks for, each once. */
export function queryTerms(query: string): readonly string[] {
  const terms = Array.from(query.matchAll(WORD), ([word]) => toTerm(word));
  return [...new Set(terms)].slice(0, MAX_QUERY_TERMS);
}

function add(
  found: Map<string, { count: number; positions: number[] }>,
  term: string,
  position: number | undefined,
): void {
  const known = found.get(term);
  if (known === undefined) {
    if (found.size < MAX_TERMS)
      found.set(term, { count: 1, positions: position === undefined ? [] : [position] });
    return;
  }
  known.count += 1;
  if (position !== undefined && known.positions.length < MAX_POSITIONS) known.positions.push(position);
}

function toTerms(found: ReadonlyMap<string, Omit<Term, 'term'>>): readonly Term[] {
  return Array.from(found, ([term, { count, positions }]) => ({ term, count, positions }));
}

/** Letters alike that are written differently are one; so are upper and lower case. Something is left of every word. */
function toTerm(word: string): string {
  const folded = word
    .slice(0, 4 * MAX_TERM_CHARACTERS)
    .normalize('NFKC')
    .toLowerCase();
  const letters = Array.from(folded).filter((character) => LETTER.test(character));
  return letters.slice(0, MAX_TERM_CHARACTERS).join('');
}

function countCharacters(text: string, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) {
    const unit = text.charCodeAt(index);
    // The second half of a pair is no character of its own.
    if (unit < 0xdc00 || unit > 0xdfff) count += 1;
  }
  return count;
}
