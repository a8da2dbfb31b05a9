import type { Action } from '../action.ts';
import type { Caller } from '../caller.ts';
import type { Policy } from '../policy.ts';
import { WILDCARDS } from './rule.ts';

/** What requests are counted by, in the order in which a count names them. */
export const LIMIT_SUBJECTS = ['org', 'client', 'user', 'server', 'tool', 'token'] as const;

/** One of the things that a limit counts by. */
export type LimitSubject = (typeof LIMIT_SUBJECTS)[number];

/**
 * So many requests in a window of time, as it is stored: one count for each combination of what `per` names, and always one of its own
 * for each organisation. It counts requests that meet all of `server`, `tools`, `org` and `scope`; what is absent bounds nothing.
 */
export type Limit = {
  /** Each once, in the order of {@link LIMIT_SUBJECTS}. */
  readonly per: readonly LimitSubject[];
  readonly requests: number;
  readonly windowSeconds: number;
  /** Absent: every server. */
  readonly server?: string;
  /** Absent: every request, or every call of a tool where `per` names the tool. */
  readonly tools?: readonly string[];
  readonly org?: string;
  /** Counts the callers that are entitled to this scope, whether or not their token carries it. */
  readonly scope?: string;
  readonly at: string;
};

/**
 * The limits that count this action of this caller, in the order of the file; none for answers of clients, and for notifications but those
 * that a server may run. What decides is the action as it was decided on, so nothing that a client may choose beside it changes a count.
 */
export function limitsOn(policy: Policy, caller: Caller, action: Action): readonly Limit[] {
  if (!isCounted(action)) return [];
  return policy.access.limits(action.server).filter((limit) => counts(limit, caller, action));
}

/** Is this anything that is ever counted? */
export function isCounted({ kind, method }: Action): boolean {
  return method !== undefined && !(kind === 'notification' && method.startsWith('notifications/'));
}

function isAbout({ org, scope }: Limit, caller: Pick<Caller, 'orgId' | 'isEntitledTo'>): boolean {
  return (org === undefined || org === caller.orgId) && (scope === undefined || caller.isEntitledTo(scope));
}

function isOnTools({ per, tools }: Limit): boolean {
  return tools !== undefined || per.includes('tool');
}

function counts(limit: Limit, caller: Caller, { method, name }: Action): boolean {
  if (!isAbout(limit, caller)) return false;
  if (!isOnTools(limit)) return true;
  const { tools } = limit;
  if (method !== 'tools/call' || name === undefined) return false;
  return tools === undefined || tools.some((tool) => tool === name || WILDCARDS.has(tool));
}

/** Is there a limit on a server that counts calls of tools alone, for this caller? */
export function hasToolLimit(
  policy: Policy,
  caller: Pick<Caller, 'orgId' | 'isEntitledTo'>,
  server: string,
): boolean {
  return policy.access.limits(server).some((limit) => isOnTools(limit) && isAbout(limit, caller));
}

/**
 * Whose count a request is, for a limit that {@link limitsOn} gave: equal for two requests exactly where they share a count. A user is the
 * subject of the token, which for an agent is the client that it is about. A run is its coordinator, which may open as many as it likes
 * under names of its own choice; it has no count in common with the coordinator's own requests.
 */
export function limitSubject(limit: Limit, caller: Caller, { server, name }: Action): readonly string[] {
  const of: Readonly<Record<LimitSubject, string>> = {
    org: caller.orgId,
    client: caller.clientId,
    user: caller.kind === 'run' ? JSON.stringify(['run', caller.clientId]) : caller.subject,
    server,
    tool: JSON.stringify([server, name]),
    token: caller.jti,
  };
  return [caller.orgId, ...limit.per.map((subject) => of[subject])];
}
