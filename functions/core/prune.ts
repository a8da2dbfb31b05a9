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
 * The pruner for what comes back; undefined where nothing can be listed. `request` undefined stands for a GET stream, which may
 * replay the answer of any list. An item stays exactly where `decide` would allow the call that it stands for; cursors stay;
 * the answer is marked `cacheScope: "private"`. Messages that carry no list (notifications, errors) stay as they are. A message
 * that is not JSON, and an answer to a list request whose list is no array, yield undefined: what cannot be read cannot be shown.
 */
export function createPruner(
  policy: Policy,
  caller: Caller,
  server: string,
  request: Message | undefined,
): Pruner | undefined {
  const asked = request === undefined ? undefined : LISTS.get(request.method ?? '');
  if (request !== undefined && asked === undefined) return undefined;
  const rules = asked === undefined ? [...LISTS.values()] : [asked];
  return (text) => {
    const parsed = parseJsonText(text, ANSWER_JSON);
    if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
    const answer = parsed.value;
    const result = answer.get('result');
    if (result === undefined) return writeJson(answer);
    if (!isJsonObject(result)) return undefined;
    const pruned = new Map(result);
    for (const rule of rules) {
      const items = result.get(rule.items);
      if (items === undefined && asked === undefined) continue;
      if (!isJsonArray(items)) return undefined;
      pruned.set(
        rule.items,
        items.filter((item) => mayCall(policy, caller, server, rule, item)),
      );
      pruned.set('cacheScope', 'private');
    }
    return writeJson(new Map(answer).set('result', pruned));
  };
}

function mayCall(policy: Policy, caller: Caller, server: string, rule: ListRule, item: Json): boolean {
  const name = stringMember(item, rule.name);
  const action = { server, kind: 'request', method: rule.method, name } as const;
  return name !== undefined && decide(policy, caller, action).allow;
}
