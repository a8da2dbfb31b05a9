import { expect, test } from 'vitest';
import { visible } from '../../functions/core/item.ts';

const member = { orgId: 'acme', subject: 'corp:alice', teams: ['pilots'], isPublicOnly: false };
const loner = { ...member, teams: [] };
const publicOnly = { ...loner, isPublicOnly: true };
/** What a platform administrator is to the first layer. */
const everyTeam = { ...member, subject: 'corp:root', teams: ['pilots', 'cooks'] };

test.for<readonly [string, string, readonly [boolean, boolean, boolean, boolean]]>([
  // member, in no team, public-only, in every team
  ['public', 'acme', [true, true, true, true]],
  ['org', 'acme', [true, true, true, true]],
  ['public', '', [true, true, true, true]],
  ['team:pilots', 'acme', [true, false, false, true]],
  ['team:pilots', '', [true, false, false, true]],
  ['team:cooks', 'acme', [false, false, false, true]],
  ['team:Pilots', 'acme', [false, false, false, false]],
  ['team:', 'acme', [false, false, false, false]],
  ['private:corp:alice', 'acme', [true, true, false, false]],
  ['private:corp:bob', 'acme', [false, false, false, false]],
  ['private:', 'acme', [false, false, false, false]],
  ['corp:alice', 'acme', [false, false, false, false]],
  ['everyone', 'acme', [false, false, false, false]],
  ['PUBLIC', 'acme', [false, false, false, false]],
  ['', 'acme', [false, false, false, false]],
  ['public', 'rival', [false, false, false, false]],
  ['org', 'rival', [false, false, false, false]],
  ['team:pilots', 'rival', [false, false, false, false]],
  ['private:corp:alice', 'rival', [false, false, false, false]],
])('`%s` of `%s` is seen by %j', ([visibility, org, expected]) => {
  const item = { orgId: org === '' ? undefined : org, visibility };
  expect([member, loner, publicOnly, everyTeam].map((viewer) => visible(viewer, item))).toEqual(expected);
});
