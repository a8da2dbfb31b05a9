import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { z } from 'zod';
import { actionFromHeaders, readMessage, toAction } from '../../../functions/core/action.ts';
import { mcpRequestHeaders } from '../../../functions/core/forward.ts';
import { writeJson } from '../../../functions/core/json.ts';
import { type Header, type Posted, postedMessage, smallerPosts } from '../grammar-message.ts';
import { bytesOf } from '../mutate.ts';
import { readStrictly, readTree, type Tree, writeTree } from '../oracle/json-tree.ts';
import {
  EXACT_READERS,
  FOLDING_READERS,
  MERGING_READER,
  type Reader,
  textOf,
} from '../oracle/lenient-readers.ts';
import {
  expectedMessage,
  headerOf,
  idOf,
  mirroredMember,
  readAsIs,
  readSentinel,
  says,
} from '../oracle/posted-message.ts';
import { createTarget, type Verdict } from '../target.ts';

const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
/** What a decision rests on beside method and name, or a server acts on. */
const DECIDED_ON = [
  ['params', 'arguments'],
  ['params', 'ref', 'type'],
  ['params', 'ref', 'name'],
  ['params', 'ref', 'uri'],
  ['params', 'notifications', 'resourceSubscriptions'],
  ['params', 'requestState'],
  ['params', 'inputResponses'],
];
const [exact] = EXACT_READERS;
const CODES = [-32700, -32600, -32602, -32020, -32022];

/** The form of a post in the file of vectors. */
export const POSTED = z.object({
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string(),
});

/**
 * Header and body of an MCP message. It accepts what an independent reading of the contract accepts, as the same action; what the forwarded
 * headers say to strict and lax readers is what the forwarded bytes say to first-wins, last-wins, case-folding and merging ones.
 */
export const headerBody = createTarget<Posted>({
  name: 'message',
  input: POSTED,
  generate: postedMessage,
  check: (posted) => checkReader(posted, readMessage),
  smaller: smallerPosts,
});

/** The laws of a reader of messages, for the one that is ours and for ones that are wrong on purpose. */
export function checkReader({ headers: sent, body }: Posted, read: typeof readMessage): Verdict {
  const headers = toHeaders(sent);
  if (headers === undefined) return 'refused';
  const bytes = bytesOf(body);
  const message = read(bytes, headers);
  const tree = readStrictly(bytes);
  const expected = tree === undefined ? undefined : expectedMessage(tree, sent);
  strictEqual(message.ok, expected !== undefined, message.ok ? 'accepted' : message.error.message);
  if (!message.ok) {
    const { code, id, message: text } = message.error;
    ok(CODES.includes(code) && text !== '', 'an error of the protocol');
    strictEqual(
      id === undefined ? undefined : writeJson(id),
      tree === undefined ? undefined : idOf(tree),
      'its id',
    );
    strictEqual(code === -32700, tree === undefined, 'a parse error is one of the text alone');
    return 'refused';
  }

  const { era, kind, method, name, body: decided } = message.value;
  deepStrictEqual({ era, kind, method, name }, expected);
  const written = writeJson(decided);
  strictEqual(written, tree && writeTree(tree), 'what is forwarded is what came');

  const forwarded = mcpRequestHeaders(headers, []);
  for (const header of ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-param-region']) {
    strictEqual(forwarded.get(header) ?? null, headerOf(sent, header), `${header} is forwarded as it came`);
  }
  const [versionHeader, methodHeader, nameHeader] = ['mcp-protocol-version', 'mcp-method', 'mcp-name'].map(
    (header) => forwarded.get(header),
  );
  const target = readTree(written);
  for (const reader of [...EXACT_READERS, ...FOLDING_READERS, MERGING_READER]) {
    const params = reader.member(target, 'params');
    const holder = mirroredMember(method);
    const read = {
      method: textOf(reader.member(target, 'method')),
      name: holder === undefined ? undefined : textOf(reader.member(params, holder)),
      version: textOf(reader.member(reader.member(params, '_meta'), VERSION_META)),
    };
    for (const path of DECIDED_ON) {
      strictEqual(at(target, path, reader), at(target, path, exact), `${path.join('.')}, ${reader.name}`);
    }
    strictEqual(read.method, method, `method, ${reader.name}`);
    if (holder !== undefined) strictEqual(read.name, name, `name, ${reader.name}`);
    if (methodHeader !== undefined)
      ok(says(methodHeader, read.method, readAsIs), `Mcp-Method, ${reader.name}`);
    if (nameHeader !== undefined) ok(says(nameHeader, read.name, readSentinel), `Mcp-Name, ${reader.name}`);
    if (read.version !== undefined) strictEqual(versionHeader, read.version, `version, ${reader.name}`);
  }
  const fromHeaders = actionFromHeaders('s', headers);
  if (fromHeaders !== undefined) {
    const { arguments: _, ...decided } = toAction('s', message.value);
    deepStrictEqual({ ...fromHeaders, kind }, { ...decided, arguments: 'unseen' }, 'decided on headers');
  }
  const again = read(Buffer.from(written), new Headers([...forwarded]));
  strictEqual(again.ok && writeJson(again.value.body), written, 'read again, it is the same');
  deepStrictEqual(again.ok && toAction('s', again.value), toAction('s', message.value));
  return 'accepted';
}

/** `Headers` of what was sent; undefined where no HTTP parser lets it through. */
export function toHeaders(sent: readonly Header[]): Headers | undefined {
  const headers = new Headers();
  try {
    for (const [name, value] of sent) headers.append(name, value);
  } catch {
    return undefined;
  }
  // A request holds a copy, in which what was joined is trimmed again.
  return new Headers(headers);
}

/** The text of what a reader finds at a path of members. */
function at(tree: Tree | undefined, path: readonly string[], reader: Reader | undefined): string | undefined {
  const found = path.reduce<Tree | undefined>((holder, name) => reader?.member(holder, name), tree);
  return found && writeTree(found);
}
