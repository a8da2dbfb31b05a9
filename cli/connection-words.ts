import { z } from 'zod';
import { printable } from './printable.ts';

/** A connection as the gateway tells it. */
export const Connection = z.looseObject({
  provider: z.string(),
  status: z.enum(['active', 'broken']),
  account: z.object({ id: z.string(), name: z.string().optional() }).optional(),
  scopes: z.array(z.string()),
  connected_at: z.number(),
  refreshed_at: z.number(),
});

export type Connection = z.infer<typeof Connection>;

/** A user's connections, and the providers that there are. */
export const Connections = z.object({
  connections: z.array(Connection),
  providers: z.array(z.object({ name: z.string(), display_name: z.string() })),
});

export type Connections = z.infer<typeof Connections>;

/** One line for each provider, in the gateway's order, and for each that is gone and still connected. */
export function describeConnections({ connections, providers }: Connections): string {
  const gone = connections.filter(({ provider }) => !providers.some(({ name }) => name === provider));
  const rows = providers.map(({ name }) => {
    const connection = connections.find(({ provider }) => provider === name);
    return [name, connection === undefined ? 'not connected' : describeConnection(connection)] as const;
  });
  for (const { provider } of gone) rows.push([provider, 'not used any more: disconnect']);
  if (rows.length === 0) return 'there is no provider to connect an account at';
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, words]) => `${name.padEnd(width)}  ${words}`).join('\n');
}

/** What a connection is worth, and whose account it is. */
export function describeConnection({ status, account, connected_at }: Connection): string {
  const whose = account === undefined ? '' : ` as ${printable(account.name ?? account.id)}`;
  const since = new Date(connected_at * 1000).toISOString().slice(0, 10);
  return status === 'active' ? `connected${whose} since ${since}` : `broken${whose}: connect again`;
}
