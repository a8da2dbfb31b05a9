import type { ConnectionOwner } from './connection.ts';
import { isJsonArray, isJsonObject, parseJsonText } from './json.ts';
import type { RecordKey } from './ports.ts';
import { NAME } from './route.ts';

/** More providers than anybody is connected at. */
const MAX_NAMES = 100;

/**
 * Where it is written at which providers one user has ever connected: what tells of a connection whose provider is gone from the
 * configuration. No connection has this key, as no provider is without a name.
 */
export function connectionNamesKey({ orgId, subject }: ConnectionOwner): RecordKey {
  return { kind: 'CONNECTION', orgId, id: `${Buffer.from(subject).toString('base64url')}#` };
}

/** The text of such names, each once. */
export function writeConnectionNames(names: readonly string[]): string {
  return JSON.stringify({ v: 1, names: [...new Set(names)].slice(0, MAX_NAMES) });
}

/** Names from their text; what is no name of a provider is none. A name says that there may be a connection, and not that there is one. */
export function readConnectionNames(text: string): readonly string[] {
  const parsed = parseJsonText(text);
  const names = parsed.ok && isJsonObject(parsed.value) ? parsed.value.get('names') : undefined;
  if (!isJsonArray(names)) return [];
  const known = names.flatMap((name) => (typeof name === 'string' && NAME.test(name) ? [name] : []));
  return [...new Set(known)].slice(0, MAX_NAMES);
}
