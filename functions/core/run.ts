import type { Caller } from './caller.ts';
import type { PolicyRefusal } from './decide.ts';
import {
  isJsonObject,
  type Json,
  JsonNumber,
  member,
  parseJsonText,
  stringMember,
  writeJson,
} from './json.ts';
import type { Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { namespaceOf, parseRunRequest, type RunRequest } from './run-request.ts';

/** The scope that lets a client open runs (contract §9). */
export const RUNS_ISSUE = 'runs/issue';

/** A run as it is kept. Its tokens can be had while it is open. */
export type Run = Omit<RunRequest, 'runId'> & {
  readonly runId: string;
  /** The coordinator that opened it; nobody else sees it. */
  readonly clientId: string;
  readonly openedAtSeconds: number;
  /** Undefined while it is open. */
  readonly completedAtSeconds: number | undefined;
};

/** Why a caller may not have tokens for a run. */
export type RunRefusal =
  | PolicyRefusal
  | { readonly reason: 'run_namespace_not_allowed'; readonly detail: string };

/**
 * May this caller have tokens for a run of this kind? It is a client by itself with the scope `runs/issue`, and every namespace
 * of the run is one that its registration names. Asked at every issue, so that what a client has lost is gone for open runs too.
 */
export function authorizeRun(
  policy: Policy,
  caller: Caller,
  services: RunRequest['services'],
): Result<void, RunRefusal> {
  if (caller.kind !== 'agent' || !caller.scopes.includes(RUNS_ISSUE)) {
    const isObtainable = caller.kind === 'agent' && caller.obtainableScopes.includes(RUNS_ISSUE);
    return err({ reason: 'not_granted', obtainable: isObtainable ? [RUNS_ISSUE] : [] });
  }
  const allowed = policy.clients.get(caller.clientId)?.runNamespaces ?? [];
  for (const [service, section] of services) {
    const namespace = namespaceOf(section);
    if (namespace === undefined || !allowed.includes(namespace)) {
      return err({ reason: 'run_namespace_not_allowed', detail: service });
    }
  }
  return ok(undefined);
}

/** A run as text. */
export function writeRun(run: Run): string {
  const seconds = (value: number) => new JsonNumber(String(value));
  const record = new Map<string, Json>([
    ['run_id', run.runId],
    ['client_id', run.clientId],
    ['agent_name', run.agentName],
    ['services', run.services],
    ['permissions', run.permissions],
    ['ttl', seconds(run.ttlSeconds)],
    ['split', run.split],
    ['opened_at', seconds(run.openedAtSeconds)],
  ]);
  if (run.completedAtSeconds !== undefined) record.set('completed_at', seconds(run.completedAtSeconds));
  return writeJson(record);
}

/** A run from its text; undefined where it is none, which a record of ours never is. */
export function readRun(text: string): Run | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { value } = parsed;
  const clientId = stringMember(value, 'client_id');
  const openedAtSeconds = secondsOf(member(value, 'opened_at'));
  const request = parseRunRequest(
    new Map([...value].filter(([name]) => !['client_id', 'opened_at', 'completed_at'].includes(name))),
  );
  if (clientId === undefined || openedAtSeconds === undefined || !request.ok) return undefined;
  const { runId } = request.value;
  if (runId === undefined) return undefined;
  return {
    ...request.value,
    runId,
    clientId,
    openedAtSeconds,
    completedAtSeconds: secondsOf(member(value, 'completed_at')),
  };
}

function secondsOf(value: Json | undefined): number | undefined {
  return value instanceof JsonNumber ? value.toNumber() : undefined;
}
