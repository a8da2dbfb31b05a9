/** One thing that is asked of the two layers, and the tests that fail when it does not hold: file, and a part of the title. */
export type LayerRequirement = {
  /** What it is about. */
  readonly clause: 'tokens' | 'items' | 'teams' | 'roles' | 'administration' | 'tenancy' | 'modules';
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What is asked of what a caller sees, and of what it may do (docs/teams.md). */
// biome-ignore format: one row per test
export const LAYER_REQUIREMENTS: readonly LayerRequirement[] = [
  { clause: 'tokens', says: 'A `teams` claim that is no array of strings is 401, and is never read as one that is absent', tests: [
    ['core/team-claim.test.ts', 'that is %s is read as nothing at all'],
    ['contract/deny-matrix.ts', 'with teams as objects'],
    ['core/idp-token.test.ts', 'teams as objects'],
  ] },
  { clause: 'tokens', says: 'A token that was made of another shows the teams that it names; naming none, what is public', tests: [
    ['core/team-claim.test.ts', 'without the claim shows what is public'],
    ['core/team-claim.test.ts', 'with an empty one too'],
    ['core/standing.test.ts', 'with a token of no kind that names no team sees what is public'],
  ] },
  { clause: 'tokens', says: 'A token whose holder authenticated for it has full membership, intersected with the names that it has', tests: [
    ['core/team-claim.test.ts', 'without the claim stands for every team of the holder'],
    ['core/team-claim.test.ts', 'with names of others alone, for nothing but what is public'],
  ] },
  { clause: 'tokens', says: 'No token shows more than present membership', tests: [
    ['core/team-claim.test.ts', 'no token stands for a team that its subject is not in'],
    ['e2e/teams.test.ts', 'who is taken out of a team is out of it with the tokens that live, and with those that name it'],
  ] },
  { clause: 'tokens', says: 'A public-only token shows no team’s items and no private ones, not even its own, and says so when it is issued', tests: [
    ['core/item.test.ts', '`%s` of `%s` is seen by %j'],
    ['core/issued-teams.test.ts', 'shows what is public and says so, where no team is named'],
    ['contract/deny-matrix.ts', 'private to somebody, to that one’s token without teams'],
  ] },
  { clause: 'tokens', says: 'Whoever makes a token gives no team that its own does not have', tests: [
    ['core/issued-teams.test.ts', 'never regains what the token that it is made from does not have'],
    ['handlers/vending.test.ts', 'for a team that it is not in'],
  ] },
  { clause: 'items', says: 'What is hidden answers as what does not exist, on every verb and byte for byte', tests: [
    ['contract/deny-matrix.ts', 'what is %s: 404, as what does not exist'],
    ['e2e/teams.test.ts', 'is nothing else, byte for byte but for the request id'],
  ] },
  { clause: 'items', says: 'Nobody sees what is private to another, whatever they administer', tests: [
    ['contract/deny-matrix.ts', 'private to somebody, to who administers the platform'],
    ['core/item.test.ts', '`%s` of `%s` is seen by %j'],
  ] },
  { clause: 'items', says: 'A visibility that nobody knows hides', tests: [
    ['core/item.test.ts', '`%s` of `%s` is seen by %j'],
    ['core/configuration/tenancy.test.ts', '%j is refused'],
  ] },
  { clause: 'items', says: 'A service that the caller does not see is not there for a server that calls on its behalf', tests: [
    ['handlers/egress.test.ts', '(%s) is there for a delegation of the teams %j: %i'],
  ] },
  { clause: 'teams', says: 'Members of a parent are members of what inherits below it; a child gives no parent; circles and depth are refused', tests: [
    ['core/team.test.ts', 'opens what inherits below it, at any depth, and nothing that does not'],
    ['core/team.test.ts', 'is not opened by its child'],
    ['core/team-claim.test.ts', 'naming a child does not regain the parent'],
    ['core/configuration/tenancy.test.ts', 'a circle of parents, on each of its lines and on no other'],
    ['core/configuration/tenancy.test.ts', 'too many parents'],
  ] },
  { clause: 'teams', says: 'A token can be revoked by the teams that it is in by the configuration, and by those that it names', tests: [
    ['core/standing.test.ts', 'a token can be revoked by the teams'],
    ['contract/deny-matrix.ts', 'with a token that is revoked by %s: 401'],
  ] },
  { clause: 'roles', says: 'A role is held until the second at which its binding ends', tests: [
    ['core/role.test.ts', 'not at that second'],
    ['core/standing.test.ts', 'has no role past its end, and none that ends where nobody says what time it is'],
  ] },
  { clause: 'roles', says: 'No role but the administrator’s has every permission, and none has a category', tests: [
    ['core/role.test.ts', 'without what is no permission, also where it was stored'],
    ['core/configuration/tenancy.test.ts', 'every permission'],
    ['core/configuration/tenancy.test.ts', 'a category'],
  ] },
  { clause: 'roles', says: 'A role in a team is about that team’s items alone', tests: [
    ['core/may.test.ts', 'by it on no other team’s item'],
    ['core/may.test.ts', 'by it on nothing of the organisation itself'],
  ] },
  { clause: 'administration', says: 'A UI scope without a role, and a role without a UI scope, administer nothing where roles are given', tests: [
    ['core/may.test.ts', 'takes its permission, where the organisation gives roles'],
    ['e2e/teams.test.ts', 'is what a role permits, and a UI scope alone is not enough'],
    ['contract/deny-matrix.test.ts', 'the administration of the policy'],
  ] },
  { clause: 'administration', says: 'A public-only token administers nothing', tests: [
    ['core/may.test.ts', 'is nothing for a public-only token'],
    ['e2e/teams.test.ts', 'is no administration with a token without teams'],
  ] },
  { clause: 'administration', says: 'A configuration that leaves nobody to administer for good is told to whoever applies it', tests: [
    ['core/configuration/tenancy.test.ts', 'nobody administers for good'],
  ] },
  { clause: 'tenancy', says: 'Equal ids of two organisations never meet', tests: [
    ['contract/tenancy.test.ts', 'equal ids of two organisations never meet, nor do two ids of one'],
    ['contract/tenancy.test.ts', 'in what a caller sees, is and may do'],
  ] },
  { clause: 'tenancy', says: 'A suspended organisation is refused at every door', tests: [
    ['e2e/suspension.test.ts', 'a suspended organisation is refused at every door, with every token that it had'],
  ] },
  { clause: 'tenancy', says: 'Functions that know nothing of roles refuse a policy that gives them', tests: [
    ['core/configuration/tenancy.test.ts', 'are not stored where none are written, and keep older functions from reading what they would not obey'],
    ['core/configuration/tenancy.test.ts', 'a service that is not for all keeps older functions from reading it'],
  ] },
  { clause: 'modules', says: 'A module passes the matrix of denials: the example, the control plane, the gateway and the context store do', tests: [
    ['contract/deny-matrix.test.ts', 'a module of our own'],
    ['contract/deny-matrix.test.ts', 'the catalogue of servers'],
    ['contract/deny-matrix.test.ts', 'the gateway'],
    ['contract/deny-matrix.test.ts', 'the context store'],
  ] },
];
