import {
  isJsonArray,
  isJsonObject,
  type Json,
  JsonNumber,
  type JsonObject,
  member,
  parseJson,
  stringMember,
} from './json.ts';
import { err, ok, type Result } from './result.ts';
import { compareNumbers } from './rules/exact-number.ts';
import { decodeSentinel, isHeaderText } from './sentinel.ts';
import { hasOneReading, VERSION_META } from './spelling.ts';

/** The stateless revision, whose requests mirror method and name in headers. */
export const MODERN_VERSION = '2026-07-28';

/** Revisions of the `initialize` era that the gateway carries. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-03-26', '2025-06-18', '2025-11-25'];

/** Which of the two protocol eras a message belongs to. */
export type Era = 'modern' | 'legacy';

/** The JSON-RPC id of a request. */
export type RequestId = string | JsonNumber;

/** One MCP message as it was parsed; `body` is what will be written again and sent. */
export type Message = {
  readonly era: Era;
  readonly kind: 'request' | 'notification' | 'response';
  readonly id: RequestId | undefined;
  readonly method: string | undefined;
  /** What the method addresses: a tool, a prompt, a resource URI, a task; undefined where it addresses nothing. */
  readonly name: string | undefined;
  readonly body: JsonObject;
};

/**
 * The arguments of a call. `unseen`: whoever decides now has not got them, and whoever sends them decides again. `unreadable`: there are
 * some, and none that a constraint could be held against, so that no constraint is met.
 */
export type CallArguments = JsonObject | 'unseen' | 'unreadable';

/** What is decided on: never more than what was verified to be in the message, or in headers that must equal it. */
export type Action = {
  readonly server: string;
  readonly kind: Message['kind'];
  readonly method: string | undefined;
  readonly name: string | undefined;
  /** Of `tools/call`; they are `unseen` of everything else, which nothing constrains by its arguments. */
  readonly arguments: CallArguments;
};

/** Why a message is refused before any policy is asked. `id` is its JSON-RPC id where one could be read. */
export type MessageRefusal = {
  readonly reason: 'malformed_message';
  readonly code: -32700 | -32600 | -32602 | -32020 | -32022;
  readonly message: string;
  readonly id: RequestId | undefined;
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
};

const MAX_METHOD_LENGTH = 128;
/** Longer names name nothing that exists, and would only fill records. In UTF-16 units. */
export const MAX_NAME_LENGTH = 2_048;

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'] as const;

/** The member of `params` that holds what a method addresses (mcp 2026-07-28 §transports, SEP-2663 for tasks). */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** Is a message of this method refused where it names nothing, in either era? */
export function isNamed(method: string): boolean {
  return NAMED_BY.has(method);
}

/** Methods of the `initialize` era that address something without a header for it. */
const LEGACY_NAMED_BY: ReadonlyMap<string, string> = new Map([
  ['resources/subscribe', 'uri'],
  ['resources/unsubscribe', 'uri'],
]);

/**
 * Reads one MCP message: strict JSON, one JSON-RPC 2.0 request, notification or response (no batch), envelope members in
 * their exact spelling, `params` an object, a name where the method needs one; then headers = body, in each of the forms
 * of the modern transport, sentinel encoding included. A header that mirrors the body is held to it in either era. Answers
 * of clients exist in the `initialize` era alone. What some reader could take for another member than we do is refused:
 * the protocol's own members in another case, and `__proto__` beside them; arguments are data and travel as they are.
 */
