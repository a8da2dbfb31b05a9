import { type Action, isNamed } from './action.ts';
import type { Actions } from './addressed.ts';
import { stringList } from './compact-jws.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** Somebody whom an administrator asks about; what is absent is what the configuration gives. */
export type AssumedCaller = {
  readonly orgId: string | undefined;
  readonly clientId: string;
  readonly subject?: string;
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  readonly teams?: readonly string[];
};

/** What is to be explained: one action with what it points at, of the one who asks or of somebody assumed. */
export type ExplainRequest = { readonly actions: Actions; readonly caller: AssumedCaller | undefined };

const MEMBERS: ReadonlySet<string> = new Set(['server', 'method', 'name', 'arguments', 'caller']);
const CALLER_MEMBERS: ReadonlySet<string> = new Set([
  'org_id',
  'client_id',
  'subject',
  'groups',
  'scopes',
  'teams',
]);
/** As long as what a message may name (core/action). */
const MAX_NAME_CHARACTERS = 2_048;
const MAX_ID_CHARACTERS = 255;
const MAX_LIST = 100;

/**
 * Reads `{server, method, name?, arguments?, caller?}`. Arguments are those of a call; without them the answer is what holds before anybody
 * sees them. The refusal is for its sender.
 */
export function readExplainRequest(body: Json): Result<ExplainRequest, string> {
  if (!isJsonObject(body)) return err('send JSON: {"server": "…", "method": "tools/call", "name": "…"}');
  if ([...body.keys()].some((name) => !MEMBERS.has(name)))
    return err(`only ${quoted(MEMBERS)} can be asked about`);
  const server = text(body, 'server', MAX_ID_CHARACTERS);
  const method = text(body, 'method', 128);
  if (server === undefined || method === undefined) return err('`server` and `method` are texts');
  const name = text(body, 'name', MAX_NAME_CHARACTERS);
  if (body.has('name') && name === undefined) return err('`name` is the name of a tool or prompt, or a URI');
  const given = body.get('arguments');
  if (given !== undefined && (!isJsonObject(given) || method !== 'tools/call')) {
    return err('`arguments` is an object, and of `tools/call` alone');
  }
  const caller = readCaller(body.get('caller'));
  if (!caller.ok) return caller;
  if (name === undefined && (isNamed(method) || method === 'completion/complete')) {
    return err(`\`${method}\` needs a \`name\``);
  }
  const kind = method.startsWith('notifications/') ? 'notification' : 'request';
  const own: Action = { server, kind, method, name, arguments: given ?? 'unseen' };
  return ok({ actions: withAddressed(own), caller: caller.value });
}

/** What has a scheme is a URI (RFC 3986 §3.1), and anything else the name of a prompt. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:/;

/** An action as the gateway decides it: what is completed or listened to is no name of its own there, but must be allowed too. */
function withAddressed(own: Action): Actions {
  const { method, name } = own;
  const isCompletion = method === 'completion/complete';
  if (name === undefined || (!isCompletion && method !== 'subscriptions/listen')) return [own];
  const addressed = isCompletion && !URI.test(name) ? 'prompts/get' : 'resources/read';
  return [
    { ...own, name: undefined },
    { ...own, method: addressed },
  ];
}

function readCaller(value: Json | undefined): Result<AssumedCaller | undefined, string> {
  if (value === undefined) return ok(undefined);
  if (!isJsonObject(value)) return err('`caller` is an object: {"client_id": "…"}');
  if ([...value.keys()].some((name) => !CALLER_MEMBERS.has(name))) {
    return err(`a \`caller\` has ${quoted(CALLER_MEMBERS)}`);
  }
  const clientId = text(value, 'client_id', MAX_ID_CHARACTERS);
  if (clientId === undefined) return err('`caller.client_id` is the id of a client');
  for (const member of ['org_id', 'subject']) {
    if (value.has(member) && text(value, member, MAX_ID_CHARACTERS) === undefined) {
      return err(`\`caller.${member}\` is a text`);
    }
  }
  const lists: Record<string, readonly string[]> = {};
  for (const member of ['groups', 'scopes', 'teams']) {
    const list = value.has(member) ? stringList(value.get(member)) : [];
    if (list === undefined || list.length > MAX_LIST) return err(`\`caller.${member}\` is a list of names`);
    if (value.has(member)) lists[member] = list;
  }
  const subject = text(value, 'subject', MAX_ID_CHARACTERS);
  return ok({
    orgId: text(value, 'org_id', MAX_ID_CHARACTERS),
    clientId,
    ...(subject === undefined ? {} : { subject }),
    ...lists,
  });
}

function text(object: JsonObject, member: string, maxCharacters: number): string | undefined {
  const value = object.get(member);
  return typeof value === 'string' && value !== '' && value.length <= maxCharacters ? value : undefined;
}

function quoted(names: ReadonlySet<string>): string {
  return [...names].map((name) => `\`${name}\``).join(', ');
}
