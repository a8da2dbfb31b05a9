import type { CallToolResult, McpServer, StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import type { ToolArguments } from '../core/documents/arguments.ts';
import type { ContextCaller, DocumentStore } from '../core/documents/ports.ts';
import type { Clock } from '../core/ports.ts';
import { type DocumentFailure, toFailureText } from './document-problem.ts';

/** What the tools of one request act on. The caller is verified and admitted before it gets here. */
export type DocumentToolSession = {
  readonly documents: DocumentStore;
  readonly caller: ContextCaller;
  /** Where the caller reaches its namespace over REST, for the documents' URLs. */
  readonly contextUrl: string;
  readonly requestId: string;
  /** Our own version, as `serverInfo` states it. */
  readonly version: string;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** Registers one tool with a server, for the session, where the caller may have it. */
export type Tool = (server: McpServer, session: DocumentToolSession) => void;

/** One tool. `overwrite` changes what is there; `delete` is a write that takes something away, and taking it twice takes no more. */
export type ToolDefinition<T> = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly access: 'read' | 'write' | 'overwrite' | 'delete';
  readonly arguments: ToolArguments<T>;
  readonly run: (session: DocumentToolSession, input: T) => Promise<CallToolResult>;
};

/** A tool that answers a bug with a request id and nothing of the bug. */
export function defineTool<T>(definition: ToolDefinition<T>): Tool {
  const { name, title, description, access } = definition;
  const inputSchema = toStandardSchema(definition.arguments);
  const annotations = {
    readOnlyHint: access === 'read',
    destructiveHint: access === 'delete' || access === 'overwrite',
    idempotentHint: access === 'read' || access === 'delete',
    openWorldHint: false,
  };
  return (server, session) => {
    if (access !== 'read' && session.caller.permissions !== 'write') return;
    server.registerTool(name, { title, description, inputSchema, annotations }, async (input) => {
      try {
        return await definition.run(session, input);
      } catch (error) {
        // The SDK would hand the message of what is thrown to the model.
        const detail = error instanceof Error ? String(error.stack) : String(error);
        session.log({ level: 'error', event: 'bug', request_id: session.requestId, detail });
        return refused(`something went wrong on our side (request ${session.requestId})`);
      }
    });
  };
}

/** Arguments in the form that the SDK lists and validates by (Standard Schema with JSON Schema). */
function toStandardSchema<T>({ schema, parse }: ToolArguments<T>): StandardSchemaWithJSON<unknown, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'sallyport',
      validate: (input) => {
        const parsed = parse(input);
        return parsed.ok ? { value: parsed.value } : { issues: [{ message: parsed.error.message }] };
      },
      jsonSchema: { input: () => ({ ...schema }), output: () => ({ ...schema }) },
    },
  };
}

/** An answer that is one JSON object, for programs and as text. */
export function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** The answer to a failure; what the operator needs to know goes to the log. */
export function failed(session: DocumentToolSession, failure: DocumentFailure): CallToolResult {
  if (failure.reason === 'unavailable') {
    const { requestId } = session;
    session.log({
      level: 'error',
      event: 'context_unavailable',
      request_id: requestId,
      detail: failure.detail,
    });
  }
  return refused(toFailureText(failure));
}

/** An answer that tells the model what is wrong. */
export function refused(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}
