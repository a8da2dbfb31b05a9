import type { Caller } from '../caller.ts';
import type { PolicyRefusal } from '../decide.ts';
import { err, ok, type Result } from '../result.ts';
import { isNamespace, type ScopeRefusal } from '../visibility.ts';
import type { ContextCaller } from './ports.ts';

/** The scope that reaches every namespace of its org, and the partitions. */
export const CONTEXT_ADMIN = 'context/admin';

/**
 * What a caller may touch in the context store: what its token says, where it names no namespace or the token's own; every document of
 * another namespace of its org, where it has {@link CONTEXT_ADMIN}. Does NOT decide on the operation. A malformed scope in the token
 * opens nothing, whatever is named.
 */
export function openNamespace(
  caller: Caller,
  namespace: string | undefined,
): Result<ContextCaller, ScopeRefusal | PolicyRefusal> {
  const { orgId, contextScope: own, key: callerKey } = caller;
  if (!own.ok && own.error.reason !== 'no_namespace') return own;
  if (namespace === undefined || (own.ok && own.value.namespace === namespace)) {
    return own.ok ? ok({ ...own.value, callerKey }) : own;
  }
  const admitted = authorizeContextAdmin(caller);
  if (!admitted.ok) return admitted;
  if (!isNamespace(namespace)) return err({ reason: 'not_granted', obtainable: [] });
  return ok({ orgId, namespace, scopeFilters: new Map(), permissions: 'write', callerKey });
}

/** May this caller reach every namespace of its org? A run never may, nor a token that shows what is public alone. */
export function authorizeContextAdmin(caller: Caller): Result<void, PolicyRefusal> {
  const mayAdminister = caller.kind !== 'run' && !caller.isPublicOnly;
  if (mayAdminister && caller.scopes.includes(CONTEXT_ADMIN)) return ok(undefined);
  const isObtainable = mayAdminister && caller.obtainableScopes.includes(CONTEXT_ADMIN);
  return err({ reason: 'not_granted', obtainable: isObtainable ? [CONTEXT_ADMIN] : [] });
}
