import type { Caller } from './caller.ts';
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
import type { Policy } from './policy.ts';
import { membersLike } from './spelling.ts';

/** By what is pruned: what holds now, each time that it is asked for. A stream may be older than the policy. */
export type View = () => { readonly policy: Policy; readonly caller: Caller; readonly nowSeconds: number };

/** What a server sends of its own accord about one resource: the one message of the protocol that names what nobody asked for. */
const RESOURCE_UPDATED = 'notifications/resources/updated';

const END_OF_NAME = Buffer.from('/updated"');
const ESCAPE = Buffer.from('\\u00');
/** How a letter of the name can begin where it is escaped, or its last slash. */
const ESCAPED_LETTER = /\\u00(?:6|7|2[fF])/;

/** Can there be news in these bytes? It costs little where there are none: streams of many megabytes are asked about. */
export function mayBeNews(bytes: Buffer): boolean {
  if (bytes.includes(END_OF_NAME)) return true;
  return bytes.includes(ESCAPE) && ESCAPED_LETTER.test(bytes.toString('latin1'));
}

/** Whatever a reader makes of a message, one that takes it for news reads this in it. */
const NEWS = /"method"\s*:\s*"notifications\/resources\/updated"/i;
const ESCAPED = /\\u00([2-7][0-9a-f])|\\\//gi;

/**
 * A message of a server, or a batch, without the news of resources that the caller may not read, and those that name none: the same text
 * where it holds no such, an empty one where nothing is left. Undefined for what cannot be read but where some reader could find news.
 */
export function withoutHiddenNews(text: string, view: View, server: string): string | undefined {
  if (!NEWS.test(unescaped(text))) return text;
  const parsed = parseJsonText(text, ANSWER_JSON);
  if (!parsed.ok) return undefined;
  const isHidden = (message: Json): boolean =>
    isJsonArray(message) ? message.some(isHidden) : isNews(message) && !mayBeTold(message, view(), server);
  if (!isJsonArray(parsed.value)) return isHidden(parsed.value) ? '' : text;
  const told = parsed.value.filter((message) => !isHidden(message));
  if (told.length === parsed.value.length) return text;
  return told.length === 0 ? '' : writeJson(told);
}

function isNews(message: Json): message is JsonObject {
  return isJsonObject(message) && membersLike(message, 'method').includes(RESOURCE_UPDATED);
}

/** What names two things in two cases names another to each reader, so it may not be told. */
function mayBeTold(
  message: JsonObject,
  { policy, caller, nowSeconds }: ReturnType<View>,
  server: string,
): boolean {
  const [name, ...others] = membersLike(message, 'params').flatMap((params) =>
    isJsonObject(params) ? membersLike(params, 'uri') : [null],
  );
  if (typeof name !== 'string' || others.length > 0) return false;
  const action = { server, kind: 'request', method: 'resources/read', name, arguments: 'unseen' } as const;
  return isAllowed(policy, caller, action, nowSeconds);
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPED, (_, code?: string) =>
    code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
