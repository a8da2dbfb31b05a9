import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** What the tests ask of any client. */
export type TestClient = {
  readonly label: string;
  listTools(): Promise<readonly string[]>;
  callTool(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
};

/** A tool's answer: its text, and whether it is an error that a model reads. */
export type ToolAnswer = { readonly text: string; readonly isError: boolean };

/** Connects one of the official clients, unmodified. */
export type Connect = (url: string, headers: Readonly<Record<string, string>>) => Promise<TestClient>;

/** SDK 2.x in the stateless era. */
export const connectModern: Connect = (url, headers) => connectV2(url, headers, 'modern');

/** SDK 2.x in the `initialize` era. */
export const connectLegacy: Connect = (url, headers) => connectV2(url, headers, 'legacy');

/** SDK 1.x. */
export const connectV1: Connect = async (url, headers) => {
  const client = new ClientV1({ name: 'test', version: '1.0.0' });
  await client.connect(new TransportV1(new URL(url), { requestInit: { headers } }));
  return wrap('SDK 1.x', client);
};

/** Every official client, by a name for test titles. */
export const EVERY_CLIENT = [
  { label: 'SDK 2.x, 2026-07-28', connect: connectModern },
  { label: 'SDK 2.x, initialize era', connect: connectLegacy },
  { label: 'SDK 1.x', connect: connectV1 },
] as const;

async function connectV2(
  url: string,
  headers: Readonly<Record<string, string>>,
  era: 'modern' | 'legacy',
): Promise<TestClient> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: era === 'modern' ? { mode: { pin: '2026-07-28' } } : { mode: 'legacy' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return wrap(era === 'modern' ? 'SDK 2.x modern' : 'SDK 2.x legacy', client);
}

type AnyClient = {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

function wrap(label: string, client: AnyClient): TestClient {
  return {
    label,
    async listTools() {
      const { tools } = await client.listTools();
      return tools.map(({ name }) => name).sort();
    },
    async callTool(name, args = {}) {
      const { content, isError } = await client.callTool({ name, arguments: args });
      const texts = Array.isArray(content) ? content.map((item) => String(item.text)) : [];
      return { text: texts.join('\n'), isError: isError === true };
    },
    close: () => client.close(),
  };
}
