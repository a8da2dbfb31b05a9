import { KINDS } from './party.ts';

/** Who calls in the rotation load: agents that issue and use tokens, and one who may rotate. */
export const AGENTS = ['agent-1', 'agent-2', 'agent-3', 'agent-4'] as const;
export const KEEPER = 'keeper';

/** The configuration: one server that is told who calls by an identity token, where there is a party one for each kind of secret, the context store, and whoever may rotate. */
export function configurationOf(
  upstreamOrigin: string,
  partyOrigin?: string,
): Readonly<Record<string, string>> {
  const kinds = partyOrigin === undefined ? [] : KINDS;
  const servers = kinds.map((kind) => [
    kind,
    { url: `${partyOrigin}/${kind}`, private: true, egress: { mode: 'service_account', key: 'client' } },
  ]);
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
      tools: ['signed', ...kinds].map((server) => ({ server, methods: ['tools/call'], tools: ['read'] })),
      documents: [{ server: 'context-store', methods: ['tools/call'], tools: ['doc_query'] }],
    }),
    'servers.yml': JSON.stringify({
      servers: {
        ...Object.fromEntries(servers),
        signed: { url: `${upstreamOrigin}/mcp`, private: true, egress: { mode: 'identity' } },
      },
    }),
    'clients.yml': JSON.stringify({
      clients: Object.fromEntries([...clients, [KEEPER, client(KEEPER, ['keeper'])]]),
    }),
  };
}
