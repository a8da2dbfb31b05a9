import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  fromActClaim,
  fromActorTokensClaim,
  MAX_ACTORS,
  toActClaim,
} from '../../functions/core/act-claim.ts';
import { parseJsonText } from '../../functions/core/json.ts';

test('actors come back from a claim as they were written, up to the bound', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9._:-]{1,30}$/);
  fc.assert(
    fc.property(fc.array(name, { maxLength: MAX_ACTORS + 2 }), (actors) => {
      const claim = toActClaim(actors);
      const parsed = parseJsonText(JSON.stringify(claim ?? null));
      const read = fromActClaim(claim === undefined || !parsed.ok ? undefined : parsed.value);
      expect(read).toEqual(actors.length > MAX_ACTORS ? undefined : actors);
    }),
  );
});

test.for<readonly [string, readonly string[] | undefined]>([
  ['["t-1","t-2"]', ['t-1', 't-2']],
  ['[]', []],
  ['"t-1"', undefined],
  ['["t-1",""]', undefined],
  ['["t-1",7]', undefined],
  [JSON.stringify(Array.from({ length: MAX_ACTORS + 1 }, (_, index) => `t-${index}`)), undefined],
])('the tokens by which somebody came to act are texts, no more than may act: %s', ([text, expected]) => {
  const parsed = parseJsonText(text);
  expect(parsed.ok && fromActorTokensClaim(parsed.value)).toEqual(expected);
  expect(fromActorTokensClaim(undefined)).toEqual([]);
});

test.for(['7', '{"sub":7}', '{"act":{"sub":"a"}}', '{"sub":"a","act":null}', '{"sub":""}'])(
  'who acts has a name: not %s',
  (text) => {
    const parsed = parseJsonText(text);
    expect(parsed.ok && fromActClaim(parsed.value)).toBe(undefined);
  },
);
