/** Who calls in the rotation load: agents that issue and use tokens, and one who may rotate. */
export const AGENTS = ['agent-1', 'agent-2', 'agent-3', 'agent-4'] as const;
export const KEEPER = 'keeper';

/** The configuration: one server that is told who calls by an identity token, the context store, and whoever may rotate. */
export function configurationOf(upstreamOrigin: string): Readonly<Record<string, string>> {
  const client = (id: string, scopes: readonly string[]) => ({
    org: 'acme',
    secret: { ref: `sallyport/{stage}/clients/${id}` },
    grants: ['client_credentials'],
    scopes,
    audience: 'gateway',
    namespace: 'ns',
    run_namespaces: ['ns'],
  });
  const clients = AGENTS.map((id) => [id, client(id, ['tools', 'documents', 'runs/issue'])]);
  return {
    'scopes.yml': JSON.stringify({
      'UI-Scopes': { keeper: { manage_secrets: ['all'] } },
      group_mappings: {},
      tools: [{ server: 'signed', methods: ['tools/call'], tools: ['read'] }],
      documents: [{ server: 'context-store', methods: ['tools/call'], tools: ['doc_query'] }],
    }),
    'servers.yml': JSON.stringify({
      servers: { signed: { url: `${upstreamOrigin}/mcp`, private: true, egress: { mode: 'identity' } } },
    }),
    'clients.yml': JSON.stringify({
      clients: Object.fromEntries([...clients, [KEEPER, client(KEEPER, ['keeper'])]]),
    }),
  };
}
