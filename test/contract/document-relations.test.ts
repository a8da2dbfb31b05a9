import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createContextTable } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { LISTED } from '../../functions/aws/documents/listed.ts';
import { toPartition } from '../../functions/aws/documents/rows.ts';
import type { ContextCaller, DocumentStore } from '../../functions/core/documents/ports.ts';
import {
  findDefinition,
  MAX_CASCADE,
  type NewRelation,
  type Relation,
  type RelationDefinition,
} from '../../functions/core/documents/relation.ts';
import { ok } from '../../functions/core/result.ts';
import { contextCaller, cursorSeal, NOW_SECONDS, newDocument } from '../support/context-callers.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { dieAtWrite } from '../support/document-tables.ts';

let table: EmbeddedContextTable;
let store: DocumentStore;
let caller: ContextCaller;
let namespaces = 0;
const clock = () => NOW_SECONDS;

beforeAll(async () => {
  table = await startContextTable();
  store = createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock });
});
afterAll(() => table.close());

const NOT_FOUND = { ok: false, error: { reason: 'not_found' } };

function fresh(scopeFilters: Record<string, string> = {}): ContextCaller {
  namespaces += 1;
  caller = contextCaller({ namespace: `relations-${namespaces}`, scopeFilters });
  return caller;
}

async function created(by = caller, at = store): Promise<string> {
  const result = await at.create(by, newDocument('a.txt', { content: null }));
  if (!result.ok) throw new Error(result.error.reason);
  return result.value.id;
}

function relation(name: RelationDefinition['name'], fromId: string, toId: string): NewRelation {
  const definition = findDefinition(name);
  if (definition === undefined) throw new Error('no such definition');
  return { definition, fromId, toId, fromToNote: 'there', toFromNote: null };
}

async function related(
  name: RelationDefinition['name'],
  fromId: string,
  toId: string,
  by = caller,
  at = store,
): Promise<Relation> {
  const made = await at.relate(by, relation(name, fromId, toId));
  if (!made.ok) throw new Error(made.error.reason);
  return made.value;
}

async function relationIds(id: string, by = caller): Promise<string[] | undefined> {
  const found = await store.relationsOf(by, [id]);
  if (!found.ok) throw new Error(found.error.detail);
  return found.value.get(id)?.map((one) => one.id);
}

