import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

type Headers = Readonly<Record<string, string>>;
type Result = Promise<Readonly<Record<string, unknown>>>;

/** What every official client can do, under the names that both major versions have. */
export type SdkClient = {
  listTools(params?: { cursor?: string }): Result;
  listPrompts(params?: { cursor?: string }): Result;
  listResources(params?: { cursor?: string }): Result;
  listResourceTemplates(params?: { cursor?: string }): Result;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Result;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Result;
  readResource(params: { uri: string }): Result;
  complete(params: Completion): Result;
  /** Of the `initialize` era alone. */
  subscribeResource(params: { uri: string }): Result;
  close(): Promise<void>;
};

/** What is completed: an argument of a prompt, or of a resource template. */
export type Completion = {
  ref: { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };
  argument: { name: string; value: string };
};

/** An official client that is connected, and what differs between them. */
export type Connected = {
  readonly client: SdkClient;
  readonly version: string | undefined;
  readonly serverName: string | undefined;
  /** Notifications of the server, in their order: `method` and `params`. */
  readonly notifications: (readonly [method: string, params: unknown])[];
  callWithProgress(name: string): Promise<readonly unknown[]>;
  /** Calls a tool and gives up on it when `signal` says so. */
  callUntil(name: string, signal: AbortSignal): Result;
};

/** SDK 2.x, which can listen in the stateless era. */
export type ConnectedV2 = Connected & {
  listen(filter: { toolsListChanged?: boolean; resourceSubscriptions?: string[] }): Promise<Subscription>;
};

/** What the server agreed to tell. */
export type Subscription = { readonly honoredFilter: object; close(): Promise<void> };

/** Connects a client, unmodified. It samples `Paris`, and consents to whatever it is asked. */
export type Open = (url: string, headers: Headers) => Promise<Connected>;

const INFO = { name: 'test', version: '1.0.0' };
const CAPABILITIES = { capabilities: { sampling: {}, elicitation: { form: {} } } };
const SAMPLED = {
  role: 'assistant' as const,
  model: 'm',
  content: { type: 'text' as const, text: 'Paris' },
};
const CONSENT = {
  action: 'accept' as const,
  content: { ok: true, name: 'Ann', color: 'red', context: 'here', username: 'ann' },
};

/** SDK 1.x. */
export const openV1: Open = async (url, headers) => {
  const client = new ClientV1(INFO, CAPABILITIES);
  const notifications: Connected['notifications'] = [];
  for (const schema of [
    LoggingMessageNotificationSchema,
    ToolListChangedNotificationSchema,
    PromptListChangedNotificationSchema,
    ResourceListChangedNotificationSchema,
    ResourceUpdatedNotificationSchema,
  ]) {
    client.setNotificationHandler(schema, ({ method, params }) => void notifications.push([method, params]));
  }
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ElicitRequestSchema, () => CONSENT);
  const transport = new TransportV1(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return {
    client,
    version: transport.protocolVersion,
    serverName: client.getServerVersion()?.name,
    notifications,
    async callWithProgress(name) {
      const progress: unknown[] = [];
      await client.callTool({ name }, undefined, { onprogress: (one) => void progress.push(one) });
      return progress;
    },
    callUntil: (name, signal) => client.callTool({ name }, undefined, { signal }),
  };
};

function openV2(
  mode: 'legacy' | 'auto' | { pin: string },
): (url: string, headers: Headers) => Promise<ConnectedV2> {
  return async (url, headers) => {
    const client = new Client(INFO, { ...CAPABILITIES, versionNegotiation: { mode } });
    const notifications: Connected['notifications'] = [];
    for (const method of [
      'notifications/message',
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/resources/updated',
    ] as const) {
      client.setNotificationHandler(method, ({ params }) => void notifications.push([method, params]));
    }
    client.setRequestHandler('sampling/createMessage', () => SAMPLED);
    client.setRequestHandler('elicitation/create', () => CONSENT);
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    return {
      client,
      version: client.getNegotiatedProtocolVersion(),
      serverName: client.getServerVersion()?.name,
      notifications,
      async callWithProgress(name) {
        const progress: unknown[] = [];
        await client.callTool({ name }, { onprogress: (one) => void progress.push(one) });
        return progress;
      },
      callUntil: (name, signal) => client.callTool({ name }, { signal }),
      listen: (filter) => client.listen(filter),
    };
  };
}

/** SDK 2.x, in the `initialize` era as it is by default. */
export const openV2Legacy = openV2('legacy');
/** SDK 2.x, that looks which era the server is of. */
export const openV2Auto = openV2('auto');
/** SDK 2.x, in the stateless era alone. */
export const openV2Modern = openV2({ pin: '2026-07-28' });

/** Every official client, by a name for test titles. */
export const SDK_CLIENTS = [
  { label: 'SDK 1.x', open: openV1 },
  { label: 'SDK 2.x, initialize era', open: openV2Legacy },
  { label: 'SDK 2.x, either era', open: openV2Auto },
  { label: 'SDK 2.x, 2026-07-28', open: openV2Modern },
] as const;
