import { RPC_OF_GATEWAY } from './denial-wire.ts';
import {
  ANSWER_JSON,
  isJsonArray,
  isJsonObject,
  type Json,
  JsonNumber,
  member,
  parseJsonText,
  stringMember,
} from './json.ts';
import { CONNECT_REQUEST } from './mcp-denial.ts';

const MARKS: readonly string[] = [CONNECT_REQUEST, '"error"', 'licitation', '"inputRequests"', '\\u00'];

/** Can a message in these bytes speak in the gateway's name? It costs little to ask of many megabytes. */
export function mayImpersonate(bytes: Buffer): boolean {
  return MARKS.some((mark) => bytes.includes(mark));
}

/**
 * Does a message of a server behind speak in the gateway's name: with an error code of ours, with our key among what it asks of the user,
 * or by having the user open a page at our origin? What is no JSON, or a batch with such in it, does where any reader could find that. Does
 * NOT say that what passes is honest: a server may have users open pages of its own, and clients show them where a URL leads (mcp
 * 2025-11-25 §elicitation).
 */
export function impersonates(text: string, origin: string): boolean {
  const parsed = parseJsonText(text, ANSWER_JSON);
  if (!parsed.ok) return OURS_IN_TEXT.test(text.replace(ESCAPED, letterOf));
  const messages = isJsonArray(parsed.value) ? parsed.value : [parsed.value];
  return messages.some((message) => isOurs(message) || openedUrls(message).some((url) => isAt(url, origin)));
}

/** What a reader of something that is no JSON to us could still take for ours. */
const OURS_IN_TEXT = /sallyport_connect|"code"\s*:\s*-3(?:100[1-5]|\.)/;
const ESCAPED = /\\u00([2-7][0-9a-f])/gi;

function letterOf(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

function isOurs(message: Json): boolean {
  const code = member(member(message, 'error'), 'code');
  if (code instanceof JsonNumber && RPC_OF_GATEWAY.has(code.toNumber())) return true;
  return member(member(member(message, 'result'), 'inputRequests'), CONNECT_REQUEST) !== undefined;
}

/** The URLs that a message asks a user to open, in either era. */
function openedUrls(message: Json): readonly string[] {
  const asked = member(member(message, 'result'), 'inputRequests');
  const elicitations = member(member(member(message, 'error'), 'data'), 'elicitations');
  return [
    ...(isJsonObject(asked) ? [...asked.values()].map((request) => member(request, 'params')) : []),
    ...(isJsonArray(elicitations) ? elicitations : []),
    ...(stringMember(message, 'method') === 'elicitation/create' ? [member(message, 'params')] : []),
  ].flatMap((params) => stringMember(params, 'url') ?? []);
}

function isAt(url: string, origin: string): boolean {
  return URL.parse(url)?.origin === origin;
}
