import { ok, type Result } from '../result.ts';
import { type ToolArguments, toSchema } from './arguments.ts';
import type { Document } from './document.ts';
import { type InvalidArgument, isIntegerIn, parseFields, refuse } from './input.ts';
import type { Section } from './ranking.ts';
import { queryTerms } from './terms.ts';

/** What to look for. */
export type SearchRequest = {
  /** At least one. */
  readonly terms: readonly string[];
  readonly limit: number;
  readonly includeRelations: boolean;
};

/** A document that matches, and where. */
export type SearchHit = {
  readonly document: Document;
  readonly score: number;
  readonly sections: readonly Section[];
};

/**
 * What was found, best first; for one word those with most of it, and of equals the lower id. Not `isComplete` where there may be more: where one of
 * several words is in more documents than one search looks at, where more of what the index names is not there (any more) than it goes past, where
 * a word is in more sets of filters than who sees all of them asks, or where a document was changed again and again meanwhile.
 */
export type SearchAnswer = { readonly hits: readonly SearchHit[]; readonly isComplete: boolean };

const BOUNDS = { queryLength: 1_000, limit: 100, defaultLimit: 10 } as const;

/** Arguments of `doc_search`. */
export const SEARCH_ARGUMENTS: ToolArguments<SearchRequest> = {
  schema: toSchema(
    {
      q: {
        type: 'string',
        minLength: 1,
        maxLength: BOUNDS.queryLength,
        description: 'Words to look for. Documents with more of them, and more often, come first.',
      },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: BOUNDS.limit,
        description: `Most documents to find, ${BOUNDS.defaultLimit} by default.`,
      },
      include_relations: {
        type: 'boolean',
        description:
          'Give each document its relations. It has more where `relations_complete` is false: see doc_link, `list_of`.',
      },
    },
    ['q'],
  ),
  parse: parseSearch,
};

function parseSearch(input: unknown): Result<SearchRequest, InvalidArgument> {
  const fields = parseFields(input, ['q', 'limit', 'include_relations']);
  if (!fields.ok) return fields;
  const { q, limit = BOUNDS.defaultLimit, include_relations: includeRelations = false } = fields.value;
  if (typeof q !== 'string' || q.length > BOUNDS.queryLength) {
    return refuse('q', `must be text of 1 to ${BOUNDS.queryLength} characters`);
  }
  const terms = queryTerms(q);
  if (terms.length === 0) return refuse('q', 'must have a word in it');
  if (!isIntegerIn(limit, 1, BOUNDS.limit)) {
    return refuse('limit', `must be a whole number from 1 to ${BOUNDS.limit}`);
  }
  if (typeof includeRelations !== 'boolean') return refuse('include_relations', 'must be true or false');
  return ok({ terms, limit, includeRelations });
}
