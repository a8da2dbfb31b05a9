import { type CallToolResult, createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import {
  CREATE_ARGUMENTS,
  PUSH_ARGUMENTS,
  QUERY_ARGUMENTS,
  REFERENCE_ARGUMENTS,
} from '../core/documents/arguments.ts';
import {
  DOCUMENT_ID_RANDOM_BYTES,
  type Document,
  toDocumentId,
  toWireDeletion,
  toWireDocument,
} from '../core/documents/document.ts';
import type { NewDocument } from '../core/documents/ports.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { CONTENT_TOOLS } from './document-content-tools.ts';
import { LINK_TOOL } from './document-link-tool.ts';
import { listPage } from './document-page.ts';
import { SEARCH_TOOL } from './document-search-tool.ts';
import { type DocumentToolSession, defineTool, failed, structured, type Tool } from './document-tool.ts';

const INSTRUCTIONS =
  'Documents shared between the agents of one project or run. Which documents there are for you is decided outside: ' +
  'no argument widens it.';

/**
 * The MCP server of the context store for one request, in both eras and without sessions; a caller who may only read has only the
 * reading tools. Does NOT authenticate, decide, or look at `Host` and `Origin`.
 */
export function createDocumentTools(session: DocumentToolSession): {
  fetch(request: Request): Promise<Response>;
} {
  const handler = createMcpHandler(() => createServer(session), {
    legacy: 'stateless',
    maxRequestBodySize: MAX_BODY_BYTES,
    // The tools never change under a caller, and an idle stream would be paid for by the minute.
    maxSubscriptions: 0,
    // The name alone: the message of a rejected request may quote the request.
    onerror: ({ name }) => {
      session.log({ level: 'warn', event: 'mcp_error', request_id: session.requestId, detail: name });
    },
  });
  return { fetch: (request) => handler.fetch(request) };
}

const DOCUMENT_TOOLS: readonly Tool[] = [
  defineTool({
    name: 'doc_create',
    title: 'Create an empty document',
    description:
      'Creates a document without content, as a place for content to come. Answers with the document.',
    access: 'write',
    arguments: CREATE_ARGUMENTS,
    run: (session, description) => createDocument(session, { description, content: null }),
  }),
  defineTool({
    name: 'doc_push',
    title: 'Store a document',
    description: 'Stores content as a new document of at most 4 MiB. Answers with the document.',
    access: 'write',
    arguments: PUSH_ARGUMENTS,
    run: (session, pushed) => createDocument(session, pushed),
  }),
  defineTool({
    name: 'doc_query',
    title: 'List documents',
    description:
      'Lists documents, oldest first, by part of the filename and by tags. Where `next_cursor` is not null there is more: ' +
      'repeat the call with it as `cursor`.',
    access: 'read',
    arguments: QUERY_ARGUMENTS,
    run: async (session, query) => {
      const page = await listPage(session.documents, session.caller, query, session.contextUrl);
      return page.ok ? structured(page.value) : failed(session, page.error);
    },
  }),
  defineTool({
    name: 'doc_info',
    title: 'Describe a document',
    description: 'Answers with the description of a document, without its content.',
    access: 'read',
    arguments: REFERENCE_ARGUMENTS,
    run: async (session, id) => {
      const document = await session.documents.info(session.caller, id);
      return document.ok ? described(session, document.value) : failed(session, document.error);
    },
  }),
  defineTool({
    name: 'doc_delete',
    title: 'Delete a document',
    description:
      'Deletes a document for good, and with it its children. Answers with the ids of what was deleted.',
    access: 'delete',
    arguments: REFERENCE_ARGUMENTS,
    run: async (session, id) => {
      const deleted = await session.documents.delete(session.caller, id, '*');
      return deleted.ok ? structured(toWireDeletion(deleted.value)) : failed(session, deleted.error);
    },
  }),
];

/** Every tool, in the order in which they are listed. */
const TOOLS: readonly Tool[] = [...DOCUMENT_TOOLS, ...CONTENT_TOOLS, SEARCH_TOOL, LINK_TOOL];

function createServer(session: DocumentToolSession): McpServer {
  const server = new McpServer(
    { name: 'context-store', title: 'Context store', version: session.version },
    { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
  );
  for (const tool of TOOLS) tool(server, session);
  return server;
}

async function createDocument(
  session: DocumentToolSession,
  input: Pick<NewDocument, 'description' | 'content'>,
): Promise<CallToolResult> {
  const nowSeconds = session.clock();
  const id = toDocumentId(nowSeconds, session.randomBytes(DOCUMENT_ID_RANDOM_BYTES));
  const document = { ...input, id, nowSeconds, idempotencyKey: undefined };
  const created = await session.documents.create(session.caller, document);
  return created.ok ? described(session, created.value) : failed(session, created.error);
}

function described(session: DocumentToolSession, document: Document): CallToolResult {
  return structured(toWireDocument(document, session.contextUrl));
}
