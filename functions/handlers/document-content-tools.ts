import { isUtf8 } from 'node:buffer';
import { REFERENCE_ARGUMENTS } from '../core/documents/arguments.ts';
import { EDIT_ARGUMENTS, READ_ARGUMENTS, WRITE_ARGUMENTS } from '../core/documents/content-arguments.ts';
import { toWireDocument } from '../core/documents/document.ts';
import { defineTool, failed, refused, structured, type Tool } from './document-tool.ts';

/** The tools that give or change content. */
export const CONTENT_TOOLS: readonly Tool[] = [
  defineTool({
    name: 'doc_write',
    title: 'Replace the content of a document',
    description: 'Replaces the whole content of a document. Answers with the document.',
    access: 'overwrite',
    arguments: WRITE_ARGUMENTS,
    run: async (session, { id, content, precondition }) => {
      const written = await session.documents.write(session.caller, id, content, precondition);
      if (!written.ok) return failed(session, written.error);
      return structured(toWireDocument(written.value, session.contextUrl));
    },
  }),
  defineTool({
    name: 'doc_edit',
    title: 'Edit a text document',
    description:
      'Replaces a part of a text document: either `old_string`, or the characters from `offset`. Answers with the document and ' +
      'with `replacements_made` or `edit_range`.',
    access: 'overwrite',
    arguments: EDIT_ARGUMENTS,
    run: async (session, { id, edit, precondition }) => {
      const edited = await session.documents.edit(session.caller, id, edit, precondition);
      if (!edited.ok) return failed(session, edited.error);
      const { document, outcome } = edited.value;
      return structured({ ...toWireDocument(document, session.contextUrl), ...outcome });
    },
  }),
  defineTool({
    name: 'doc_read',
    title: 'Read a text document',
    description:
      'Answers with the text of a document, or with a range of its characters, and nothing else. For other content use doc_pull.',
    access: 'read',
    arguments: READ_ARGUMENTS,
    run: async (session, { id, range }) => {
      if (range !== undefined) {
        const part = await session.documents.readRange(session.caller, id, range);
        return part.ok ? text(part.value.content) : failed(session, part.error);
      }
      const read = await session.documents.read(session.caller, id);
      if (!read.ok) return failed(session, read.error);
      if (!isUtf8(read.value.content)) return refused('this document is not text; use doc_pull');
      return text(read.value.content);
    },
  }),
  defineTool({
    name: 'doc_pull',
    title: 'Get a document with its content',
    description:
      'Answers with the description of a document and its content as a resource: text, or bytes in base64.',
    access: 'read',
    arguments: REFERENCE_ARGUMENTS,
    run: async (session, id) => {
      const read = await session.documents.read(session.caller, id);
      if (!read.ok) return failed(session, read.error);
      const { document, content } = read.value;
      const wire = toWireDocument(document, session.contextUrl);
      const bytes = Buffer.from(content);
      const body = isUtf8(content) ? { text: bytes.toString('utf8') } : { blob: bytes.toString('base64') };
      const resource = { uri: wire.url, mimeType: wire.content_type, ...body };
      return { content: [{ type: 'resource', resource }], structuredContent: wire };
    },
  }),
];

function text(content: Uint8Array) {
  return { content: [{ type: 'text' as const, text: Buffer.from(content).toString('utf8') }] };
}
