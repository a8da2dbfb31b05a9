import type { Message } from './action.ts';
import { isAllowed } from './decide.ts';
import {
  ANSWER_JSON,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonText,
  writeJson,
} from './json.ts';
import { type View, withoutHiddenNews } from './news.ts';
import { inOneSpelling, membersLike } from './spelling.ts';

/** A list method: where its items are, and the call that an item stands for. */
type ListRule = { readonly items: string; readonly method: string; readonly name: string };

const LISTS: ReadonlyMap<string, ListRule> = new Map([
  ['tools/list', { items: 'tools', method: 'tools/call', name: 'name' }],
  ['prompts/list', { items: 'prompts', method: 'prompts/get', name: 'name' }],
  ['resources/list', { items: 'resources', method: 'resources/read', name: 'uri' }],
  ['resources/templates/list', { items: 'resourceTemplates', method: 'resources/read', name: 'uriTemplate' }],
]);

/** Answers beside lists that clients of the stateless era remember (mcp 2026-07-28 §caching). */
const REMEMBERED: ReadonlySet<string> = new Set(['server/discover', 'resources/read']);

/**
 * Takes one JSON-RPC message of a server and gives what the caller may see of it: an empty text for nothing of it, undefined where it
 * cannot be read.
 */
export type Pruner = (text: string) => string | undefined;

/** A text without any of these holds neither a list nor news of a resource, or nothing that is said of caching: in any case, as readers fold it. */
const LIST_MARK = /"(?:tools|prompts|resources|resourceTemplates)"|resources\/updated|\\[u/]/iu;
const CACHE_MARK = /"cacheScope"|\\u/iu;

/**
 * The pruner for what comes back; undefined where nothing in it is to be looked at. An item stays exactly where `decide` would
 * allow the call that it stands for; cursors stay; the answer is marked `cacheScope: "private"`, and so are the other answers that
 * clients remember. What readers that fold case take for one of these members goes, and so does an item that has two names to them. News of a resource that the caller may not read are dropped. Other messages that carry no list (notifications, errors)
 * stay as they are. A message that is not JSON, and an answer to a list request whose list is no array, yield undefined: what cannot be read
 * cannot be shown.
 *
 * In a session (`isInSession`, and on a GET stream, where `request` is undefined) any answer may be that of another request: a
 * stream is replayed, or an id is used twice and the server answers on the wrong stream. There every list is pruned.
 */
export function createPruner(
  view: View,
  server: string,
  request: Message | undefined,
  isInSession: boolean,
): Pruner | undefined {
  const method = request?.method;
  const asked = method === undefined ? undefined : LISTS.get(method);
  if (request?.era === 'modern' && method !== undefined && REMEMBERED.has(method)) {
    return (text) => {
      const told = withoutHiddenNews(text, view, server);
      return told === undefined || told === '' ? told : keepPrivate(told);
    };
  }
  const isListening = method === 'subscriptions/listen';
  if (asked === undefined && !isInSession && !isListening) return undefined;
  const rules = asked === undefined || isInSession ? [...LISTS.values()] : [asked];
  return (text) => {
    if (asked === undefined && !LIST_MARK.test(text)) return text;
    const parsed = parseJsonText(text, ANSWER_JSON);
    if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
    if (withoutHiddenNews(text, view, server) === '') return '';
    const { policy, caller, nowSeconds } = view();
    const mayCall = (method: string, name: string): boolean => {
      const action = { server, kind: 'request', method, name, arguments: 'unseen' } as const;
      return isAllowed(policy, caller, action, nowSeconds);
    };
    return pruneLists(withOneResult(text, parsed.value), rules, asked, (rule, item) => {
      const name = nameIn(item, rule);
      return name !== undefined && mayCall(rule.method, name);
    });
  };
}

type Answer = { readonly text: string; readonly answer: JsonObject };

/** What an item is called by; undefined where readers differ about it, or find nothing. */
function nameIn(item: Json, { name }: ListRule): string | undefined {
  if (!isJsonObject(item)) return undefined;
  const [called, ...others] = membersLike(item, name);
  return typeof called === 'string' && others.length === 0 && item.has(name) ? called : undefined;
}

function pruneLists(
  { text, answer }: Answer,
  rules: readonly ListRule[],
  asked: ListRule | undefined,
  stays: (rule: ListRule, item: Json) => boolean,
): string | undefined {
  const listed = answer.get('result');
  if (listed === undefined) return asked === undefined ? text : writeJson(answer);
  if (!isJsonObject(listed)) return undefined;
  const result = inOneSpelling(
    listed,
    rules.map(({ items }) => items),
  );
  // What was looked at only because of how it is written passes as it is written.
  if (asked === undefined && result === listed && !rules.some(({ items }) => result.has(items))) return text;
  const pruned = new Map(inOneSpelling(result, ['cacheScope']));
  for (const rule of rules) {
    const items = result.get(rule.items);
    if (items === undefined && rule !== asked) continue;
    if (!isJsonArray(items)) return undefined;
    pruned.set(
      rule.items,
      items.filter((item) => stays(rule, item)),
    );
    pruned.set('cacheScope', 'private');
  }
  return writeJson(new Map(answer).set('result', pruned));
}

/**
 * Who may read is decided caller by caller, so what was read is for that caller alone, whatever the server says. An answer that says
 * nothing of caching, a question to the client among them, passes as it is: clients take it for private.
 */
function keepPrivate(text: string): string | undefined {
  if (!CACHE_MARK.test(text)) return text;
  const parsed = parseJsonText(text, ANSWER_JSON);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { text: written, answer } = withOneResult(text, parsed.value);
  const given = answer.get('result');
  if (!isJsonObject(given)) return written;
  const result = inOneSpelling(given, ['cacheScope']);
  if (result === given && !result.has('cacheScope')) return written;
  return writeJson(new Map(answer).set('result', new Map(result).set('cacheScope', 'private')));
}

/** An answer without what some readers take for another result, and as it is written where it has no such thing. */
function withOneResult(text: string, given: JsonObject): Answer {
  const answer = inOneSpelling(given, ['result']);
  return { text: answer === given ? text : writeJson(answer), answer };
}
