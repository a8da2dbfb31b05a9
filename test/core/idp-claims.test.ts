import { expect, test } from 'vitest';
import { groupsIn } from '../../functions/core/idp-claims.ts';
import { isJsonObject, parseJsonText } from '../../functions/core/json.ts';

function groups(claims: unknown, groupsClaim: string | undefined): readonly string[] {
  const parsed = parseJsonText(JSON.stringify(claims));
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('the claims of the test are no object');
  return groupsIn(parsed.value, groupsClaim);
}

test.for<readonly [unknown, string | undefined, readonly string[]]>([
  [{ groups: ['crew'] }, undefined, []],
  [{ groups: ['crew', 'crew', ''] }, 'groups', ['crew']],
  [{ groups: 'crew' }, 'groups', ['crew']],
  [{ groups: 7 }, 'groups', []],
  [{ groups: ['crew', 7] }, 'groups', []],
  [{}, 'groups', []],
  [{ email: 'ann@example.com', email_verified: true }, 'email', ['ann@example.com']],
  [{ email: 'ann@example.com', email_verified: 'true' }, 'email', []],
  [{ email: 'ann@example.com' }, 'email', []],
])('of %j under the claim %s the groups are %j', ([claims, groupsClaim, expected]) => {
  expect(groups(claims, groupsClaim)).toEqual(expected);
});
