import type { AuditRecord } from '../../core/audit.ts';
import type { ConnectTicket } from '../../core/connect-ticket.ts';
import type { ConnectionOwner } from '../../core/connection.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { Policy } from '../../core/policy.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { endHere } from '../login/answer.ts';
import { type HeldSession, pageSession } from '../login/sessions.ts';
import type { BrowserProblem } from '../pages/problem-page.ts';
import type { ConnectPorts } from './connect-ports.ts';

/** Who is there, and the provider that the page is about. */
export type Situation = {
  readonly policy: Policy;
  readonly provider: Provider;
  readonly held: HeldSession;
  readonly owner: ConnectionOwner;
  /** For records. */
  readonly about: Partial<AuditRecord>;
};

/**
 * The signed-in user and a provider of its organisation. Who is not signed in does not learn which providers there are, and to others those
 * of another organisation are not there.
 */
export async function readSituation(
  ports: ConnectPorts,
  request: Request,
  providerName: string,
): Promise<Result<Situation, BrowserProblem>> {
  const signedIn = await readSignedIn(ports, request);
  if (!signedIn.ok) return signedIn;
  const { policy, held, owner } = signedIn.value;
  const provider = policy.providersOf(owner.orgId).find(({ name }) => name === providerName);
  if (provider === undefined) return err('unknown_provider');
  const about = {
    area: 'connection',
    name: provider.name,
    org_id: owner.orgId,
    subject: owner.subject,
    kind: 'user',
    policy_version: policy.version,
  } as const;
  return ok({ policy, provider, held, owner, about });
}

/** The signed-in user of a browser, by the policy that holds; nobody whose groups stand for nothing by now. */
export async function readSignedIn(
  ports: ConnectPorts,
  request: Request,
): Promise<Result<Pick<Situation, 'policy' | 'held' | 'owner'>, 'unavailable' | 'signed_out' | 'no_rights'>> {
  const book = await ports.rulebook.read();
  if (!book.ok) return err('unavailable');
  const { policy } = book.value;
  const held = await pageSession(ports, policy, request);
  if (!held.ok) return err('unavailable');
  if (held.value === undefined) return err('signed_out');
  const { orgId, subject, groups } = held.value.session;
  if (policy.scopesOfGroups(groups).length === 0) return err('no_rights');
  return ok({ policy, held: held.value, owner: { orgId, subject } });
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
