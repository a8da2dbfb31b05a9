import { SEARCH_ARGUMENTS } from '../core/documents/search.ts';
import { searchAnswer } from './document-found.ts';
import { defineTool, failed, structured, type Tool } from './document-tool.ts';

/** The tool that finds documents by their words. */
export const SEARCH_TOOL: Tool = defineTool({
  name: 'doc_search',
  title: 'Search documents',
  description:
    'Finds documents by the words in them (full text, not meaning), best first. Each comes with `sections` that match: read one with ' +
    'doc_read and its `offset` and `limit`.',
  access: 'read',
  arguments: SEARCH_ARGUMENTS,
  run: async (session, request) => {
    const found = await searchAnswer(session.documents, session.caller, request, session.contextUrl);
    return found.ok ? structured(found.value) : failed(session, found.error);
  },
});
