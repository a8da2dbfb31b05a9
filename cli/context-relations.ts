import { err, ok } from '../functions/core/result.ts';
import { type ContextAction, queryOf, toDocument } from './context-actions.ts';
import { describeAll, describeMore, describeRelation } from './context-words.ts';
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
    usage: 'ID [--limit N] [--cursor=CURSOR]',
    positionals: { min: 1, max: 1 },
    options: ['limit', 'cursor'],
    async run(door, [id], input) {
      const page = await door.askJson({ path: `${toDocument(id)}/relations${queryOf(input, this.options)}` });
      if (!page.ok) return page;
      const { relations, next_cursor: next } = page.value;
      const text = describeAll(relations, describeRelation, 'no relations for this token');
      return ok({ text: `${text}${describeMore(next)}`, json: page.value });
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
