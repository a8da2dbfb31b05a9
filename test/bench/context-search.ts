import type { ContextCaller } from '../../functions/core/documents/ports.ts';
import { queryTerms } from '../../functions/core/documents/terms.ts';
import { contextCaller } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { create, openStore, printGrowth, SIZES } from './context-figures.ts';

/** Words that an eighth of the documents have. */
const COMMON = ['plan', 'report', 'draft', 'final', 'review', 'number', 'chapter', 'summary'];

/** Searches for ten among more and more documents, without filters or in the sets of filters of the runs of a team. */
export async function measureSearches(): Promise<void> {
  await measureSets(1, [
    ['a word of one document', (size) => `unique${size - 5}`],
    ['a word of an eighth', () => 'report'],
    ['a word of all', () => 'text'],
    ['two words of an eighth each', () => 'report draft'],
  ]);
  await measureSets(50, [
    ['a word of an eighth, of 50 sets', () => 'report'],
    ['a word of all, of 50 sets', () => 'text'],
  ]);
}

async function measureSets(
  sets: number,
  searches: readonly (readonly [string, (size: number) => string])[],
): Promise<void> {
  const table = new MemoryContextTable();
  const namespace = `searches-${sets}`;
  const { store, caller } = openStore(table, table.client(), namespace);
  const owner = (number: number) =>
    sets === 1
      ? caller
      : contextCaller({ namespace, scopeFilters: { team: 'a', run: `r-${Math.floor(number / 8) % sets}` } });
  const team = contextCaller({ namespace, scopeFilters: { team: 'a' } });
  console.log('\none search for 10                    documents   read units   CPU ms   p50 ms');
  let documents = 0;
  for (const size of SIZES) {
    for (; documents < size; documents += 1) {
      const content = Buffer.from(`${COMMON[documents % COMMON.length]} unique${documents} text`);
      await create(store, owner(documents), content, [], documents);
    }
    const search = (words: string, by: ContextCaller) => async () => {
      const found = await store.search(by, { terms: queryTerms(words), limit: 10, includeRelations: false });
      if (!found.ok || found.value.hits.length === 0) throw new Error(`${words} was not found`);
    };
    for (const [name, words] of searches) {
      await printGrowth(table, name, size, search(words(size), caller));
      if (sets > 1) await printGrowth(table, `${name}, as a team`, size, search(words(size), team));
    }
  }
}
