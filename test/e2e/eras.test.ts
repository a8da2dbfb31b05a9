import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createSessions } from '../conformance/fixture/sessions.ts';
import { startFixtureServer } from '../conformance/fixture-server.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import {
  type Connected,
  type Open,
  openV1,
  openV2Legacy,
  openV2Modern,
  SDK_CLIENTS,
} from '../support/sdk-clients.ts';
import { startSessionServer, startToolServers, type ToolServers } from '../support/tool-server.ts';
import { listenWeb, type WebListener } from '../support/web-listener.ts';

let both: WebListener;
let changing: WebListener;
let modern: WebListener;
let sessions: Awaited<ReturnType<typeof startSessionServer>>;
let stateless: ToolServers;
let cloud: Sallyport;
let bearer: { authorization: string };
let direct: Readonly<Record<string, string>>;

beforeAll(async () => {
  both = await startFixtureServer();
  changing = await startChangingServer();
  const newest = createMcpHandler(() => new McpServer({ name: 'modern', version: '1.0.0' }), {
    legacy: 'reject',
  });
  modern = await listenWeb((request) => newest.fetch(request));
  sessions = await startSessionServer();
  stateless = await startToolServers({ stateless: ['read'] });
  direct = {
    both: `http://127.0.0.1:${both.port}/mcp`,
    changing: `http://127.0.0.1:${changing.port}/mcp`,
    modern: `http://127.0.0.1:${modern.port}/mcp`,
    sessions: sessions.url,
    stateless: stateless.urlOf('stateless'),
  };
  const servers = Object.entries(direct).map(([name, url]) => [
    name,
    { url, private: true, get_stream: true },
  ]);
  const secret = { ref: 'sallyport/{stage}/clients/agent' };
  const agent = { grants: ['client_credentials'], scopes: ['everything'], audience: 'gateway', secret };
  cloud = await startSallyport({
    clients: ['agent'],
    config: {
      'scopes.yml': JSON.stringify({ everything: [{ server: '*', methods: ['all'], tools: ['all'] }] }),
      'servers.yml': JSON.stringify({ servers: Object.fromEntries(servers) }),
      'clients.yml': JSON.stringify({ clients: { agent } }),
    },
  });
  bearer = { authorization: `Bearer ${await cloud.token('agent')}` };
});
afterAll(async () => {
  await cloud?.close();
  for (const server of [both, changing, modern, sessions, stateless]) await server?.close();
});

/** A server of the `initialize` era whose one tool tells of changes on the session's own stream. */
function startChangingServer(): Promise<WebListener> {
  const serve = createSessions(() => {
    const listChanged = true;
    const server = new McpServer(
      { name: 'changing', version: '1.0.0' },
      {
        capabilities: {
          tools: { listChanged },
          prompts: { listChanged },
          resources: { listChanged, subscribe: true },
        },
      },
    );
    server.registerTool('touch', { description: 'changes', inputSchema: z.object({}) }, async () => {
      server.sendToolListChanged();
      server.sendPromptListChanged();
      server.sendResourceListChanged();
      await server.server.sendResourceUpdated({ uri: 'doc://readme' });
      return { content: [{ type: 'text', text: 'touched' }] };
    });
    server.server.setRequestHandler('resources/subscribe', () => ({}));
    return server;
  });
  return listenWeb(async (request) => {
    const text = request.method === 'POST' ? await request.clone().text() : 'null';
    return serve(request, JSON.parse(text));
  });
}

const through = (server: string) => `${cloud.origin}/${server}/mcp`;

/** What became of connecting: who answered and in which revision, or the error that the user's code gets. */
async function negotiate(open: Open, url: string, headers: Record<string, string>): Promise<unknown> {
  try {
    const { client, version, serverName } = await open(url, headers);
    await client.close();
    return { version, serverName };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.constructor.name, code: 'code' in error ? error.code : undefined };
  }
}

describe('a client and a server agree on a revision through Sallyport as they do without it', () => {
  const servers = ['both', 'stateless', 'sessions', 'modern'];
  test.for(SDK_CLIENTS.flatMap(({ label, open }) => servers.map((server) => ({ label, open, server }))))(
    '$label, a server that is $server',
    async ({ open, server }) => {
      const alone = await negotiate(open, direct[server] ?? '', {});
      expect(await negotiate(open, through(server), bearer)).toEqual(alone);
      const isOfOneEra =
        (open === openV2Modern && server === 'sessions') || (server === 'modern' && isLegacy(open));
      expect(alone).toMatchObject(
        isOfOneEra ? { error: expect.any(String) } : { version: expect.any(String) },
      );
    },
  );
});

