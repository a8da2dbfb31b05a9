import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { CarrierGrants } from './carrier-grants.ts';
import { choicePage } from './choice-page.ts';
import { createCodes, DEMO_CLIENT } from './codes.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';
import { invalidGrant, nothingHere, notTheDemo } from './refusals.ts';

/** `port` 0 takes a free one. `gateway` is the public origin that people are sent back to, and the only one. */
export type CarrierOptions = { readonly port: number; readonly gateway: string };

/** An account at the demo carrier: whose it is, and where its parcels are. */
type Account = { readonly name: string; readonly parcels: Readonly<Record<string, string>> };

const ACCOUNTS: ReadonlyMap<string, Account> = new Map<string, Account>([
  ['home', { name: 'ada@home.example', parcels: { 'p-1': 'on the road', 'p-2': 'at the door' } }],
  ['work', { name: 'desk@work.example', parcels: { 'p-3': 'lost' } }],
]);

/** The page on which one chooses an account, or none. */
const WHICH = {
  title: 'Demo carrier',
  heading: 'Demo carrier: may Sallyport see your parcels?',
  words: [
    'This stands in for a third party at which you have an account. It runs on this machine, has no passwords, and knows no real parcel.',
    'The gateway asks to read the parcels of an account of yours, whenever you call a server that needs them.',
  ],
  name: 'account',
  buttons: [
    ...Array.from(ACCOUNTS, ([id, { name }]) => [id, `Yes, as ${name}`] as const),
    ['', 'No'] as const,
  ],
} as const;

/**
 * Starts the demo carrier: a third party with an authorization server of its own (OAuth 2.0 with PKCE, rotating refresh tokens, revocation) and
 * an MCP server at `/mcp` that answers for the account of the token, and lists its tools to anybody.
 */
export async function startCarrier({
  port,
  gateway,
}: CarrierOptions): Promise<LoopbackServer & { readonly url: string }> {
  const grants = new CarrierGrants();
  let issuer = '';
  const codes = createCodes<string>(`${gateway}/connect/carrier/callback`, () => issuer);
  const handler = createMcpHandler(({ authInfo }) => createParcels(ACCOUNTS.get(authInfo?.clientId ?? '')));

  const authorize = (query: URLSearchParams): Response => {
    if (!codes.isOurs(query)) return notTheDemo();
    const accountId = query.get('account');
    if (accountId === '') return codes.refuse(query);
    return accountId !== null && ACCOUNTS.has(accountId)
      ? codes.issue(query, accountId)
      : choicePage(WHICH, query);
  };

  const giveTokens = (form: URLSearchParams): Response => {
    if (form.get('client_id') !== DEMO_CLIENT) return invalidGrant();
    if (form.get('grant_type') === 'refresh_token') {
      return grants.refresh(form.get('refresh_token') ?? '') ?? invalidGrant();
    }
    const accountId = codes.redeem(form);
    return accountId === undefined ? invalidGrant() : grants.begin(accountId);
  };

  const server = await serveOnLoopback(port, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
    const accountId = token === undefined ? undefined : grants.accountOf(token);
    if (token !== undefined && accountId === undefined) {
      return Response.json({ error: 'invalid_token' }, { status: 401 });
    }
    if (pathname === '/mcp') {
      if (accountId === undefined) return handler.fetch(request);
      return handler.fetch(request, { authInfo: { token: '', clientId: accountId, scopes: [] } });
    }
    switch (`${request.method} ${pathname}`) {
      case 'GET /authorize':
        return authorize(searchParams);
      case 'POST /token':
        return giveTokens(new URLSearchParams(await request.text()));
      case 'POST /revoke':
        grants.revoke(new URLSearchParams(await request.text()).get('token') ?? '');
        return new Response(null, { status: 200 });
      case 'GET /me': {
        const name = ACCOUNTS.get(accountId ?? '')?.name;
        return Response.json({ id: accountId, login: name }, { status: name === undefined ? 401 : 200 });
      }
      default:
        return nothingHere();
    }
  });
  issuer = server.origin;
  return {
    ...server,
    url: `${server.origin}/mcp`,
    async close() {
      await handler.close();
      await server.close();
    },
  };
}

function createParcels(account: Account | undefined): McpServer {
  const server = new McpServer({ name: 'carrier', version: '1.0.0' });
  server.registerTool(
    'my_parcels',
    {
      description: 'Where the parcels of your account at the carrier are.',
      inputSchema: z.object({}),
      annotations: { readOnlyHint: true },
    },
    () => {
      const said = account === undefined ? 'whose parcels?' : JSON.stringify(account);
      return { content: [{ type: 'text' as const, text: said }], isError: account === undefined };
    },
  );
  return server;
}
