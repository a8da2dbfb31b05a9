import type { Header } from '../grammar-message.ts';
import { caseless, type Tree, writeTree } from './json-tree.ts';
import { EXACT_READERS, textOf } from './lenient-readers.ts';

/** What a message is to the gateway, by an independent reading of contract §6 and the 2026-07-28 transport. */
export type Expected = {
  readonly era: 'modern' | 'legacy';
  readonly kind: 'request' | 'notification' | 'response';
  readonly method: string | undefined;
  readonly name: string | undefined;
};

const MODERN = '2026-07-28';
const LEGACY = ['2025-03-26', '2025-06-18', '2025-11-25'];
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
const WITH_HEADER: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};
const WITHOUT_HEADER: Readonly<Record<string, string>> = {
  'resources/subscribe': 'uri',
  'resources/unsubscribe': 'uri',
};
/** Members with a meaning, by where they stand. */
const EXACT: readonly (readonly [path: readonly string[], names: readonly string[]])[] = [
  [
    [],
    ['_meta', 'name', 'uri', 'taskId', 'arguments', 'inputResponses', 'requestState', 'ref', 'notifications'],
  ],
  [['_meta'], [VERSION_META]],
  [['ref'], ['type', 'name', 'uri']],
  [['notifications'], ['resourceSubscriptions']],
];

const member = EXACT_READERS[0]?.member ?? (() => undefined);

/** A header's value as HTTP has it: repeated ones joined, white space around them gone; null where it is absent. */
export function headerOf(headers: readonly Header[], name: string): string | null {
  const trim = (value: string) => value.replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '');
  const values = headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => trim(value));
  return values.length === 0 ? null : trim(values.join(', '));
}

/** The member of `params` that a header mirrors; undefined where the method has none. */
export function mirroredMember(method: string | undefined): string | undefined {
  return method !== undefined && Object.hasOwn(WITH_HEADER, method) ? WITH_HEADER[method] : undefined;
}

/** The id of a message, as text, where it is one that can be answered. */
export function idOf(tree: Tree): string | undefined {
  const id = member(tree, 'id');
  if (id?.kind === 'string') return writeTree(id);
  return id?.kind === 'scalar' && /^-?(?:0|[1-9]\d{0,15})$/.test(id.lexeme) ? id.lexeme : undefined;
}

/** The message, where it is to be accepted; undefined where it is to be refused. */
export function expectedMessage(tree: Tree, headers: readonly Header[]): Expected | undefined {
  const kind = kindOf(tree);
  const params = member(tree, 'params');
  if (kind === undefined || (params !== undefined && params.kind !== 'object')) return undefined;
  const method = textOf(member(tree, 'method'));
  const meta = member(params, '_meta');
  const isExactly = EXACT.every(([path, names]) => isExact(path.reduce(member, params), names));
  if (!isExactly) return undefined;

  const stated = member(meta, VERSION_META);
  const version = headerOf(headers, 'mcp-protocol-version');
  if (stated !== undefined && (textOf(stated) === undefined || textOf(stated) !== version)) return undefined;
  if (version !== null && version !== MODERN && !LEGACY.includes(version)) return undefined;
  const isModern = stated !== undefined || version === MODERN;
  if (isModern && kind === 'request' && stated === undefined) return undefined;
  if (isModern && kind === 'response') return undefined;

  const mirrored = mirroredMember(method);
  const byLegacy =
    method !== undefined && !isModern && Object.hasOwn(WITHOUT_HEADER, method)
      ? WITHOUT_HEADER[method]
      : undefined;
  const holder = mirrored ?? byLegacy;
  const name = holder === undefined ? undefined : textOf(member(params, holder));
  if (holder !== undefined && (name === undefined || name === '')) return undefined;
  if ((method ?? '').length > 128 || (name ?? '').length > 2_048) return undefined;

  const methodHeader = headerOf(headers, 'mcp-method');
  const nameHeader = headerOf(headers, 'mcp-name');
  const mustMirror = isModern && kind === 'request';
  if (methodHeader === null ? mustMirror : !says(methodHeader, method, readAsIs)) return undefined;
  if (
    nameHeader === null
      ? mustMirror && mirrored !== undefined
      : mirrored === undefined || !says(nameHeader, name, readSentinel)
  ) {
    return undefined;
  }
  return { era: isModern ? 'modern' : 'legacy', kind, method, name };
}

/** Does a header say this text to every reader? */
export function says(
  header: string,
  text: string | undefined,
  exactly: (value: string) => string | undefined,
): boolean {
  return [exactly, ...(exactly === readAsIs ? [readUtf8] : LENIENT_SENTINELS)].every(
    (read) => read(header) === text,
  );
}

/** A header that is never encoded. */
export function readAsIs(value: string): string {
  return value;
}

/** The Base64 sentinel as the specification has it: exact marks, canonical Base64 of UTF-8. */
export function readSentinel(value: string): string | undefined {
  const encoded =
    value.length >= 11 && value.startsWith('=?base64?') && value.endsWith('?=')
      ? value.slice(9, -2)
      : undefined;
  if (encoded === undefined) return value;
  const isCanonical = /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) && btoa(safeAtob(encoded)) === encoded;
  const text = Buffer.from(encoded, 'base64').toString();
  return isCanonical && Buffer.from(text).toString('base64') === encoded ? text : undefined;
}

/** Readers of the sentinel that are laxer than the specification. */
const LENIENT_SENTINELS: readonly ((value: string) => string | undefined)[] = [
  readUtf8ThenSentinel,
  (value) =>
    value.startsWith('=?base64?') && value.endsWith('?=')
      ? Buffer.from(value.slice(9, -2), 'base64').toString()
      : value,
  (value) =>
    /^=\?base64\?.*\?=$/i.test(value) ? Buffer.from(value.slice(9, -2), 'base64').toString() : value,
];

/** Header bytes that are taken for UTF-8, where `Headers` has Latin-1. */
function readUtf8(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

function readUtf8ThenSentinel(value: string): string | undefined {
  return readSentinel(readUtf8(value));
}

function safeAtob(encoded: string): string {
  try {
    return atob(encoded);
  } catch {
    return '\0';
  }
}

function kindOf(tree: Tree): Expected['kind'] | undefined {
  if (tree.kind !== 'object' || textOf(member(tree, 'jsonrpc')) !== '2.0') return undefined;
  const names = tree.members.map(([name]) => name);
  const has = (name: string) => names.includes(name);
  if (!names.every((name) => ['jsonrpc', 'id', 'method', 'params', 'result', 'error'].includes(name)))
    return undefined;
  if (has('result') || has('error')) {
    const isOne = has('result') !== has('error') && !has('method') && !has('params');
    return isOne && idOf(tree) !== undefined ? 'response' : undefined;
  }
  if ((textOf(member(tree, 'method')) ?? '') === '') return undefined;
  if (!has('id')) return 'notification';
  return idOf(tree) === undefined ? undefined : 'request';
}

function isExact(tree: Tree | undefined, exact: readonly string[]): boolean {
  if (tree?.kind !== 'object') return true;
  return tree.members.every(
    ([name]) =>
      name !== '__proto__' &&
      (exact.includes(name) || !exact.some((one) => caseless(one) === caseless(name))),
  );
}