/** Every sort key of the caller's namespace but those of lists, of what says how far it is in them, of the search index, and notes of deletes. */
async function rowsOf(by = caller): Promise<readonly string[]> {
  const opened = await table.tables(clock)(by);
  const keys = opened.ok ? await opened.value.keys(toPartition(by.orgId, by.namespace), '') : opened;
  if (!keys.ok) throw new Error(keys.error.detail);
  return keys.value
    .map(({ sk }) => sk)
    .filter((sk) => sk !== LISTED && !/^(?:INDEX|TERM|LIST|SCOPE|REMOVING)#/.test(sk));
}

describe('a relation', () => {
  test('is there from both ends, with its notes, until it is taken away', async () => {
    fresh();
    const [from, to] = [await created(), await created()];
    const made = await related('predecessor-successor', from, to);
    expect(made).toMatchObject({ fromId: from, toId: to, fromToNote: 'there', toFromNote: null });
    for (const id of [from, to]) expect(await relationIds(id)).toEqual([made.id]);
    const noted = await store.annotate(caller, made.id, { toFromNote: 'back' });
    expect(noted).toEqual({ ok: true, value: { ...made, toFromNote: 'back' } });
    expect(await store.annotate(caller, made.id, { fromToNote: null })).toMatchObject({
      ok: true,
      value: { fromToNote: null, toFromNote: 'back' },
    });
    expect(await store.unrelate(caller, made.id)).toEqual({ ok: true, value: undefined });
    for (const id of [from, to]) expect(await relationIds(id)).toEqual([]);
    expect(await store.unrelate(caller, made.id)).toEqual(NOT_FOUND);
    expect(await store.annotate(caller, made.id, { fromToNote: 'x' })).toEqual(NOT_FOUND);
    expect(await rowsOf()).toHaveLength(2);
  });

  test('is one of a kind: the same again conflicts, another kind or direction does not', async () => {
    fresh();
    const [a, b] = [await created(), await created()];
    await related('parent-child', a, b);
    const exists = { ok: false, error: { reason: 'relation_conflict', cause: 'exists' } };
    expect(await store.relate(caller, relation('parent-child', a, b))).toEqual(exists);
    await related('parent-child', b, a);
    await related('related', a, b);
    expect(await store.relate(caller, relation('related', b, a))).toEqual(exists);
    expect(await relationIds(a)).toHaveLength(3);
  });

  test('needs both documents to be visible, and is nobody else’s to see or change', async () => {
    const mine = fresh({ run: '1' });
    const theirs = { ...mine, scopeFilters: new Map([['run', '2']]) };
    const wide = { ...mine, scopeFilters: new Map() };
    const elsewhere = contextCaller({ namespace: `${mine.namespace}-x` });
    const [a, b] = [await created(mine), await created(theirs)];
    const shared = await created(wide);
    for (const [from, to] of [
      [a, b],
      [b, a],
      [a, await created(elsewhere)],
      [a, 'doc_000000000000000000000000'],
    ] as const) {
      expect(await store.relate(mine, relation('related', from, to))).toEqual(NOT_FOUND);
    }
    const across = await related('related', a, b, wide);
    const seen = await related('related', a, shared, mine);
    expect(await relationIds(a, wide)).toHaveLength(2);
    expect(await relationIds(a, mine)).toEqual([seen.id]);
    expect(await relationIds(shared, theirs)).toEqual([]);
    expect(await relationIds(a, theirs)).toBeUndefined();
    expect(await relationIds(a, elsewhere)).toBeUndefined();
    for (const stranger of [mine, theirs, elsewhere]) {
      expect(await store.annotate(stranger, across.id, { fromToNote: 'x' })).toEqual(NOT_FOUND);
      expect(await store.unrelate(stranger, across.id)).toEqual(NOT_FOUND);
    }
    expect(await relationIds(b, wide)).toEqual([across.id]);
  });

  test('is not for a reader to make or change', async () => {
    fresh();
    const [a, b] = [await created(), await created()];
    const made = await related('related', a, b);
    const reader = { ...caller, permissions: 'read' as const };
    const readOnly = { ok: false, error: { reason: 'read_only' } };
    expect(await store.relate(reader, relation('parent-child', a, b))).toEqual(readOnly);
    expect(await store.annotate(reader, made.id, { fromToNote: 'x' })).toEqual(readOnly);
    expect(await store.unrelate(reader, made.id)).toEqual(readOnly);
    expect(await relationIds(a, reader)).toEqual([made.id]);
  });

  test('goes with either of its documents', async () => {
    fresh();
    const [a, b] = [await created(), await created()];
    await related('related', a, b);
    await store.delete(caller, b, '*');
    expect(await relationIds(a)).toEqual([]);
    expect(await rowsOf()).toEqual([`DOC#${a}`]);
  });

  test('whose making died half-way is not there, and is made by a repetition', async () => {
    for (const when of ['before', 'after'] as const) {
      let isThrough = false;
      for (let at = 0; !isThrough; at += 1) {
        fresh();
        const [a, b] = [await created(), await created()];
        const client = table.connect();
        const death = dieAtWrite(client, at, when);
        const dying = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
        await dying.relate(caller, relation('related', a, b));
        isThrough = death.writes() <= at;
        const [fromA, fromB] = [await relationIds(a), await relationIds(b)];
        expect(fromA).toEqual(fromB);
        if (fromA?.length === 0) await related('related', a, b);
        expect(await relationIds(a)).toHaveLength(1);
      }
    }
  });
});

describe('a delete', () => {
  test('takes every child along, once, in circles too, and says so', async () => {
    fresh();
    const [root, child, grandchild, friend] = [
      await created(),
      await created(),
      await created(),
      await created(),
    ];
    await related('parent-child', root, child);
    await related('parent-child', child, grandchild);
    await related('parent-child', root, grandchild);
    await related('parent-child', grandchild, root);
    await related('related', root, friend);
    await related('predecessor-successor', child, friend);
    const gone = await store.delete(caller, root, '*');
    expect(gone.ok && gone.value[0]).toBe(root);
    expect(gone.ok && gone.value.toSorted()).toEqual([root, child, grandchild].toSorted());
    expect(await rowsOf()).toEqual([`DOC#${friend}`]);
  });

  test('leaves its parents, and what the caller cannot see', async () => {
    const mine = fresh({ run: '1' });
    const wide = { ...mine, scopeFilters: new Map() };
    const theirs = { ...mine, scopeFilters: new Map([['run', '2']]) };
    const [parent, root, hidden, under] = [
      await created(mine),
      await created(mine),
      await created(theirs),
      await created(mine),
    ];
    await related('parent-child', parent, root, wide);
    await related('parent-child', root, hidden, wide);
    await related('parent-child', hidden, under, wide);
    expect(await store.delete(mine, root, '*')).toEqual({ ok: true, value: [root] });
    for (const id of [parent, hidden, under]) expect((await store.info(wide, id)).ok).toBe(true);
  });

  test('of a version that is gone takes nothing along', async () => {
    fresh();
    const [root, child] = [await created(), await created()];
    await related('parent-child', root, child);
    await store.write(caller, root, new Uint8Array([1]), '*');
    expect(await store.delete(caller, root, new Set([1]))).toMatchObject({
      error: { reason: 'version_conflict' },
    });
    expect((await store.info(caller, child)).ok).toBe(true);
    expect(await store.delete(caller, root, new Set([2]))).toEqual({ ok: true, value: [root, child] });
  });

  test('that dies half-way can be repeated', async () => {
    let isThrough = false;
    for (let at = 0; !isThrough; at += 1) {
      fresh();
      const [root, child] = [await created(), await created()];
      await related('parent-child', root, child);
      const client = table.connect();
      const death = dieAtWrite(client, at, 'after');
      const dying = createDocumentStore({ tables: table.tables(clock, client), seal: cursorSeal(), clock });
      await dying.delete(caller, root, '*');
      isThrough = death.writes() <= at;
      await store.delete(caller, root, '*');
      for (const id of [root, child]) expect(await store.info(caller, id)).toEqual(NOT_FOUND);
    }
  });

  test('does not take more along than it may', async () => {
    fresh();
    const inMemory = createContextTable(new MemoryContextTable().client(), 'context', clock);
    const large = createDocumentStore({ tables: async () => ok(inMemory), seal: cursorSeal(), clock });
    const root = await created(caller, large);
    let parents = [root];
    let made = 0;
    // A tree of 25 by 20: no document has too many relations, all of them are too many to go at once.
    for (const width of [25, 20]) {
      const next: string[] = [];
      for (const parent of parents) {
        const children = await Promise.all(Array.from({ length: width }, () => created(caller, large)));
        await Promise.all(children.map((child) => related('parent-child', parent, child, caller, large)));
        next.push(...children);
      }
      made += next.length;
      parents = next;
    }
    expect(made).toBeGreaterThanOrEqual(MAX_CASCADE);
    expect(await large.delete(caller, root, '*')).toEqual({
      ok: false,
      error: { reason: 'cascade_too_large' },
    });
    expect((await large.info(caller, root)).ok).toBe(true);
  });
});

/** What a plain list of documents and relations says, by the rule of the seed in its own words. */
type Model = {
  readonly documents: Map<
    string,
    { readonly namespace: string; readonly filters: Readonly<Record<string, string>> }
  >;
  readonly relations: Map<string, { readonly from: string; readonly to: string; readonly isParent: boolean }>;
};

test('whatever callers relate and delete, each sees what a plain model says', async () => {
  const prefix = fresh().namespace;
  const callers = fc.record({
    namespace: fc.constantFrom(prefix, `${prefix}:x`),
    scopeFilters: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }),
  });
  const step = fc.record({
    by: callers,
    kind: fc.constantFrom(
      'create',
      'create',
      'create',
      'relate',
      'relate',
      'relate',
      'unrelate',
      'look',
      'delete',
    ),
    one: fc.nat(30),
    other: fc.nat(30),
    isParent: fc.boolean(),
  });
  const model: Model = { documents: new Map(), relations: new Map() };
  const ids: string[] = ['doc_000000000000000000000000'];
  const relationsMade: string[] = ['rel_000000000000000000000000'];
  const sees = (by: { namespace: string; scopeFilters: Record<string, string> }, id: string) => {
    const document = model.documents.get(id);
    if (document?.namespace !== by.namespace) return false;
    const names = Object.keys(document.filters);
    return (
      names.length === 0 ||
      Object.entries(by.scopeFilters).every(([name, value]) => document.filters[name] === value)
    );
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      for (const { by, kind, one, other, isParent } of steps) {
        const as = contextCaller(by);
        const a = ids[one % ids.length] ?? '';
        const b = ids[other % ids.length] ?? '';
        if (kind === 'create') {
          const id = await created(as);
          ids.push(id);
          model.documents.set(id, { namespace: by.namespace, filters: by.scopeFilters });
        } else if (kind === 'relate' && a !== b) {
          const made = await store.relate(as, relation(isParent ? 'parent-child' : 'related', a, b));
          const isSeen = sees(by, a) && sees(by, b);
          if (!isSeen) expect(made).toEqual(NOT_FOUND);
          else if (made.ok) {
            expect(model.relations.has(made.value.id)).toBe(false);
            model.relations.set(made.value.id, { from: a, to: b, isParent });
            relationsMade.push(made.value.id);
          } else expect(made.error).toEqual({ reason: 'relation_conflict', cause: 'exists' });
        } else if (kind === 'unrelate') {
          const id = relationsMade[one % relationsMade.length] ?? '';
          const known = model.relations.get(id);
          const isSeen = known !== undefined && sees(by, known.from) && sees(by, known.to);
          expect((await store.unrelate(as, id)).ok).toBe(isSeen);
          if (isSeen) model.relations.delete(id);
        } else if (kind === 'look') {
          const expected = [...model.relations]
            .filter(([, { from, to }]) => (from === a || to === a) && sees(by, from) && sees(by, to))
            .map(([id]) => id);
          expect((await relationIds(a, as))?.toSorted()).toEqual(
            sees(by, a) ? expected.toSorted() : undefined,
          );
        } else if (kind === 'delete') {
          const gone = new Set<string>();
          const take = (id: string) => {
            if (gone.has(id) || !sees(by, id)) return;
            gone.add(id);
            for (const { from, to, isParent: isTaken } of model.relations.values())
              if (isTaken && from === id) take(to);
          };
          take(a);
          const deleted = await store.delete(as, a, '*');
          if (!deleted.ok) expect([deleted, gone.size]).toEqual([NOT_FOUND, 0]);
          else expect(deleted.value.toSorted()).toEqual([...gone].toSorted());
          for (const id of gone) model.documents.delete(id);
          for (const [id, { from, to }] of model.relations)
            if (gone.has(from) || gone.has(to)) model.relations.delete(id);
        }
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
});
