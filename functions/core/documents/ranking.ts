/** A term as it is in one document. */
export type Hit = { readonly term: string; readonly count: number; readonly positions: readonly number[] };

/** A part of a document that matches: `limit` characters from `offset`. */
export type Section = { readonly score: number; readonly offset: number; readonly limit: number };

/** Sections of a text, in characters: each begins before the one before it ends. */
export const SECTION_CHARACTERS = 1_000;
const SECTION_STEP = 800;
const MAX_SECTIONS = 3;

/** How much a term says: less, the more of the documents that the caller sees have it. */
export function weightOf(documentsWithTerm: number): number {
  return Math.log(1 + 1_000 / Math.max(1, documentsWithTerm));
}

/** How well a document matches: the weights of its terms, more for each repetition, but less and less. */
export function scoreOf(hits: readonly Hit[], weights: ReadonlyMap<string, number>): number {
  let score = 0;
  for (const { term, count } of hits) score += (weights.get(term) ?? 0) * (1 + Math.log(count));
  return rounded(score);
}

/** The best sections of a document of so many characters, best first, none beside another one; none for a match in the name alone. */
export function sectionsOf(
  hits: readonly Hit[],
  weights: ReadonlyMap<string, number>,
  totalChars: number,
): readonly Section[] {
  const counts = new Map<number, Map<string, number>>();
  for (const { term, positions } of hits) {
    for (const position of positions) {
      const last = Math.floor(position / SECTION_STEP);
      for (const section of [last, last - 1]) {
        if (section < 0 || position >= section * SECTION_STEP + SECTION_CHARACTERS) continue;
        const inSection = counts.get(section) ?? new Map<string, number>();
        inSection.set(term, (inSection.get(term) ?? 0) + 1);
        counts.set(section, inSection);
      }
    }
  }
  const ranked = Array.from(counts, ([section, terms]) => {
    const inSection = Array.from(terms, ([term, count]) => ({ term, count, positions: [] }));
    return { section, score: scoreOf(inSection, weights) };
  }).sort((one, other) => other.score - one.score || one.section - other.section);
  const chosen: typeof ranked = [];
  for (const candidate of ranked) {
    const isBeside = chosen.some(({ section }) => Math.abs(section - candidate.section) <= 1);
    if (!isBeside && chosen.length < MAX_SECTIONS) chosen.push(candidate);
  }
  return chosen.map(({ section, score }) => {
    const offset = section * SECTION_STEP;
    return { score, offset, limit: Math.min(SECTION_CHARACTERS, totalChars - offset) };
  });
}

function rounded(score: number): number {
  return Math.round(score * 1_000) / 1_000;
}
