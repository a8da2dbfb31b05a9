import type { AuditRecord } from '../../core/audit.ts';
import type { ConnectTicket } from '../../core/connect-ticket.ts';
import type { ConnectionOwner } from '../../core/connection.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { Policy } from '../../core/policy.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { NAME } from '../../core/route.ts';
import type { GoneProvider } from '../connections/connections.ts';
import { endHere } from '../login/answer.ts';
import { type HeldSession, pageSession } from '../login/sessions.ts';
import type { BrowserProblem } from '../pages/problem-page.ts';
import type { ConnectPorts } from './connect-ports.ts';

/** Who is there, and the provider that the page is about. */
export type Situation = {
  readonly policy: Policy;
  readonly provider: Provider | GoneProvider;
  readonly held: HeldSession;
  readonly owner: ConnectionOwner;
  /** Does any group of the user stand for anything? Who has no rights by now still ends what is connected. */
  readonly hasRights: boolean;
  /** For records. */
  readonly about: Partial<AuditRecord>;
};

/** One in which the user may connect. */
export type Connecting = Situation & { readonly provider: Provider };

/** May the user connect there? In every other situation it may end what is connected, and do nothing else. To who has no rights all providers are alike. */
export function mayConnect(
  situation: Situation,
): Result<Connecting, Extract<BrowserProblem, 'unknown_provider' | 'no_rights'>> {
  const { provider, hasRights } = situation;
  if (!hasRights) return err('no_rights');
  return 'isGone' in provider ? err('unknown_provider') : ok({ ...situation, provider });
}

/** A provider as people read it. */
export function shownName(provider: Provider | GoneProvider): string {
  return 'isGone' in provider ? provider.name : provider.displayName;
}

/**
 * The signed-in user and a provider of its organisation, or the name of one that is none of it, of which what the user connected is still
 * the user's to end. Who is not signed in does not learn which providers there are, and to others those of another organisation are not
 * there.
 */
export async function readSituation(
  ports: ConnectPorts,
  request: Request,
  providerName: string,
): Promise<Result<Situation, BrowserProblem>> {
  const signedIn = await readSignedIn(ports, request);
  if (!signedIn.ok) return signedIn;
  if (!NAME.test(providerName)) return err('unknown_provider');
  const { policy, owner } = signedIn.value;
  const there = policy.providersOf(owner.orgId).find(({ name }) => name === providerName);
  const provider: Situation['provider'] = there ?? { name: providerName, isGone: true };
  const about = {
    area: 'connection',
    name: provider.name,
    org_id: owner.orgId,
    subject: owner.subject,
    kind: 'user',
    policy_version: policy.version,
  } as const;
  return ok({ ...signedIn.value, provider, about });
}

/** The signed-in user of a browser, by the policy that holds. */
export async function readSignedIn(
  ports: ConnectPorts,
  request: Request,
): Promise<Result<Pick<Situation, 'policy' | 'held' | 'owner' | 'hasRights'>, 'unavailable' | 'signed_out'>> {
  const book = await ports.rulebook.read();
  if (!book.ok) return err('unavailable');
  const { policy } = book.value;
  const held = await pageSession(ports, policy, request);
  if (!held.ok) return err('unavailable');
  if (held.value === undefined) return err('signed_out');
  const { orgId, subject, groups } = held.value.session;
  const hasRights = policy.scopesOfGroups(groups).length > 0;
  return ok({ policy, held: held.value, owner: { orgId, subject }, hasRights });
}

/** Is this the ticket of the user, and of the session, that is there now? */
export function isOwnTicket(ticket: ConnectTicket, { held, owner }: Situation): boolean {
  return ticket.orgId === owner.orgId && ticket.subject === owner.subject && ticket.session === held.id;
}

/** Ends on a page about connections; nobody is sent anywhere. */
export function endConnecting(
  ports: ConnectPorts,
  invocation: Invocation,
  problem: BrowserProblem,
  about: Partial<AuditRecord> = {},
): Promise<Response> {
  return endHere(ports, invocation, problem, { area: 'connection', ...about });
}
