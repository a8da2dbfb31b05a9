import type { AcceptedAccessTokens } from '../identity-provider.ts';
import type { ClientEntry } from '../policy.ts';
import type { YamlReader } from './yaml-reader.ts';

/** Reads whose access tokens are taken at the gate. The clients must be in `clients.yml`, which says what they may have, and of the organisation that the IdP vouches for. */
export function readAcceptedTokens(
  accepted: YamlReader | undefined,
  org: string,
  clients: readonly ClientEntry[],
): AcceptedAccessTokens | undefined {
  if (accepted === undefined) return undefined;
  const { client_ids, audience } = accepted.members('client_ids', 'audience');
  const items = client_ids?.items() ?? [];
  if (items.length === 0) return accepted.problem('list whose tokens: `client_ids: [a, b]`');
  const clientIds = items.flatMap((item) => {
    const id = item.string();
    const client = clients.find((known) => known.id === id);
    if (client === undefined) return item.problem(`there is no client \`${id}\` in clients.yml`) ?? [];
    if (client.org === org) return client.id;
    return item.problem(`this client is of \`${client.org}\`, and not of \`${org}\``) ?? [];
  });
  return { clientIds, audience: audience?.string() };
}
