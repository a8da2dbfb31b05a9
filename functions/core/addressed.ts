import { type Action, MAX_NAME_LENGTH, type Message, type MessageRefusal, toAction } from './action.ts';
import { recordedName } from './audit.ts';
import { isJsonArray, type Json, member, stringMember } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** What one message needs: its own action first, then those of what it points at. */
export type Actions = readonly [own: Action, ...addressed: readonly Action[]];

/**
 * Everything that must be allowed for a message to pass: its own action, and one for each thing that its parameters point at beside
 * that. To complete an argument of a prompt or a resource template one must be able to get or read it, and to listen for changes of a
 * resource, to read it (mcp 2026-07-28 §completion, §subscriptions). What points at nothing that can be decided on is refused, and what
 * points at more than 100 things, at one of more than 2,048 characters, or at more than 16,384 characters in all.
 */
export function actionsOf(server: string, message: Message): Result<Actions, MessageRefusal> {
  const own = toAction(server, message);
  const params = message.body.get('params');
  const addressed = message.method === undefined ? [] : addressedBy(message.method, params);
  if (addressed === undefined) {
    return err({
      reason: 'malformed_message',
      code: -32602,
      message: `\`params\` of \`${message.method}\` do not say what is meant`,
      id: message.id,
    });
  }
  return ok([
    own,
    ...addressed.map((one): Action => ({ server, kind: 'request', ...one, arguments: 'unseen' })),
  ]);
}

/** What a message is about, as a record has it: its name, or those of what its parameters point at beside that, each without secrets. */
export function addressOf({ method, name, body }: Message): string | undefined {
  if (name !== undefined) return recordedName(method, name);
  const addressed = method === undefined ? [] : (addressedBy(method, body.get('params')) ?? []);
  const names = addressed.map((one) => recordedName(one.method, one.name));
  return names.length > 0 ? names.join(' ') : undefined;
}

type Addressed = { readonly method: string; readonly name: string };

/** Each is a decision of its own, and costs what it is long. */
const MAX_ADDRESSED = 100;
const MAX_ADDRESSED_LENGTH = 16_384;

/** Undefined where the parameters are not in the form of the method, or point at more than anybody can want. */
function addressedBy(method: string, params: Json | undefined): readonly Addressed[] | undefined {
  const addressed = readAddressed(method, params);
  if (addressed === undefined || addressed.length > MAX_ADDRESSED) return undefined;
  const length = addressed.reduce((sum, { name }) => sum + name.length, 0);
  if (length > MAX_ADDRESSED_LENGTH) return undefined;
  return addressed.every(({ name }) => name.length <= MAX_NAME_LENGTH) ? addressed : undefined;
}

function readAddressed(method: string, params: Json | undefined): readonly Addressed[] | undefined {
  switch (method) {
    case 'completion/complete':
      return completed(member(params, 'ref'));
    case 'subscriptions/listen':
      return listened(member(member(params, 'notifications'), 'resourceSubscriptions'));
    default:
      return [];
  }
}

function completed(ref: Json | undefined): readonly Addressed[] | undefined {
  const isPrompt = stringMember(ref, 'type') === 'ref/prompt';
  if (!isPrompt && stringMember(ref, 'type') !== 'ref/resource') return undefined;
  const name = stringMember(ref, isPrompt ? 'name' : 'uri');
  if (name === undefined || name === '') return undefined;
  return [{ method: isPrompt ? 'prompts/get' : 'resources/read', name }];
}

function listened(uris: Json | undefined): readonly Addressed[] | undefined {
  if (uris === undefined) return [];
  if (!isJsonArray(uris)) return undefined;
  const named = uris.flatMap((uri) => (typeof uri === 'string' && uri !== '' ? [uri] : []));
  return named.length === uris.length ? named.map((name) => ({ method: 'resources/read', name })) : undefined;
}
