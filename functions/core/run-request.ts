import { isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject } from './json.ts';
import { CONTEXT_STORE } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { NAME } from './route.ts';
import { isNamespace, parseContextScope } from './visibility.ts';

/** What one service learns of a run: its namespace, filters, and members of its own that only it understands. */
export type RunSection = JsonObject;

/** What a run's tokens may do at the services that they name. Writing includes reading. */
export type RunPermissions = readonly ['read'] | readonly ['read', 'write'];

/** A request to open a run (contract §5), checked for its form. */
export type RunRequest = {
  /** Undefined: one is made. */
  readonly runId: string | undefined;
  readonly agentName: string;
  /** Service name → section; at least one. `context` of the request is the section of the context store. */
  readonly services: ReadonlyMap<string, RunSection>;
  readonly permissions: RunPermissions;
  readonly ttlSeconds: number;
  /** One token for each service, so that no service reads another's section. */
  readonly split: boolean;
};

/** What is wrong with a request, in words for its sender. */
export type RunRequestRefusal = { readonly reason: 'invalid_argument'; readonly message: string };

/** The default and the cap of a run token's lifetime (contract §13), in seconds. */
export const MAX_RUN_TTL_SECONDS = 3600;

/** A run id is the `sub` of its tokens. It has no colon, so it is never the subject of a user. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const AGENT_NAME = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,128}$/u;
const MAX_SERVICES = 16;
/** Claims of the token itself (RFC 7519 §4.1 and ours). In the flat shape a section stands beside them. */
export const RUN_TOKEN_CLAIMS: ReadonlySet<string> = new Set(
  'iss sub aud exp nbf iat jti cnf act org_id client_id scope groups teams token_kind permissions services agent_name'.split(
    ' ',
  ),
);
const MEMBERS: ReadonlySet<string> = new Set([
  'run_id',
  'agent_name',
  'context',
  'services',
  'permissions',
  'ttl',
  'split',
]);

/** Is this the form of a run id? */
export function isRunId(value: string): boolean {
  return RUN_ID.test(value);
}

/**
 * Reads the body of `POST /runs`. Unknown members are refused, since a misspelt `scope_filters` would open the whole namespace; the
 * sections of other services may have members of their own. Does NOT check that the client may open runs for these namespaces.
 */
export function parseRunRequest(body: Json): Result<RunRequest, RunRequestRefusal> {
  if (!isJsonObject(body)) return refuse('send a JSON object');
  for (const name of body.keys()) {
    if (!MEMBERS.has(name))
      return refuse(`unknown member \`${name.slice(0, 40)}\`; known: ${[...MEMBERS].join(', ')}`);
  }
  const runId = body.get('run_id');
  if (runId !== undefined && (typeof runId !== 'string' || !isRunId(runId))) {
    return refuse('`run_id` has letters, digits and ._- (128 at most), or is left out');
  }
  const agentName = body.get('agent_name');
  if (typeof agentName !== 'string' || !AGENT_NAME.test(agentName)) {
    return refuse('`agent_name` is text of 1 to 128 characters');
  }
  const services = parseServices(body.get('context'), body.get('services'));
  if (!services.ok) return services;
  const permissions = parsePermissions(body.get('permissions'));
  if (permissions === undefined) return refuse('`permissions` is ["read"] or ["read","write"]');
  const ttlSeconds = parseTtl(body.get('ttl'));
  if (ttlSeconds === undefined) {
    return refuse('`ttl` is a whole number of seconds, 1 or more');
  }
  const split = body.get('split') ?? false;
  if (typeof split !== 'boolean') return refuse('`split` is true or false');
  return ok({ runId, agentName, services: services.value, permissions, ttlSeconds, split });
}

/** The namespace of a section, where it has a well-formed one. */
export function namespaceOf(section: RunSection): string | undefined {
  const namespace = section.get('namespace');
  return typeof namespace === 'string' && isNamespace(namespace) ? namespace : undefined;
}

function parseServices(
  context: Json | undefined,
  services: Json | undefined,
): Result<ReadonlyMap<string, RunSection>, RunRequestRefusal> {
  const sections = new Map<string, RunSection>();
  if (context !== undefined) {
    const section = parseSection('context', context);
    if (!section.ok) return section;
    const stranger = [...section.value.keys()].find(
      (name) => name !== 'namespace' && name !== 'scope_filters',
    );
    if (stranger !== undefined)
      return refuse('`context` has `namespace` and `scope_filters`, and nothing else');
    sections.set(CONTEXT_STORE, section.value);
  }
  if (services !== undefined && !isJsonObject(services))
    return refuse('`services` is an object: name → section');
  for (const [name, value] of services ?? []) {
    if (!NAME.test(name))
      return refuse('a service name has lower-case letters, digits, _ and - (63 at most)');
    if (sections.has(name))
      return refuse('say the scope of the context store once: in `context` or in `services`');
    const section = parseSection(`services.${name}`, value);
    if (!section.ok) return section;
    sections.set(name, section.value);
  }
  if (sections.size === 0) return refuse('`context` is missing: {"namespace": …, "scope_filters": {…}}');
  return sections.size > MAX_SERVICES ? refuse(`at most ${MAX_SERVICES} services`) : ok(sections);
}

function parseSection(at: string, value: Json): Result<RunSection, RunRequestRefusal> {
  if (!isJsonObject(value)) return refuse(`\`${at}\` is an object with a \`namespace\``);
  const scope = parseContextScope(
    { orgId: '', namespace: value.get('namespace'), scopeFilters: value.get('scope_filters') },
    'read',
  );
  const claim = [...value.keys()].find((name) => RUN_TOKEN_CLAIMS.has(name));
  if (claim !== undefined)
    return refuse(`\`${at}\` cannot have the member \`${claim}\`: it is a claim of the token`);
  if (scope.ok) return ok(value);
  return namespaceOf(value) === undefined
    ? refuse(`\`${at}.namespace\` has letters, digits and ._:@- (128 at most)`)
    : refuse(`\`${at}.scope_filters\` is an object of strings (32 at most)`);
}

function parsePermissions(value: Json | undefined): RunPermissions | undefined {
  if (value === undefined) return ['read', 'write'];
  const names: readonly Json[] = isJsonArray(value) ? value : [];
  const has = (name: string) => names.includes(name);
  if (names.length === 1 && has('read')) return ['read'];
  return names.length === 2 && has('read') && has('write') ? ['read', 'write'] : undefined;
}

/** More than the cap is the cap: the answer says how long the token lives. */
function parseTtl(value: Json | undefined): number | undefined {
  if (value === undefined) return MAX_RUN_TTL_SECONDS;
  const isWhole = value instanceof JsonNumber && /^[1-9][0-9]{0,8}$/.test(value.lexeme);
  return isWhole ? Math.min(value.toNumber(), MAX_RUN_TTL_SECONDS) : undefined;
}

function refuse(message: string): Result<never, RunRequestRefusal> {
  return err({ reason: 'invalid_argument', message });
}
