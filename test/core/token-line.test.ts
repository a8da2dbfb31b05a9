import fc from 'fast-check';
import { expect, test } from 'vitest';
import { descendantOf, lineOf } from '../../functions/core/token-line.ts';

const ids = fc.array(fc.stringMatching(/^[a-z0-9-]{1,30}$/), { minLength: 1, maxLength: 12 });

test('a line begins with the login, ends with the token, and grows by one', () => {
  expect(lineOf('a')).toEqual(['a']);
  expect(lineOf('a.b.c')).toEqual(['a', 'a.b', 'a.b.c']);
});

test('what descends from an id has it in its line, and no other token has', () => {
  fc.assert(
    fc.property(ids, ids, ([first = '', ...others], [stranger = '']) => {
      let jti: string = first;
      for (const id of others) {
        const next = descendantOf(jti, id);
        if (next === undefined) return;
        expect(lineOf(next)).toEqual([...lineOf(jti), next]);
        jti = next;
      }
      expect(lineOf(jti)).toHaveLength(others.length + 1);
      if (stranger !== first) expect(lineOf(jti)).not.toContain(stranger);
    }),
  );
});

test('a line ends before a look at it would be long, and before a `jti` would be no identifier', () => {
  expect(descendantOf('a.b.c.d.e.f.g', 'h')).toBe('a.b.c.d.e.f.g.h');
  expect(descendantOf('a.b.c.d.e.f.g.h', 'i')).toBeUndefined();
  expect(descendantOf('a'.repeat(200), 'b'.repeat(54))).toHaveLength(255);
  expect(descendantOf('a'.repeat(200), 'b'.repeat(55))).toBeUndefined();
});

test('a `jti` of somebody else with many dots is itself alone', () => {
  const foreign = Array.from({ length: 120 }, (_, index) => index).join('.');
  expect(lineOf(foreign)).toEqual([foreign]);
});
