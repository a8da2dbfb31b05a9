import type { Action } from './action.ts';
import { CONTEXT_STORE } from './policy.ts';
import type { RunPermissions } from './run-request.ts';

/** What every run may do at the context store beside calling tools. */
const METHODS: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'ping', 'tools/list']);

/** The tools that only read (contract §8); every other one needs the permission to write. */
const READING_TOOLS: ReadonlySet<string> = new Set([
  'doc_query',
  'doc_search',
  'doc_info',
  'doc_read',
  'doc_pull',
]);

/**
 * May a run of these permissions do this? It needs no scope; the context store is all that it may reach here, and which documents it sees
 * there is its namespace and filters' part.
 */
export function runMay(permissions: RunPermissions, { server, kind, method, name }: Action): boolean {
  if (server !== CONTEXT_STORE) return false;
  if (method === undefined) return kind !== 'request';
  if (kind === 'notification' && method.startsWith('notifications/')) return true;
  if (method !== 'tools/call') return METHODS.has(method);
  if (name === undefined || name === '') return false;
  return READING_TOOLS.has(name) || permissions.length === 2;
}
