import type { Message } from './action.ts';
import type { Caller } from './caller.ts';
import { decide } from './decide.ts';
import {
  ANSWER_JSON,
  isJsonArray,
  isJsonObject,
  type Json,
  parseJsonText,
  stringMember,
  writeJson,
} from './json.ts';
import type { Policy } from './policy.ts';

/** A list method: where its items are, and the call that an item stands for. */
type ListRule = { readonly items: string; readonly method: string; readonly name: string };

const LISTS: ReadonlyMap<string, ListRule> = new Map([
  ['tools/list', { items: 'tools', method: 'tools/call', name: 'name' }],
  ['prompts/list', { items: 'prompts', method: 'prompts/get', name: 'name' }],
  ['resources/list', { items: 'resources', method: 'resources/read', name: 'uri' }],
  ['resources/templates/list', { items: 'resourceTemplates', method: 'resources/read', name: 'uriTemplate' }],
]);

/** Takes one JSON-RPC message of a server and gives what the caller may see of it; undefined where it cannot be read. */
export type Pruner = (text: string) => string | undefined;

/**
 * The pruner for the answer to a message; undefined where the method lists nothing. An item stays exactly where `decide` would
 * allow the call that it stands for; cursors stay; the answer is marked `cacheScope: "private"`. Messages of a stream that
 * carry no such list (notifications, errors) stay as they are. An answer that is not JSON, or whose list is not an array of
 * objects, yields undefined: what cannot be read cannot be shown.
 */
export function createPruner(
  policy: Policy,
  caller: Caller,
  server: string,
  request: Message,
): Pruner | undefined {
  const rule = request.kind === 'request' ? LISTS.get(request.method ?? '') : undefined;
  if (rule === undefined) return undefined;
  const mayCall = (item: Json): boolean => {
    const name = stringMember(item, rule.name);
    const action = { server, kind: 'request', method: rule.method, name } as const;
    return name !== undefined && decide(policy, caller, action).allow;
  };
  return (text) => {
    const parsed = parseJsonText(text, ANSWER_JSON);
    if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
    const answer = parsed.value;
    if (answer.has('method') || !answer.has('result')) return writeJson(answer);
    const result = answer.get('result');
    const items = isJsonObject(result) ? result.get(rule.items) : undefined;
    if (!isJsonObject(result) || !isJsonArray(items)) return undefined;
    const pruned = new Map(result);
    pruned.set(rule.items, items.filter(mayCall));
    pruned.set('cacheScope', 'private');
    return writeJson(new Map(answer).set('result', pruned));
  };
}
