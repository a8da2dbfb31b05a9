import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject, parseJson } from '../../functions/core/json.ts';
import { type TeamEntry, Teams } from '../../functions/core/team.ts';
import {
  fittingTeams,
  readTeamsClaim,
  type TokenStanding,
  teamScope,
} from '../../functions/core/team-claim.ts';

const team = (name: string, changes: Partial<TeamEntry> = {}): TeamEntry => {
  return { org: 'acme', name, members: [], groups: [], parent: undefined, inherit: false, ...changes };
};

const teams = new Teams([
  team('t1', { members: ['alice'] }),
  team('t2', { groups: ['two'] }),
  team('t3'),
  team('child', { parent: 't1', inherit: true }),
  team('apart', { parent: 't1' }),
]);
const alice = { orgId: 'acme', subject: 'alice', groups: ['two'], isPlatformAdmin: false };
const bob = { orgId: 'acme', subject: 'bob', groups: [], isPlatformAdmin: false };
const root = { ...bob, isPlatformAdmin: true };

const ALICES = ['t1', 'child', 't2'];
const EVERY = ['t1', 't2', 't3', 'child', 'apart'];
const PUBLIC_ONLY = 'public only';

type Row = readonly [
  string,
  typeof alice,
  readonly string[] | undefined,
  readonly string[] | typeof PUBLIC_ONLY,
];

function check(standing: TokenStanding, rows: readonly Row[]): void {
  test.for(rows)('%s', ([, subject, claim, expected]) => {
    expect(teamScope(teams, subject, { standing, claim })).toEqual(
      expected === PUBLIC_ONLY ? { teams: [], isPublicOnly: true } : { teams: expected, isPublicOnly: false },
    );
  });
}

describe('a token whose holder authenticated for it', () => {
  check('session', [
    ['without the claim stands for every team of the holder', alice, undefined, ALICES],
    ['with an empty one too', alice, [], ALICES],
    ['with names, for those of them that it is in', alice, ['t2', 't3'], ['t2']],
    ['with names of others alone, for nothing but what is public', alice, ['t3'], PUBLIC_ONLY],
    [
      'with names that are none, for nothing but what is public',
      alice,
      ['T1', ' t1', 'gone', ''],
      PUBLIC_ONLY,
    ],
    ['of somebody in no team has none, and is no public-only one', bob, undefined, []],
    ['of somebody in no team gains none by naming it', bob, ['t1'], PUBLIC_ONLY],
    ['naming a parent has what inherits from it', alice, ['t1'], ['t1', 'child']],
    ['naming a child does not regain the parent', alice, ['child'], ['child']],
    ['naming what does not inherit gains nothing', alice, ['apart'], PUBLIC_ONLY],
    ['of a platform administrator is in every team', root, undefined, EVERY],
    ['of a platform administrator is so whatever it names', root, ['t3'], EVERY],
  ]);
});

describe('a token that was made from another, or asked for with `teams`', () => {
  check('api', [
    ['without the claim shows what is public', alice, undefined, PUBLIC_ONLY],
    ['with an empty one too', alice, [], PUBLIC_ONLY],
    ['with names shows those of them that its subject is in now', alice, ['t2', 't3'], ['t2']],
    ['of somebody who is no member any more shows what is public', bob, ['t1'], PUBLIC_ONLY],
    ['naming a child does not regain the parent', alice, ['child'], ['child']],
    ['naming a parent has what inherits from it', alice, ['t1'], ['t1', 'child']],
    ['of a platform administrator without the claim shows what is public', root, undefined, PUBLIC_ONLY],
    ['of a platform administrator with an empty one too', root, [], PUBLIC_ONLY],
    ['of a platform administrator shows the team that it names, and no other', root, ['t3'], ['t3']],
  ]);
});

describe('a token that the gateway made for an upstream', () => {
  check('identity', [
    ['without the claim shows what is public', alice, undefined, PUBLIC_ONLY],
    ['with an empty one has no team', alice, [], []],
    ['with names has those that its subject is still in', alice, ['t1', 't3'], ['t1', 'child']],
    ['of somebody who is no member any more shows what is public', bob, ['t1'], PUBLIC_ONLY],
    ['of a platform administrator has what it names', root, ['t3'], ['t3']],
  ]);
});

test('no token stands for a team that its subject is not in, and a longer claim of names never for fewer', () => {
  const names = fc.array(fc.constantFrom('t1', 't2', 't3', 'child', 'apart', 'gone'), { minLength: 1 });
  const standings = fc.constantFrom<TokenStanding>('session', 'api', 'identity');
  fc.assert(
    fc.property(standings, fc.constantFrom(alice, bob), names, names, (standing, subject, claim, more) => {
      const scope = teamScope(teams, subject, { standing, claim });
      const wider = teamScope(teams, subject, { standing, claim: [...claim, ...more] });
      const own = teams.of('acme', subject.subject, subject.groups);
      expect(scope.teams.every((name) => own.includes(name) && wider.teams.includes(name))).toBe(true);
      expect(scope.isPublicOnly).toBe(scope.teams.length === 0);
    }),
  );
});

describe('the claim', () => {
  const read = (json: string) => {
    const parsed = parseJson(Buffer.from(json));
    return parsed.ok && isJsonObject(parsed.value) ? readTeamsClaim(parsed.value) : 'not json';
  };

  test.for([
    ['{}', { names: undefined }],
    ['{"teams":[]}', { names: [] }],
    ['{"teams":["t1","t2"]}', { names: ['t1', 't2'] }],
  ] as const)('%s is read', ([json, expected]) => {
    expect(read(json)).toEqual(expected);
  });

  test.for([
    'null',
    '"abc"',
    '1',
    'true',
    '{}',
    '{"id":"t1"}',
    '[{"id":"t1"}]',
    '["t1",null]',
    '["t1",2]',
    '[["t1"]]',
  ])('that is %s is read as nothing at all', (teams) => expect(read(`{"teams":${teams}}`)).toBeUndefined());

  test('that a token carries is no longer than a token has room for', () => {
    const many = Array.from({ length: 500 }, (_, index) => `team-${index}`);
    const fitting = fittingTeams(many);
    expect(Buffer.byteLength(JSON.stringify(fitting))).toBeLessThanOrEqual(2_002);
    expect(many.slice(0, fitting.length)).toEqual(fitting);
    expect(fittingTeams(['a', 'b'])).toEqual(['a', 'b']);
  });
});
