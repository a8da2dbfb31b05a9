import { offeredScopes } from '../../core/authorization-request.ts';
import type { Invocation } from '../../core/invocation.ts';
import { digestOfScopes, type LoginTicket } from '../../core/login-ticket.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import { matchesRedirectUri } from '../../core/redirect-uri.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { findClient } from '../client-registry.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import type { BrowserProblem } from '../pages/problem-page.ts';

/** What was shown still holds: the client, its redirect URI, and the list of what it asks for. */
export async function recheck(
  ports: IssuerPorts,
  { request, shown }: LoginTicket,
  invocation: Invocation,
): Promise<Result<{ readonly policy: Policy; readonly client: ClientEntry }, BrowserProblem>> {
  const book = await ports.rulebook.read();
  if (!book.ok) return err('unavailable');
  const { policy } = book.value;
  const client = await findClient(ports, policy, request.clientId, invocation.sourceIp);
  if (!client.ok) return err('unavailable');
  if (client.value === undefined) return err('unknown_client');
  if (!matchesRedirectUri(client.value.redirectUris, request.redirectUri)) return err('redirect_uri');
  const mayStill = client.value.grants.includes('authorization_code');
  const isSame = digestOfScopes(offeredScopes(client.value, request.scopes)) === shown;
  return mayStill && isSame ? ok({ policy, client: client.value }) : err('changed');
}
