import type { Message } from './action.ts';

/** Requests by which a client and a server get to know each other; none of them acts for anybody. */
const PREPARING: ReadonlySet<string | undefined> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'logging/setLevel',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

const NOTIFICATIONS = 'notifications/';

/**
 * Is this what comes before a call: an introduction, a list, a notification, a session that is opened as a stream or ended (no message)? A
 * client sends it when nobody has asked for anything yet, so that nobody is there to be asked for a connection either. A call without an id
 * is a call all the same: a server may run it.
 */
export function isPreparation(message: Message | undefined): boolean {
  if (message === undefined) return true;
  const { kind, method } = message;
  if (kind === 'notification') return method?.startsWith(NOTIFICATIONS) === true;
  return kind === 'request' && PREPARING.has(method);
}