export function readMessage(bytes: Uint8Array, headers: Headers): Result<Message, MessageRefusal> {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return refuse(-32700, `parse error: ${parsed.error.detail}`);
  const body = parsed.value;
  if (isJsonArray(body)) return refuse(-32600, 'batches are not accepted; send one message per request');
  if (!isJsonObject(body)) return refuse(-32600, 'a JSON-RPC message is an object');

  const id = readId(body);
  const shape = readShape(body);
  if (shape === undefined) return refuse(-32600, 'not a JSON-RPC 2.0 request, notification or response', id);
  const { kind, method } = shape;
  const params = body.get('params');
  if (params !== undefined && !isJsonObject(params)) return refuse(-32602, '`params` must be an object', id);
  if (!hasOneReading(params))
    return refuse(-32602, 'a member of `params` could be taken for another one', id);

  const bodyVersion = member(member(params, '_meta'), VERSION_META);
  const headerVersion = headers.get('mcp-protocol-version') ?? undefined;
  const isModern = bodyVersion !== undefined || headerVersion === MODERN_VERSION;
  const version = checkVersion(headerVersion, bodyVersion, kind, id);
  if (!version.ok) return version;
  if (isModern && kind === 'response') {
    return refuse(-32600, 'this protocol version has no answers of clients', id);
  }

  const named = method === undefined ? undefined : readName(method, params, isModern);
  if (named?.missing) return refuse(-32602, `\`params.${named.member}\` must be a non-empty string`, id);
  if (isTooLong(method, named?.value)) {
    return refuse(-32602, 'the method or the name is too long', id);
  }
  const message: Message = {
    era: isModern ? 'modern' : 'legacy',
    kind,
    id,
    method,
    name: named?.value,
    body,
  };
  const agreement = checkAgreement(message, headers);
  return agreement === undefined ? ok(message) : refuse(-32020, agreement, id);
}

/** The action of a message on a server. */
export function toAction(server: string, message: Message): Action {
  const { kind, method, name } = message;
  return { server, kind, method, name, arguments: method === 'tools/call' ? argumentsOf(message) : 'unseen' };
}

/** A call without arguments has none (mcp §tools): an empty object. */
function argumentsOf({ body }: Message): CallArguments {
  const given = member(body.get('params'), 'arguments');
  if (given === undefined) return new Map();
  return isJsonObject(given) ? given : 'unreadable';
}

/**
 * What the headers of a modern request say that its body holds; undefined where they say too little to decide on (the
 * `initialize` era, a missing or malformed header). Sound only because the body is held to the same headers later.
 */
export function actionFromHeaders(server: string, headers: Headers): Action | undefined {
  if (headers.get('mcp-protocol-version') !== MODERN_VERSION) return undefined;
  const method = headers.get('mcp-method');
  if (method === null || method === '' || !isHeaderText(method)) return undefined;
  if (method.startsWith('notifications/')) return undefined;
  const name = decodeSentinel(headers.get('mcp-name') ?? '');
  if (NAMED_BY.has(method) !== (name !== undefined && name !== '')) return undefined;
  // What is longer is refused when its body is seen.
  if (isTooLong(method, name)) return undefined;
  return {
    server,
    kind: 'request',
    method,
    name: NAMED_BY.has(method) ? name : undefined,
    arguments: 'unseen',
  };
}

function isTooLong(method = '', name = ''): boolean {
  return method.length > MAX_METHOD_LENGTH || name.length > MAX_NAME_LENGTH;
}

function readId(body: JsonObject): RequestId | undefined {
  const id = body.get('id');
  if (typeof id === 'string') return id;
  return id instanceof JsonNumber && /^-?(?:0|[1-9][0-9]{0,15})$/.test(id.lexeme) ? id : undefined;
}

function readShape(body: JsonObject): Pick<Message, 'kind' | 'method'> | undefined {
  if (body.get('jsonrpc') !== '2.0') return undefined;
  for (const name of body.keys()) {
    if (!ENVELOPE.some((known) => known === name)) return undefined;
  }
  const isAnswer = body.has('result') !== body.has('error');
  const method = body.get('method');
  if (isAnswer) {
    const whole = !body.has('method') && !body.has('params') && readId(body) !== undefined;
    return whole ? { kind: 'response', method: undefined } : undefined;
  }
  if (body.has('result') || typeof method !== 'string' || method === '') return undefined;
  if (!body.has('id')) return { kind: 'notification', method };
  return readId(body) === undefined ? undefined : { kind: 'request', method };
}

function readName(
  method: string,
  params: Json | undefined,
  isModern: boolean,
): { readonly member: string; readonly value: string | undefined; readonly missing: boolean } | undefined {
  // The stateless revision has no such methods; its servers say so themselves.
  const name = NAMED_BY.get(method) ?? (isModern ? undefined : LEGACY_NAMED_BY.get(method));
  if (name === undefined) return undefined;
  const value = stringMember(params, name);
  return { member: name, value, missing: value === undefined || value === '' };
}

