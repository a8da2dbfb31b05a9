import { isJsonObject, type Json } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** A set of filters: names to exact values. The store never knows what they mean. */
export type ScopeFilters = ReadonlyMap<string, string>;

/** What a caller of the context store may touch. It comes from a verified token alone, never from an argument. */
export type ContextScope = {
  readonly orgId: string;
  readonly namespace: string;
  /** Empty: the whole namespace. */
  readonly scopeFilters: ScopeFilters;
  /** `write` includes reading. */
  readonly permissions: 'read' | 'write';
};

/** Where a document lives: copied from its creator's scope and never changed. */
export type DocumentScope = {
  readonly orgId: string;
  readonly namespace: string;
  /** Empty: visible to everyone in the namespace. */
  readonly scopeFilters: ScopeFilters;
};

/** Why a token opens no scope: `no_namespace` is 403, `malformed_scope` is 401 (contract §5). */
export type ScopeRefusal = { readonly reason: 'no_namespace' | 'malformed_scope' };

/** Orgs and namespaces (contract §2). `#` is not in it: it separates them in storage keys. */
const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

const MAX_FILTERS = 32;
const MAX_FILTER_NAME_LENGTH = 128;
const MAX_FILTER_VALUE_LENGTH = 1024;

/** Is this a well-formed name of an org or a namespace? */
export function isNamespace(value: string): boolean {
  return NAMESPACE.test(value);
}

/**
 * The scope that the claims of a verified token open. An absent `namespace` is refused, absent `scope_filters` mean the
 * whole namespace; what is present and malformed is refused and never treated as absent.
 */
export function parseContextScope(
  claims: {
    readonly orgId: string;
    readonly namespace: Json | undefined;
    readonly scopeFilters: Json | undefined;
  },
  permissions: ContextScope['permissions'],
): Result<ContextScope, ScopeRefusal> {
  const { orgId, namespace } = claims;
  if (namespace === undefined) return err({ reason: 'no_namespace' });
  if (typeof namespace !== 'string' || !isNamespace(namespace)) return err({ reason: 'malformed_scope' });
  const scopeFilters = parseFilters(claims.scopeFilters);
  if (scopeFilters === undefined) return err({ reason: 'malformed_scope' });
  return ok({ orgId, namespace, scopeFilters, permissions });
}

/**
 * May this caller know that the document exists? Org and namespace are equal, and the document has no filters or has every
 * filter of the caller with exactly the caller's value. Filters that only the document has do not hide it.
 */
export function isVisible(scope: ContextScope, document: DocumentScope): boolean {
  if (document.orgId !== scope.orgId || document.namespace !== scope.namespace) return false;
  if (document.scopeFilters.size === 0) return true;
  return isWithin(document.scopeFilters, scope.scopeFilters);
}

/**
 * The context claims of a token that descends from another: what that one opens, and, where another client takes it over, within what
 * this client's registration says for its own tokens. Nothing where the two have no namespace or no document in common, and where
 * the token opens nothing.
 */
export function narrowContext(
  context: { readonly namespace: Json | undefined; readonly scopeFilters: Json | undefined },
  client: {
    readonly namespace?: string | undefined;
    readonly scopeFilters?: Readonly<Record<string, string>> | undefined;
  } = {},
): Readonly<Record<string, unknown>> {
  const scope = parseContextScope({ orgId: '', ...context }, 'read');
  if (!scope.ok) return {};
  const { namespace, scopeFilters } = scope.value;
  if (client.namespace !== undefined && client.namespace !== namespace) return {};
  const filters = new Map(scopeFilters);
  for (const [name, value] of Object.entries(client.scopeFilters ?? {})) {
    if ((filters.get(name) ?? value) !== value) return {};
    filters.set(name, value);
  }
  return { namespace, ...(filters.size === 0 ? {} : { scope_filters: Object.fromEntries(filters) }) };
}

/** Are these filters the registered ones, or those and more of them? Then what they show is no more. */
export function isWithin(filters: ScopeFilters, registered: ScopeFilters): boolean {
  return [...registered].every(([name, value]) => filters.get(name) === value);
}

/** Filters as one string, equal for equal filters whatever their order. */
export function canonicalFilters(filters: ScopeFilters): string {
  return JSON.stringify([...filters].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Parses a set of filters: an object of texts. Absent is the empty one, malformed undefined. */
export function parseFilters(value: Json | undefined): ScopeFilters | undefined {
  if (value === undefined) return new Map();
  if (!isJsonObject(value) || value.size > MAX_FILTERS) return undefined;
  const filters = new Map<string, string>();
  for (const [name, filter] of value) {
    if (typeof filter !== 'string' || filter.length > MAX_FILTER_VALUE_LENGTH) return undefined;
    if (name.length === 0 || name.length > MAX_FILTER_NAME_LENGTH) return undefined;
    filters.set(name, filter);
  }
  return filters;
}