describe('what a client does is answered through Sallyport as it is without it', () => {
  test.for(SDK_CLIENTS)('$label: tools, prompts, resources, completions', async ({ open }) => {
    const [alone, behind] = await sideBySide(open, async ({ client, callWithProgress }) => ({
      tools: await client.listTools(),
      called: await client.callTool({ name: 'test_simple_text' }),
      failed: await client.callTool({ name: 'test_error_handling' }),
      progress: await callWithProgress('test_tool_with_progress'),
      prompts: await client.listPrompts(),
      prompt: await client.getPrompt({
        name: 'test_prompt_with_arguments',
        arguments: { arg1: 'a', arg2: 'b' },
      }),
      completed: await client.complete({
        ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
        argument: { name: 'arg1', value: 'par' },
      }),
      resources: await client.listResources(),
      templates: await client.listResourceTemplates(),
      text: await client.readResource({ uri: 'test://static-text' }),
      bytes: await client.readResource({ uri: 'test://static-binary' }),
      templated: await client.readResource({ uri: 'test://template/7/data' }),
      absent: await client.readResource({ uri: 'test://absent' }).catch(codeOf),
      unknown: await client.callTool({ name: 'absent' }).catch(codeOf),
    }));
    expect(withoutCaching(behind)).toEqual(withoutCaching(alone));
    expect(behind).toMatchObject({
      called: { content: [{ type: 'text', text: expect.any(String) }] },
      failed: { isError: true },
      progress: [{ progress: 0 }, { progress: 50 }, { progress: 100 }],
      completed: { completion: { values: ['paris', 'park', 'party'] } },
      absent: expect.any(Number),
      unknown: expect.any(Number),
    });
    for (const list of [behind.tools, behind.prompts, behind.resources, behind.templates]) {
      expect(list).toMatchObject({ cacheScope: 'private' });
    }
  });

  test.for(SDK_CLIENTS.filter(({ open }) => isLegacy(open)))(
    '$label: what the server says and asks while it serves, and a stream that is taken up again',
    async ({ open }) => {
      const [alone, behind] = await sideBySide(open, async ({ client, notifications }) => ({
        logged: await client.callTool({ name: 'test_tool_with_logging' }),
        sampled: await client.callTool({ name: 'test_sampling', arguments: { prompt: 'the capital' } }),
        asked: await client.callTool({ name: 'test_elicitation', arguments: { message: 'your name' } }),
        resumed: await client.callTool({ name: 'test_reconnection' }),
        subscribed: await client.subscribeResource({ uri: 'test://watched-resource' }),
        notifications,
      }));
      expect(behind).toEqual(alone);
      expect(behind).toMatchObject({
        sampled: { content: [{ text: 'LLM response: Paris' }] },
        asked: { content: [{ text: expect.stringContaining('action=accept') }] },
        resumed: { content: [{ text: 'answered after the cut' }] },
        notifications: [
          ['notifications/message', { level: 'info' }],
          ['notifications/message', { level: 'info' }],
          ['notifications/message', { level: 'info' }],
        ],
      });
    },
  );

  test.for(SDK_CLIENTS.filter(({ open }) => isLegacy(open)))(
    '$label: changes of lists and resources on the stream of the session',
    async ({ open }) => {
      const changes = async (url: string, headers: Record<string, string>) => {
        const { client, notifications } = await open(url, headers);
        await client.subscribeResource({ uri: 'doc://readme' });
        // The stream of the session opens after the client has connected; what was said before that is lost.
        await expect
          .poll(async () => {
            await client.callTool({ name: 'touch' });
            return new Set(notifications.map(([method]) => method)).size;
          })
          .toBe(4);
        await client.close();
        return [...new Map(notifications)].sort();
      };
      expect(await changes(through('changing'), bearer)).toEqual(await changes(direct['changing'] ?? '', {}));
    },
  );

  test('SDK 2.x, 2026-07-28: results that ask first, over several rounds', async () => {
    const [alone, behind] = await sideBySide(openV2Modern, async ({ client }) => {
      const answers: unknown[] = [];
      for (const ending of ['elicitation', 'sampling', 'request_state', 'multi_round']) {
        const name = `test_input_required_result_${ending}`;
        answers.push((await client.callTool({ name }))['content']);
      }
      const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' });
      return { answers, prompt: prompt['messages'] };
    });
    expect(behind).toEqual(alone);
    expect(behind.answers).toEqual(
      ['Hello, Ann!', 'Paris', 'state-ok', 'Ann came to the end'].map((text) => [{ type: 'text', text }]),
    );
  });

  test('SDK 2.x, 2026-07-28: listens, and hears what it asked for and nothing else', async () => {
    const { client, listen, notifications } = await openV2Modern(through('both'), bearer);
    const subscription = await listen({
      toolsListChanged: true,
      resourceSubscriptions: ['test://watched-resource'],
    });
    expect(subscription.honoredFilter).toMatchObject({ toolsListChanged: true });
    await client.callTool({ name: 'test_trigger_prompt_change' });
    await client.callTool({ name: 'test_trigger_tool_change' });
    await expect
      .poll(() => notifications.map(([method]) => method))
      .toEqual(['notifications/tools/list_changed']);
    await subscription.close();
    await client.close();
  });
});

/** Does the same with a server that is called directly and through Sallyport. */
async function sideBySide<T>(
  open: Open,
  act: (connected: Connected) => Promise<T>,
): Promise<readonly [T, T]> {
  const once = async (url: string, headers: Record<string, string>) => {
    const connected = await open(url, headers);
    const result = await act(connected);
    await connected.client.close();
    return result;
  };
  return [await once(direct['both'] ?? '', {}), await once(through('both'), bearer)];
}

/** What may differ by design, and is looked at by itself. */
function withoutCaching(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member) => (key === 'cacheScope' ? undefined : member)));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}

function isLegacy(open: Open): boolean {
  return open === openV1 || open === openV2Legacy;
}
