import type { Caller } from './caller.ts';

/** What is recorded: something was decided, or something that went out has ended. */
export type AuditEvent = 'decision' | 'outcome';

/** The area of a record. */
export type AuditArea =
  | 'access'
  | 'token'
  | 'egress'
  | 'policy'
  | 'revocation'
  | 'context'
  | 'login'
  | 'registration'
  | 'keys'
  | 'secrets'
  | 'connection'
  | 'audit';

/**
 * One record (contract §11). It never holds arguments, bodies, tokens or secrets; absent fields are unknown or do not apply.
 * `ts` is an ISO 8601 instant, `durationMs` a whole number.
 */
export type AuditRecord = {
  readonly ts: string;
  readonly request_id: string;
  readonly event: AuditEvent;
  readonly area: AuditArea;
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
  readonly org_id?: string;
  readonly subject?: string;
  readonly kind?: string;
  readonly client_id?: string;
  /** Those who act for the subject, the present one first; absent where nobody does. */
  readonly actors?: readonly string[];
  readonly jti?: string;
  readonly scopes?: readonly string[];
  readonly server?: string;
  readonly method?: string;
  readonly name?: string;
  readonly policy_version?: number;
  readonly upstream_status?: number;
  readonly duration_ms?: number;
  readonly trace_id?: string;
};

/** The fields of a record that name who acted. */
export function auditedCaller(
  caller: Caller,
): Pick<AuditRecord, 'org_id' | 'subject' | 'kind' | 'client_id' | 'actors' | 'jti' | 'scopes'> {
  return {
    org_id: caller.orgId,
    subject: caller.subject,
    kind: caller.kind,
    client_id: caller.clientId,
    ...(caller.actors.length > 0 ? { actors: caller.actors } : {}),
    jti: caller.jti,
    scopes: caller.scopes,
  };
}

/** The trace id of a W3C `traceparent` header; undefined where it is absent or malformed. */
export function traceIdOf(traceparent: string | null): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '')?.[1];
}

/** Of what a client chose freely, a record holds this much (UTF-16 units). */
const MAX_RECORDED_LENGTH = 256;

/** What a client chose freely, as a record has it: not all of it where it is long. */
export function shortened(text: string): string {
  return text.length <= MAX_RECORDED_LENGTH ? text : `${text.slice(0, MAX_RECORDED_LENGTH).toWellFormed()}…`;
}

/**
 * What a message names, as a record has it. A URI is what every method `resources/…` names, and what begins as one with a scheme and a
 * slash: what it has for a user, in its query and after it are places for secrets, and are left out. Other names stay as they are.
 */
export function recordedName(method: string | undefined, name: string): string {
  const isUri = method?.startsWith('resources/') || /^\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\]/.test(name);
  return shortened(isUri ? withoutSecrets(name) : name);
}

/**
 * A URI, or what some reader takes for one: readers drop control characters and white space before it, and see a host after any number of
 * slashes of either kind, or none. Where a URI has another in its path, that has a host too.
 */
function withoutSecrets(uri: string): string {
  return uri
    .replace(/\p{Cc}/gu, '')
    .trimStart()
    .replace(/[?#].*$/su, '?…')
    .replace(
      /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]*)([^/]*)/u,
      (_, before: string, host: string) => before + withoutUser(host),
    )
    .replace(/(?<=[:/\\][/\\])[^/\\][^/]*/gu, withoutUser);
}

/** Whatever stands before the last `@`. */
function withoutUser(host: string): string {
  return host.replace(/^.*@/su, '…@');
}
