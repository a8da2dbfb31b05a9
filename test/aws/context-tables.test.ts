import { expect, test } from 'vitest';
import { createContextTables } from '../../functions/aws/context-tables.ts';
import type { AssumeRole, RoleSession } from '../../functions/aws/role-session.ts';
import { err, ok } from '../../functions/core/result.ts';

process.env['AWS_REGION'] = 'us-east-1';

/** Tables over sessions of one hour; `asked` has every session that was begun, `state` decides how. */
function tablesFor(state: { now: number; isDown?: boolean }) {
  const asked: RoleSession[] = [];
  const assumeRole: AssumeRole = async (session) => {
    asked.push(session);
    await new Promise((resolve) => setImmediate(resolve));
    if (state.isDown) return err({ reason: 'unavailable', detail: 'a test’s outage' });
    return ok({
      accessKeyId: 'a',
      secretAccessKey: 'b',
      sessionToken: 'c',
      expiration: new Date((state.now + 3600) * 1000),
    });
  };
  const tables = createContextTables({ tableName: 't', roleArn: 'role', assumeRole, clock: () => state.now });
  return { tables, asked };
}

const ALPHA = { orgId: 'acme', namespace: 'alpha' };

test('one session serves everybody in a namespace until five minutes before it ends', async () => {
  const state = { now: 1_000 };
  const { tables, asked } = tablesFor(state);
  const [one, other] = await Promise.all([tables(ALPHA), tables(ALPHA)]);
  expect(one.ok && other.ok && one.value === other.value).toBe(true);
  state.now += 3_299;
  expect(await tables(ALPHA)).toEqual(one);
  expect(asked).toHaveLength(1);
  state.now += 1;
  await tables(ALPHA);
  expect(asked).toHaveLength(2);
});

test('each namespace has its own, tagged with org and namespace, and named after neither', async () => {
  const { tables, asked } = tablesFor({ now: 0 });
  const scopes = [ALPHA, { ...ALPHA, namespace: 'beta' }, { ...ALPHA, orgId: 'globex' }];
  const opened = await Promise.all(scopes.map((scope) => tables(scope)));
  expect(new Set(opened.map((one) => one.ok && one.value)).size).toBe(3);
  expect(asked.map(({ tags }) => tags)).toEqual(
    scopes.map(({ orgId, namespace }) => ({ org: orgId, namespace })),
  );
  for (const { name } of asked) expect(name).toMatch(/^context-[0-9a-f]{32}$/);
});

test('what could not be had is asked for again, and is no table meanwhile', async () => {
  const state = { now: 0, isDown: true };
  const { tables, asked } = tablesFor(state);
  expect(await tables(ALPHA)).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
  state.isDown = false;
  expect((await tables(ALPHA)).ok).toBe(true);
  expect(asked).toHaveLength(2);
});

test('the sessions that are held are bounded: the one used longest ago goes', async () => {
  const { tables, asked } = tablesFor({ now: 0 });
  const scope = (number: number) => ({ ...ALPHA, namespace: `n${number}` });
  for (let number = 0; number < 256; number += 1) await tables(scope(number));
  await tables(scope(0));
  await tables(scope(256));
  expect(asked).toHaveLength(257);
  await tables(scope(0));
  expect(asked).toHaveLength(257);
  await tables(scope(1));
  expect(asked).toHaveLength(258);
});

test('a name that is none opens nothing', async () => {
  const { tables, asked } = tablesFor({ now: 0 });
  await expect(tables({ orgId: 'acme', namespace: 'a#b' })).rejects.toThrow(TypeError);
  expect(asked).toEqual([]);
});
