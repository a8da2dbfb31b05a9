import { deepStrictEqual, strictEqual } from 'node:assert';
import { z } from 'zod';
import { parseJson, writeJson } from '../../../functions/core/json.ts';
import { bodyBytes } from '../grammar-json.ts';
import { bytesOf, shorterTexts } from '../mutate.ts';
import { readStrictly, readTree, type Tree, writeTree } from '../oracle/json-tree.ts';
import { EXACT_READERS, FOLDING_READERS, type ReadMember } from '../oracle/lenient-readers.ts';
import { createTarget, type Verdict } from '../target.ts';

/**
 * The strict parser. It accepts exactly what an independent reading of the contract accepts; what is written again is the compact form
 * of what came, is written the same a second time, and readers that take the first of two members, the last, or one in any case find in it
 * the method, name and arguments that an exact reader finds in what came. (A member in another case alone is for `core/action` to refuse.)
 */
export const strictJson = createTarget<string>({
  name: 'json',
  input: z.string(),
  generate: bodyBytes,
  check: (input) => checkParser(input, parseJson),
  smaller: shorterTexts,
});

/** The laws of a parser, for the one that is ours and for ones that are wrong on purpose. */
export function checkParser(input: string, parse: typeof parseJson): Verdict {
  const bytes = bytesOf(input);
  const parsed = parse(bytes);
  const expected = readStrictly(bytes);
  strictEqual(parsed.ok, expected !== undefined, parsed.ok ? 'accepted' : parsed.error.detail);
  if (!parsed.ok || expected === undefined) return 'refused';

  const written = writeJson(parsed.value);
  strictEqual(written, writeTree(expected), 'not what came');
  const again = parse(Buffer.from(written));
  strictEqual(again.ok && writeJson(again.value), written, 'not the same when written again');
  const forwarded = readTree(written);
  for (const { name, member } of EXACT_READERS) {
    deepStrictEqual(callOf(forwarded, member), callOf(expected, exactly), name);
  }
  for (const { name, member } of FOLDING_READERS) {
    deepStrictEqual(callOf(forwarded, member), callOf(expected, exactlyOrElseInAnyCase), name);
  }
  return 'accepted';
}

/** What a server runs: the method, the name and the arguments, as texts. */
function callOf(tree: Tree | undefined, member: ReadMember): readonly (string | undefined)[] {
  const params = member(tree, 'params');
  const found = [member(tree, 'method'), member(params, 'name'), member(params, 'arguments')];
  return found.map((value) => (value === undefined ? undefined : writeTree(value)));
}

const exactly: ReadMember = (tree, name) =>
  tree?.kind === 'object' ? tree.members.find(([one]) => one === name)?.[1] : undefined;

const exactlyOrElseInAnyCase: ReadMember = (tree, name) =>
  exactly(tree, name) ?? FOLDING_READERS[0]?.member(tree, name);
