import type { CallToolResult, Client } from '@modelcontextprotocol/client';
import { ok, type Result } from '../functions/core/result.ts';
import { attempt } from './mcp-client.ts';
import type { Failure, Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';

/** How a connection is opened, and to where; each action opens one and closes it. */
export type Connect = { readonly url: string; readonly open: () => Promise<Result<Client, Failure>> };

type Outcome = Promise<Result<Output, Failure>>;

const CALL_TIMEOUT_MS = 300_000;

/** Asks the server whether it is there: `ping`, or `server/discover` in the era that has no ping. */
export function ping(connect: Connect): Outcome {
  return withClient(connect, async (client) => {
    const started = performance.now();
    await greet(client);
    const milliseconds = Math.round(performance.now() - started);
    const server = describe(client);
    return {
      text: `${server.name} ${server.version} answers (${server.protocol}, ${milliseconds} ms)`,
      json: server,
    };
  });
}

/** The tools that the caller may use. */
export function list(connect: Connect): Outcome {
  return withClient(connect, async (client) => {
    const { tools } = await client.listTools();
    const width = Math.max(0, ...tools.map(({ name }) => name.length));
    const lines = tools.map(({ name, description }) =>
      `${name.padEnd(width)}  ${description ?? ''}`.trimEnd(),
    );
    return { text: lines.length === 0 ? 'no tools for this token' : lines.join('\n'), json: { tools } };
  });
}

/** Connects, greets, and counts what the server has for the caller. */
export function basic(connect: Connect): Outcome {
  return withClient(connect, async (client) => {
    await greet(client);
    const server = describe(client);
    const capabilities = client.getServerCapabilities() ?? {};
    const counts = {
      tools: capabilities.tools === undefined ? 0 : (await client.listTools()).tools.length,
      prompts: capabilities.prompts === undefined ? 0 : (await client.listPrompts()).prompts.length,
      resources: capabilities.resources === undefined ? 0 : (await client.listResources()).resources.length,
    };
    const { tools, prompts, resources } = counts;
    const text = `${server.name} ${server.version} (${server.protocol}): ${tools} tools, ${prompts} prompts, ${resources} resources`;
    return { text, json: { ...server, ...counts } };
  });
}

/** Calls a tool. Progress goes to standard error as it arrives; an error of the tool is printed and exits with 1. */
export function call(
  connect: Connect,
  name: string,
  toolArguments: Record<string, unknown>,
  terminal: Terminal,
): Outcome {
  return withClient(connect, async (client) => {
    const result = await client.callTool(
      { name, arguments: toolArguments },
      {
        timeout: CALL_TIMEOUT_MS,
        resetTimeoutOnProgress: true,
        onprogress: ({ progress, total, message }) =>
          terminal.note(`${progress}${total === undefined ? '' : `/${total}`} ${message ?? ''}`.trimEnd()),
      },
    );
    const text = result.content.map(toText).join('\n');
    return { text, json: result, ...(result.isError === true ? { exit: 1 } : {}) };
  });
}

async function withClient(connect: Connect, action: (client: Client) => Promise<Output>): Outcome {
  const connected = await connect.open();
  if (!connected.ok) return connected;
  const client = connected.value;
  try {
    const result = await attempt(connect.url, () => action(client));
    return result.ok ? ok(result.value) : result;
  } finally {
    await client.close();
  }
}

async function greet(client: Client): Promise<void> {
  if (client.getProtocolEra() === 'modern') await client.discover();
  else await client.ping();
}

function describe(client: Client) {
  const { name = 'server', version = '' } = client.getServerVersion() ?? {};
  return { name, version, protocol: client.getNegotiatedProtocolVersion() ?? 'unknown' };
}

function toText(part: CallToolResult['content'][number]): string {
  if (part.type === 'text') return part.text;
  if (part.type === 'resource_link') return `[resource ${part.uri}]`;
  return part.type === 'resource' ? `[resource ${part.resource.uri}]` : `[${part.type} ${part.mimeType}]`;
}