function checkVersion(
  header: string | undefined,
  body: Json | undefined,
  kind: Message['kind'],
  id: RequestId | undefined,
): Result<void, MessageRefusal> {
  if (body !== undefined && typeof body !== 'string') {
    return refuse(-32602, `\`params._meta["${VERSION_META}"]\` must be a string`, id);
  }
  if (body !== undefined && header !== body) {
    return refuse(-32020, 'the MCP-Protocol-Version header does not match the body', id);
  }
  if (header === MODERN_VERSION && kind === 'request' && body === undefined) {
    return refuse(-32602, `\`params._meta["${VERSION_META}"]\` is required`, id);
  }
  if (header !== undefined && header !== MODERN_VERSION && !LEGACY_VERSIONS.includes(header)) {
    return refuse(-32022, 'unsupported protocol version', id, {
      // A request that says its version in the body asks for the stateless era, which has one revision.
      supported: body === undefined ? [MODERN_VERSION, ...LEGACY_VERSIONS] : [MODERN_VERSION],
      requested: header,
    });
  }
  return ok(undefined);
}

/** What is wrong between headers and body, in words; undefined where they agree. */
function checkAgreement(message: Message, headers: Headers): string | undefined {
  const method = headers.get('mcp-method');
  const name = headers.get('mcp-name');
  const mustMirror = message.era === 'modern' && message.kind === 'request';
  if (method === null ? mustMirror : method !== message.method || !isHeaderText(method)) {
    return 'the Mcp-Method header does not match the body';
  }
  return checkName(message, name, mustMirror) ?? checkParameters(message, headers);
}

function checkName(message: Message, name: string | null, mustMirror: boolean): string | undefined {
  const hasNameHeader = message.method !== undefined && NAMED_BY.has(message.method);
  if (name === null) {
    return mustMirror && hasNameHeader ? 'the Mcp-Name header is missing' : undefined;
  }
  if (!hasNameHeader) return 'the Mcp-Name header is not defined for this method';
  return decodeSentinel(name) === message.name ? undefined : 'the Mcp-Name header does not match the body';
}

const PARAMETER = 'mcp-param-';
const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Headers that repeat another argument than that of their own name: a tool that crosses more of them is nobody's. */
const MAX_CROSSED = 16;

/**
 * A parameter header repeats an argument of a call (mcp 2026-07-28 §transports), and only the tool's schema says which: one beside an argument
 * of its own name repeats that one, or else another, at any depth of objects. Objects and lists have no header.
 */
function checkParameters(message: Message, headers: Headers): string | undefined {
  const mirrored = new Map([...headers].filter(([name]) => name.startsWith(PARAMETER)));
  const given = message.method === 'tools/call' && mirrored.size > 0 ? argumentsOf(message) : undefined;
  if (given === undefined || typeof given === 'string') return undefined;
  let crossed = 0;
  for (const [name, value] of given) {
    const header = mirrored.get(`${PARAMETER}${name.toLowerCase()}`);
    if (header === undefined || isJsonArray(value) || isJsonObject(value)) continue;
    const text = decodeSentinel(header);
    if (isRepeatedBy(value, text)) continue;
    crossed += 1;
    if (crossed > MAX_CROSSED || !isRepeatedWithin(given, text)) {
      return 'an Mcp-Param header does not match the body';
    }
  }
  return undefined;
}

function isRepeatedWithin(given: JsonObject, text: string | undefined): boolean {
  return [...given.values()].some((value) => {
    if (isJsonArray(value)) return false;
    return isJsonObject(value) ? isRepeatedWithin(value, text) : isRepeatedBy(value, text);
  });
}

function isRepeatedBy(value: null | boolean | string | JsonNumber, text: string | undefined): boolean {
  if (text === undefined || value === null) return false;
  if (!(value instanceof JsonNumber)) return String(value) === text;
  return NUMBER.test(text) && compareNumbers(text, value.lexeme) === 0;
}

function refuse(
  code: MessageRefusal['code'],
  message: string,
  id?: RequestId,
  data?: MessageRefusal['data'],
): Result<never, MessageRefusal> {
  return err({ reason: 'malformed_message', code, message, id, ...(data ? { data } : {}) });
}
