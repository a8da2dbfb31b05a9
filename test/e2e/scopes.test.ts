import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { connectLegacy, connectModern } from '../support/clients.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import { startToolServers, type ToolServers } from '../support/tool-server.ts';

type Rule = {
  readonly server: string;
  readonly methods: readonly string[];
  readonly tools: readonly string[];
};
type ScopesFile = {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly scopes: ReadonlyMap<string, readonly Rule[]>;
};

const SOURCES = [
  { label: 'our own file', path: join(import.meta.dirname, '..', 'vectors', 'groups', 'scopes.yml') },
  {
    label: 'the file of the source system',
    path: join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures', 'scopes.yml'),
  },
].filter(({ path }) => existsSync(path));

/** What the file says in its own words, read without any code of ours: the rules of one group on one server. */
function rulesOf(file: ScopesFile, group: string, server: string): readonly Rule[] {
  const scopes = file.groups[group] ?? [];
  return scopes.flatMap((scope) => file.scopes.get(scope) ?? []).filter((rule) => rule.server === server);
}

function readScopesFile(text: string): ScopesFile {
  const { 'UI-Scopes': _ui, group_mappings: groups, ...scopes } = parse(text);
  return { groups, scopes: new Map(Object.entries(scopes)) };
}

function toolsOf(file: ScopesFile, group: string, server: string): readonly string[] {
  const calling = rulesOf(file, group, server).filter((rule) => rule.methods.includes('tools/call'));
  return [...new Set(calling.flatMap((rule) => rule.tools))].sort();
}

describe.each(SOURCES)('every group gets exactly what $label grants', ({ path }) => {
  const text = readFileSync(path, 'utf8');
  const file = readScopesFile(text);
  const groups = Object.keys(file.groups);
  const rules = [...file.scopes.values()].flat();
  const servers = [...new Set(rules.map((rule) => rule.server))].sort();
  let cloud: Sallyport;
  let upstream: ToolServers;

  beforeAll(async () => {
    const offered = servers.map((server) => {
      const named = rules.filter((rule) => rule.server === server).flatMap((rule) => rule.tools);
      return [server, [...new Set([...named, 'ungranted_tool'])]] as const;
    });
    upstream = await startToolServers(Object.fromEntries(offered));
    cloud = await startSallyport({
      clients: groups,
      config: {
        'scopes.yml': text,
        'servers.yml': JSON.stringify({
          servers: Object.fromEntries(
            servers.map((name) => [name, { url: upstream.urlOf(name), private: true }]),
          ),
        }),
        'clients.yml': JSON.stringify({
          clients: Object.fromEntries(
            groups.map((group) => [
              group,
              {
                org: 'acme',
                secret: { ref: `sallyport/{stage}/clients/${group}` },
                grants: ['client_credentials'],
                groups: [group],
                audience: 'gateway',
              },
            ]),
          ),
        }),
      },
    });
  });
  afterAll(async () => {
    await cloud?.close();
    await upstream?.close();
  });

  test.for(groups)('%s lists what it may call, and may call what it lists', async (group) => {
    const headers = { authorization: `Bearer ${await cloud.token(group)}` };
    for (const server of servers) {
      const url = `${cloud.origin}/${server}/mcp`;
      const granted = toolsOf(file, group, server);
      if (rulesOf(file, group, server).length === 0) {
        await expect(connectLegacy(url, headers)).rejects.toThrow();
        continue;
      }
      for (const connect of [connectModern, connectLegacy]) {
        const client = await connect(url, headers);
        expect(await client.listTools()).toEqual(granted);
        const [first = ''] = granted;
        expect(await client.callTool(first)).toEqual({ text: `${server}/${first}`, isError: false });
        const hidden = await client.callTool('ungranted_tool');
        const absent = await client.callTool('absent_tool');
        expect(hidden.isError).toBe(true);
        expect(withoutRequestId(hidden.text)).toBe(withoutRequestId(absent.text));
        await client.close();
      }
    }
  });

  test('no tool that the file does not grant ever reached a server', () => {
    expect(upstream.seen.length).toBeGreaterThan(0);
    expect(upstream.seen.filter(({ body }) => body.includes('ungranted_tool'))).toEqual([]);
  });
});

function withoutRequestId(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '');
}
