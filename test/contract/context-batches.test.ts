import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from '../../functions/aws/context-table.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';

let table: EmbeddedContextTable;
const SCOPE = { orgId: 'acme', namespace: 'batches' };

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());

const rows = Array.from(
  { length: 130 },
  (_, number): Row => ({ pk: { S: 'acme#batches' }, sk: { S: `r${number}` }, n: { N: String(number) } }),
);
const keys = rows.map((row) => ({ pk: 'acme#batches', sk: row['sk']?.S ?? '' }));

/** The table over a client whose batches leave all but one of their items undone, so many times. */
async function reluctant(times: number) {
  const client = table.connect();
  let left = times;
  client.middlewareStack.add((next, { commandName = '' }) => async (args) => {
    if (!commandName.startsWith('Batch') || left === 0) return next(args);
    left -= 1;
    const { RequestItems: requests }: { RequestItems: Record<string, unknown> } = Object(args.input);
    const asked: unknown = requests[table.tableName];
    const isGet = commandName === 'BatchGetItemCommand';
    const items: unknown[] = isGet ? Object(asked).Keys : asked;
    const wrap = (some: unknown[]) => ({ [table.tableName]: isGet ? { Keys: some } : some });
    const answer = await next({ ...args, input: { ...args.input, RequestItems: wrap(items.slice(0, 1)) } });
    if (items.length > 1) {
      Object.assign(Object(answer.output), {
        [isGet ? 'UnprocessedKeys' : 'UnprocessedItems']: wrap(items.slice(1)),
      });
    }
    return answer;
  });
  const opened = await table.tables(() => 0, client)(SCOPE);
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

test('what a batch leaves undone is asked for again, and nothing is lost', async () => {
  const context = await reluctant(3);
  expect(await context.writeAll(rows, [])).toEqual({ ok: true, value: undefined });
  const again = await reluctant(3);
  expect(await again.getAll([...keys, { pk: 'acme#batches', sk: 'none' }])).toEqual({
    ok: true,
    value: [...rows, undefined],
  });
  expect(await again.writeAll([], keys)).toEqual({ ok: true, value: undefined });
  expect(await again.keys('acme#batches', '')).toEqual({ ok: true, value: [] });
});

test('what stays undone is unavailable, never half an answer', async () => {
  await (await reluctant(0)).writeAll(rows.slice(0, 20), []);
  const unavailable = { ok: false, error: { reason: 'unavailable' } };
  expect(await (await reluctant(100)).getAll(keys.slice(0, 20))).toMatchObject(unavailable);
  expect(await (await reluctant(100)).writeAll([], keys.slice(0, 20))).toMatchObject(unavailable);
});
