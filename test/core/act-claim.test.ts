import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromActClaim, MAX_ACTORS, toActClaim } from '../../functions/core/act-claim.ts';
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
