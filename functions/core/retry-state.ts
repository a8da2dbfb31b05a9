import type { Message } from './action.ts';
import { wholeSeconds } from './compact-jws.ts';
import { isJsonObject, type Json, member, parseJsonText, stringMember, writeJson } from './json.ts';
import { CONNECT_REQUEST } from './mcp-denial.ts';
import { CAPABILITIES_META } from './spelling.ts';

/** How long a client has to send a request again that it was asked to, in seconds (contract §13, as of the connect state). */
export const RETRY_SECONDS = 600;

/**
 * What a `requestState` of ours says: which request was answered by asking for a connection (mcp 2026-07-28 §mrtr). It travels sealed. The
 * call never reached the server behind; but it may have been the next step of what that one asked for, which ours takes the place of.
 */
export type RetryState = {
  /** `Caller.key`. */
  readonly caller: string;
  readonly server: string;
  readonly method: string;
  readonly name: string;
  readonly expiresAtSeconds: number;
  /** By {@link ownStepOf}; undefined where there is none, as in what an older version has sealed. */
  readonly step: string | undefined;
};

/** What is longer is not carried: the server behind asks again. */
const MAX_STEP_CHARACTERS = 16_384;
const OF_A_STEP: readonly string[] = ['requestState', 'inputResponses'];

/** What a request says to the server behind about a question of that server's, as JSON; undefined where it says nothing, or too much. */
export function ownStepOf({ body }: Message): string | undefined {
  const params = body.get('params');
  const step = isJsonObject(params) ? [...params].filter(([name]) => OF_A_STEP.includes(name)) : [];
  const text = step.length === 0 ? undefined : writeJson(new Map(step));
  return text !== undefined && text.length <= MAX_STEP_CHARACTERS ? text : undefined;
}

/** The text of a state. */
export function writeRetryState({
  caller,
  server,
  method,
  name,
  expiresAtSeconds,
  step,
}: RetryState): string {
  return JSON.stringify({ c: caller, s: server, m: method, n: name, e: expiresAtSeconds, b: step });
}

/** A state from its text; undefined where it is none, which a text that we sealed never is. Does NOT check what it says. */
export function readRetryState(text: string): RetryState | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const caller = stringMember(parsed.value, 'c');
  const server = stringMember(parsed.value, 's');
  const method = stringMember(parsed.value, 'm');
  const name = stringMember(parsed.value, 'n');
  const expiresAtSeconds = wholeSeconds(parsed.value.get('e'));
  if (!caller || !server || !method || !name || expiresAtSeconds === undefined) return undefined;
  return { caller, server, method, name, expiresAtSeconds, step: stringMember(parsed.value, 'b') };
}

/** The `requestState` of a request, ours or the server's; undefined where it carries none, or the method takes none. */
export function requestStateOf(message: Message): string | undefined {
  return takesInput(message) ? stringMember(message.body.get('params'), 'requestState') : undefined;
}

/** What the user said to our request; undefined where the client does not say. */
export function answerToConnect({ body }: Message): 'accept' | 'decline' | 'cancel' | undefined {
  const answer = member(member(body.get('params'), 'inputResponses'), CONNECT_REQUEST);
  const action = stringMember(answer, 'action');
  return action === 'accept' || action === 'decline' || action === 'cancel' ? action : undefined;
}

/**
 * The request as it was before it was sent again to us: without our state and answers to what we asked, and with the step of the server
 * behind that they took the place of.
 */
export function withoutRetry(message: Message, step: string | undefined): Message {
  const params = message.body.get('params');
  if (!isJsonObject(params)) return message;
  const own = parseJsonText(step ?? '{}');
  const kept = new Map([
    ...[...params].filter(([name]) => !OF_A_STEP.includes(name)),
    ...(own.ok && isJsonObject(own.value) ? own.value : []),
  ]);
  return { ...message, body: new Map([...message.body, ['params', kept]]) };
}

/** Can the client be asked to have its user open a URL: by the era, the method, and what it declares (mcp 2026-07-28 §elicitation)? */
export function canBeAsked(message: Message): boolean {
  const capabilities = member(member(message.body.get('params'), '_meta'), CAPABILITIES_META);
  return takesInput(message) && isJsonObject(urlElicitation(capabilities));
}

function urlElicitation(capabilities: Json | undefined): Json {
  return member(member(capabilities, 'elicitation'), 'url') ?? null;
}

/** Methods whose answer may be that input is required. */
const ASKING: ReadonlySet<string | undefined> = new Set(['tools/call', 'prompts/get', 'resources/read']);

function takesInput({ era, kind, method }: Message): boolean {
  return era === 'modern' && kind === 'request' && ASKING.has(method);
}
