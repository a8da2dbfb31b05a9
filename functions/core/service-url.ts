import type { Denial } from './denial.ts';
import { isPlainPath, matchesPath } from './path-pattern.ts';
import type { ServiceEntry } from './policy.ts';
import { writeQuery } from './query.ts';
import { err, ok, type Result } from './result.ts';

/** The methods that reach an API through the gate: those that API Gateway takes, but OPTIONS, which it answers itself. */
export const SERVICE_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What of a service says where its calls go. */
type Place = Pick<ServiceEntry, 'name' | 'url' | 'allow'>;

/**
 * The API's URL for a method and path that the service allows, joined as text: what was matched is what is sent. The parameters of `search`
 * are written anew ({@link writeQuery}).
 */
export function serviceUrl(
  service: Place,
  method: string,
  path: string,
  search: string,
): Result<URL, Denial> {
  const isMethod = SERVICE_METHODS.some((one) => one === method);
  const isAllowed = service.allow.some(
    (rule) => (rule.method === '*' || rule.method === method) && matchesPath(rule.path, path),
  );
  if (!isMethod || !isPlainPath(path) || !isAllowed) {
    return err({ reason: 'path_not_allowed', detail: `${method} is not on the allow-list for this path` });
  }
  const base = new URL(service.url);
  const url = new URL(`${base.origin}${pathOf(base)}${path}${writeQuery(new URLSearchParams(search))}`);
  const isKept = url.origin === base.origin && url.pathname.endsWith(path);
  return isKept ? ok(url) : err({ reason: 'outside_perimeter', detail: 'the URL changed when it was read' });
}

/**
 * A reference of the API's, such as its `Location`, as one through the gate; undefined where it leads out of the service. `sentTo` is
 * what a relative one is relative to. Whether its path is on the allow-list shows when it is called.
 */
export function throughTheGate(service: Place, sentTo: URL, reference: string): string | undefined {
  if (!URL.canParse(reference, sentTo.href)) return undefined;
  const url = new URL(reference, sentTo);
  const base = new URL(service.url);
  const isWithin = url.origin === base.origin && url.pathname.startsWith(`${pathOf(base)}/`);
  const path = url.pathname.slice(pathOf(base).length);
  const isWritten = url.username === '' && url.password === '' && isPlainPath(path);
  return isWithin && isWritten ? `/egress/${service.name}${path}${url.search}` : undefined;
}

/** The path that every call begins with; empty, or without a slash at its end. */
function pathOf(base: URL): string {
  return base.pathname.replace(/\/$/, '');
}
