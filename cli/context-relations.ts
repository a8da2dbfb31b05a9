import { err, ok } from '../functions/core/result.ts';
import { type ContextAction, toDocument } from './context-actions.ts';
import { describeAll, describeRelation } from './context-words.ts';
import { misused } from './outcome.ts';

/** What is done with the relations of documents. */
export const RELATION_ACTIONS: Readonly<Record<string, ContextAction>> = {
  link: {
    usage: "FROM-ID TO-ID --type TYPE [--note 'TEXT']",
    positionals: { min: 2, max: 2 },
    options: ['type', 'note'],
    async run(door, [from, to], input) {
      const definition = input.text('type');
      if (definition === undefined) {
        return err(misused('`--type` is missing: parent-child, related or predecessor-successor'));
      }
      const relation = {
        definition,
        from_document_id: from,
        to_document_id: to,
        from_to_note: input.text('note'),
      };
      const made = await door.askJson({
        method: 'POST',
        path: '/relations',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(relation),
      });
      return made.ok ? ok({ text: describeRelation(made.value), json: made.value }) : made;
    },
  },
  links: {
    usage: 'ID',
    positionals: { min: 1, max: 1 },
    options: [],
    async run(door, [id]) {
      const found = await door.askJson({ path: `${toDocument(id)}/relations` });
      if (!found.ok) return found;
      const text = describeAll(found.value['relations'], describeRelation, 'no relations for this token');
      return ok({ text, json: found.value });
    },
  },
  unlink: {
    usage: 'RELATION-ID',
    positionals: { min: 1, max: 1 },
    options: [],
    async run(door, [id = '']) {
      const path = `/relations/${encodeURIComponent(id)}`;
      const gone = await door.askJson({ method: 'DELETE', path });
      return gone.ok ? ok({ text: String(gone.value['message']), json: gone.value }) : gone;
    },
  },
};
