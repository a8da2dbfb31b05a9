import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scoreOf, sectionsOf, weightOf } from '../../../functions/core/documents/ranking.ts';
import { SEARCH_ARGUMENTS } from '../../../functions/core/documents/search.ts';
import { MAX_TERMS, queryTerms, termsOf } from '../../../functions/core/documents/terms.ts';

describe('the terms of a document', () => {
  test('are its words, in any script and case, with where they are', () => {
    expect(termsOf('', 'Größe 😀 größe x1 語, GRÖSSE')).toEqual([
      { term: 'größe', count: 2, positions: [0, 8] },
      { term: 'x1', count: 1, positions: [14] },
      { term: '語', count: 1, positions: [17] },
      { term: 'grösse', count: 1, positions: [20] },
    ]);
  });

  test('are those of its name too, which have no place in the content', () => {
    expect(termsOf('plan-2.md', 'the plan')).toEqual([
      { term: 'plan', count: 2, positions: [4] },
      { term: '2', count: 1, positions: [] },
      { term: 'md', count: 1, positions: [] },
      { term: 'the', count: 1, positions: [0] },
    ]);
    expect(termsOf('a', undefined)).toEqual([{ term: 'a', count: 1, positions: [] }]);
  });

  test('are alike where letters are written differently, and cut where they are long', () => {
    expect(queryTerms('ﬁne ｆｕｌｌ ①')).toEqual(['fine', 'full', '1']);
    expect(queryTerms('x'.repeat(70))).toEqual(['x'.repeat(64)]);
    expect(termsOf('', 'x'.repeat(70))[0]?.term).toBe('x'.repeat(64));
    expect(queryTerms(`${'x'.repeat(63)}𝔘𝔘`)[0]).toBe(`${'x'.repeat(63)}u`);
  });

  test('are the first thousand, and the first sixteen places of each', () => {
    const words = Array.from({ length: MAX_TERMS + 5 }, (_, index) => `w${index}`);
    const terms = termsOf('', `${words.join(' ')} ${'w0 '.repeat(30)}`);
    expect(terms).toHaveLength(MAX_TERMS);
    expect(terms[0]?.count).toBe(31);
    expect(terms[0]?.positions).toHaveLength(16);
  });

  test('are where they are said to be', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '😀', 'ß', '.') }), (text) => {
        const characters = Array.from(text);
        for (const { term, positions } of termsOf('', text)) {
          for (const at of positions) expect(characters.slice(at, at + term.length).join('')).toBe(term);
        }
      }),
    );
  });

  test('of a query are each one, at most sixteen, and none where there is no word', () => {
    expect(queryTerms('a b A')).toEqual(['a', 'b']);
    expect(queryTerms(Array.from({ length: 20 }, (_, index) => `w${index}`).join())).toHaveLength(16);
    expect(queryTerms('?! ⸮')).toEqual([]);
  });
});

const hit = (term: string, positions: readonly number[], count = positions.length) => ({
  term,
  count,
  positions,
});

describe('a rank', () => {
  const weights = new Map([
    ['rare', weightOf(1)],
    ['common', weightOf(900)],
  ]);

  test('is higher for rare words, for more words, and for more of one', () => {
    const rare = scoreOf([hit('rare', [0])], weights);
    expect(rare).toBeGreaterThan(scoreOf([hit('common', [0])], weights));
    expect(scoreOf([hit('rare', [0]), hit('common', [0])], weights)).toBeGreaterThan(rare);
    expect(scoreOf([hit('rare', [], 5)], weights)).toBeGreaterThan(rare);
    expect(scoreOf([hit('unknown', [0])], weights)).toBe(0);
    expect(weightOf(0)).toBe(weightOf(1));
  });

  test('names the sections with most of what was asked for, in characters, none beside another', () => {
    expect(sectionsOf([hit('rare', [850])], weights, 5_000)).toMatchObject([{ offset: 0, limit: 1_000 }]);
    expect(sectionsOf([hit('rare', [1_100])], weights, 1_200)).toMatchObject([{ offset: 800, limit: 400 }]);
    const sections = sectionsOf(
      [hit('rare', [10, 4_000, 4_010, 9_000]), hit('common', [9_001])],
      weights,
      10_000,
    );
    expect(sections.map(({ offset }) => offset)).toEqual([3_200, 8_800, 0]);
    expect(sections.map(({ score }) => score)).toEqual(
      sections.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    expect(sectionsOf([hit('rare', [0, 2_000, 4_000, 6_000])], weights, 9_000)).toHaveLength(3);
    expect(sectionsOf([hit('rare', [], 1)], weights, 9_000)).toEqual([]);
  });
});

describe('a search', () => {
  test('has defaults for all but the words', () => {
    expect(SEARCH_ARGUMENTS.parse({ q: 'Two words' })).toEqual({
      ok: true,
      value: { terms: ['two', 'words'], limit: 10, includeRelations: false },
    });
  });

  test.for<[unknown, string]>([
    [7, 'arguments'],
    [{}, 'q'],
    [{ q: 7 }, 'q'],
    [{ q: '' }, 'q'],
    [{ q: '...' }, 'q'],
    [{ q: 'x'.repeat(1_001) }, 'q'],
    [{ q: 'x', limit: 0 }, 'limit'],
    [{ q: 'x', limit: 101 }, 'limit'],
    [{ q: 'x', include_relations: 'yes' }, 'include_relations'],
    [{ q: 'x', namespace: 'other' }, 'namespace'],
  ])('is refused: %j', ([input, field]) => {
    expect(SEARCH_ARGUMENTS.parse(input)).toMatchObject({ ok: false, error: { field } });
  });
});
