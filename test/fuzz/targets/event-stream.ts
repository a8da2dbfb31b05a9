import { deepStrictEqual, ok as holds, strictEqual } from 'node:assert';
import { z } from 'zod';
import { type Message, readMessage } from '../../../functions/core/action.ts';
import { EventSieve } from '../../../functions/core/event-sieve.ts';
import { mayBeNews, withoutHiddenNews } from '../../../functions/core/news.ts';
import { createPruner } from '../../../functions/core/prune.ts';
import { SseFilter } from '../../../functions/core/sse.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../../support/policies.ts';
import { TestIssuer } from '../../support/test-issuer.ts';
import { LISTS, type ListMethod, type Streamed, streamedEvents, VISIBLE } from '../grammar-stream.ts';
import { shorterLists, shorterTexts, smallerMember } from '../mutate.ts';
import { type Dispatched, readEvents } from '../oracle/event-stream.ts';
import { caseless, readTree, type Tree } from '../oracle/json-tree.ts';
import { EXACT_READERS, FOLDING_READERS, MERGING_READER, textOf } from '../oracle/lenient-readers.ts';
import { createTarget, type Verdict } from '../target.ts';

const MAX_EVENT = 4_096;

const issuer = new TestIssuer();
// Every method is granted, so that a list is pruned by its tools alone; prompts and resources stay.
const policy = policyOf({
  scopes: [
    ['all', [scopeRule('s', ['tools/call', 'tools/list', 'prompts/list', 'resources/list'], [VISIBLE])]],
  ],
  servers: [serverEntry('s')],
  clients: [clientEntry('courier', { scopes: ['all'] })],
});
const caller = callerOf(issuer, policy, ['all']);

/**
 * The pruned event stream. However it is cut, the same leaves; whoever reads what leaves finds no item of a list that the caller could
 * not call, whether it was escaped, split over lines, or doubled. Of a stream as servers write them all events are there, in their order
 * and under their ids.
 */
export const eventStream = createTarget<Streamed>({
  name: 'stream',
  input: z.object({
    text: z.string(),
    cuts: z.array(z.number()),
    asked: z.enum(['tools/list', 'prompts/list', 'resources/list', 'tools/call']),
    isInSession: z.boolean(),
  }),
  generate: streamedEvents,
  check,
  *smaller(streamed) {
    yield* smallerMember(
      streamed,
      'cuts',
      shorterLists(streamed.cuts, () => []),
    );
    yield* smallerMember(streamed, 'text', shorterTexts(streamed.text));
  },
});

/**
 * A line feed before a lone carriage return, `data` without a colon, a byte order mark at the beginning of a later line: no server writes
 * them, and events may run together or change their fields over them.
 */
const UNUSUAL = /\n\r(?!\n)|^data$|[\r\n]\ufeff/m;

function check({ text, cuts, asked, isInSession }: Streamed): Verdict {
  // What the gateway's decoder does before the filter: one byte order mark at the very beginning goes.
  const decoded = text.startsWith('\ufeff') ? text.slice(1) : text;
  const run = (pieces: readonly string[]) => filtered(pieces, asked, isInSession);
  const single = run(Array.from({ length: decoded.length }, (_, at) => decoded.charAt(at)));
  const whole = run([decoded]);
  const places = [
    0,
    ...cuts.map((cut) => cut % (decoded.length + 1)).toSorted((a, b) => a - b),
    decoded.length,
  ];
  const cut = run(places.slice(1).map((end, at) => decoded.slice(places[at], end)));
  deepStrictEqual(
    [whole.isRefused, cut.isRefused],
    [single.isRefused, single.isRefused],
    'refused however it is cut',
  );
  holds(
    single.out.startsWith(cut.out) && single.out.startsWith(whole.out),
    'the same leaves however it is cut',
  );
  if (!single.isRefused) deepStrictEqual([whole.out, cut.out], [single.out, single.out]);

  const isUsual = !UNUSUAL.test(decoded);
  const seen = readEvents(single.out);
  const lists = isInSession ? Object.values(LISTS) : asked === 'tools/call' ? [] : [LISTS[asked]];
  // Readers disagree on how many byte order marks at the beginning are one; the filter leaves none.
  const came = readEvents(lists.length > 0 ? decoded.replace(/^\ufeff+/, '') : decoded);
  for (const [at, event] of seen.entries()) {
    for (const list of lists)
      deepStrictEqual(hiddenItems(event.data, list), [], 'what is hidden never leaves');
    if (!isUsual) continue;
    const isPruned = lists.length > 0;
    strictEqual(
      comparable(event, isPruned),
      comparable(came[at], isPruned),
      `event ${at} is the one that came`,
    );
  }
  if (isUsual && !single.isRefused) strictEqual(seen.length, came.length, 'as many events');
  return single.isRefused ? 'refused' : 'accepted';
}

