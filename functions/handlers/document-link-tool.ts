import { RELATION_DEFINITIONS, toWireRelation } from '../core/documents/relation.ts';
import { LINK_ARGUMENTS } from '../core/documents/relation-arguments.ts';
import { toWireRelationPage } from './document-page.ts';
import { defineTool, failed, structured, type Tool } from './document-tool.ts';

/** The tool for relations of documents. */
export const LINK_TOOL: Tool = defineTool({
  name: 'doc_link',
  title: 'Relate documents',
  description:
    'One of: `types` lists the types of relations; `list_of` the relations of a document; `create_from`, `create_to` and `relation_type` relate two documents; `update_id` with ' +
    'notes changes what a relation notes; `remove_id` removes a relation. Relations of documents come with doc_query too.',
  access: 'overwrite',
  arguments: LINK_ARGUMENTS,
  run: async (session, request) => {
    const { documents, caller } = session;
    switch (request.mode) {
      case 'types':
        return structured({ definitions: RELATION_DEFINITIONS });
      case 'list': {
        const page = await documents.relationPage(caller, request.documentId, request.query);
        return page.ok ? structured(toWireRelationPage(page.value)) : failed(session, page.error);
      }
      case 'create': {
        const made = await documents.relate(caller, request.relation);
        return made.ok ? structured(toWireRelation(made.value)) : failed(session, made.error);
      }
      case 'update': {
        const changed = await documents.annotate(caller, request.relationId, request.notes);
        return changed.ok ? structured(toWireRelation(changed.value)) : failed(session, changed.error);
      }
      case 'remove': {
        const gone = await documents.unrelate(caller, request.relationId);
        if (!gone.ok) return failed(session, gone.error);
        return structured({ success: true, message: 'deleted 1 relation' });
      }
    }
  },
});