function filtered(
  pieces: readonly string[],
  asked: Streamed['asked'],
  isInSession: boolean,
): { readonly out: string; readonly isRefused: boolean } {
  const view = () => ({ policy, caller, nowSeconds: 0 });
  const pruner = createPruner(view, 's', messageOf(asked), isInSession);
  if (pruner === undefined) {
    const rewrite = (data: string) => withoutHiddenNews(data, view, 's');
    const sieve = new EventSieve({ mayHide: mayBeNews, rewrite }, MAX_EVENT);
    const came = Buffer.from(pieces.join(''));
    let at = 0;
    const passed = pieces.map(({ length }) => {
      at += length;
      return sieve.push(came.subarray(at - length, at));
    });
    const out = Buffer.concat([...passed, sieve.push(came.subarray(at)), sieve.end()]);
    holds(out.equals(came), 'where nothing is hidden every byte passes');
    return { out: out.toString(), isRefused: false };
  }
  const filter = new SseFilter(pruner, MAX_EVENT);
  let out = '';
  try {
    for (const piece of pieces) out += filter.push(piece);
    return { out: out + filter.end(), isRefused: false };
  } catch (error) {
    holds(error instanceof RangeError || error instanceof TypeError, String(error));
    return { out, isRefused: true };
  }
}

const messages = new Map<string, Message>();

function messageOf(method: Streamed['asked']): Message {
  const known = messages.get(method);
  if (known !== undefined) return known;
  const params = method === 'tools/call' ? { name: VISIBLE } : {};
  const message = readMessage(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })),
    new Headers(),
  );
  if (!message.ok) throw new Error(message.error.message);
  messages.set(method, message.value);
  return message.value;
}

const READERS = [...EXACT_READERS, ...FOLDING_READERS, MERGING_READER];

/** The names in a list that the caller may not see, whichever parser reads it. */
function hiddenItems(data: string, { items, name }: (typeof LISTS)[ListMethod]): readonly string[] {
  const tree = readTree(data);
  if (items !== 'tools') return [];
  return READERS.flatMap(({ member }) => {
    const list = member(member(tree, 'result'), items);
    const found = list?.kind === 'array' ? list.items : [];
    return found.flatMap((item) => {
      const called = textOf(member(item, name));
      return called === VISIBLE ? [] : [called ?? 'unnamed'];
    });
  });
}

/** An event without what pruning may change: the lists of its result and the mark that it is private. */
function comparable(event: Dispatched | undefined, isPruned: boolean): string {
  if (event === undefined) return 'none';
  const tree = isPruned ? readTree(event.data) : undefined;
  return JSON.stringify({ ...event, data: tree === undefined ? event.data : withoutLists(tree, true) });
}

const RESULT = caseless('result');
const PRUNED: ReadonlySet<string> = new Set(['tools', 'prompts', 'resources', 'cacheScope'].map(caseless));

/** Without what somebody takes for a list, for another result than the one there is, or for what is said of caching. */
function withoutLists(tree: Tree, isOutermost: boolean): unknown {
  if (tree.kind !== 'object') return tree;
  const kept = tree.members.filter(([name]) => {
    if (name === '__proto__') return false;
    return isOutermost ? name === 'result' || caseless(name) !== RESULT : !PRUNED.has(caseless(name));
  });
  return kept.map(([name, value]) => [
    name,
    isOutermost && name === 'result' ? withoutLists(value, false) : value,
  ]);
}
