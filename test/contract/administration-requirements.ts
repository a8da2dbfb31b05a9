/** What the contract asks of revocation (§4), of the policy's lifecycle (§9) and of explanations (§2, §12), and the tests that show it. */
// biome-ignore format: one requirement per entry
export const ADMINISTRATION_REQUIREMENTS = [
  { clause: '§4', says: 'Revocation by token, with what descends from it', tests: [
    ['handlers/admin-revocations.test.ts', 'by its id, with what descends from it'],
    ['handlers/admin-revocations.test.ts', 'by itself, and it is in no record and no answer'],
  ] },
  { clause: '§4', says: 'Revocation by client, user, run, refresh family, organisation', tests: [
    ['e2e/revocation.test.ts', 'is refused at every door, its open stream and its run end, and it gets new tokens'],
    ['e2e/revocation.test.ts', 'loses tokens, refresh tokens, codes and the browser session, and no other user does'],
    ['e2e/revocation.test.ts', 'a run that is revoked gives no more tokens, and its tokens are dead'],
    ['e2e/revocation.test.ts', 'loses one login by its refresh token, and keeps the other'],
    ['e2e/revocation.test.ts', 'are revoked each by its own administrators, and by the platform’s'],
  ] },
  { clause: '§4', says: 'Revocation of a team, and of everything before now', tests: [
    ['e2e/revocation.test.ts', 'a team that is revoked: its members are refused, and nobody else'],
    ['e2e/revocation.test.ts', 'are all revoked at once, the administrator’s own too'],
    ['contract/revocation-store.test.ts', 'kills what every organisation issued until then, and nothing later'],
  ] },
  { clause: '§4', says: 'A revocation is effective within 5 s, and at every door alike', tests: [
    ['contract/revocation-store.test.ts', 'is looked at once in 3 s for all tokens, and shows within 5 s at those that are remembered'],
    ['handlers/revocation-look.test.ts', 'every door of every function looks here, so that none forgets a name'],
  ] },
  { clause: '§4', says: 'A revocation store that cannot be read denies', tests: [
    ['e2e/revocation.test.ts', 'an outage of the revocations lets nobody in, and revokes nothing in silence'],
    ['contract/revocation-store.test.ts', 'that cannot be read kills everything'],
  ] },
  { clause: '§4', says: 'Another organisation is not there to whoever revokes', tests: [
    ['handlers/admin-revocations.test.ts', 'is another organisation to an administrator of one, and not to the platform’s'],
    ['handlers/admin-revocations.test.ts', 'never another organisation’s: it answers as no token does'],
    ['handlers/admin-revocations.test.ts', 'shows another organisation’s to nobody: a cursor says only where to go on'],
  ] },
  { clause: '§9', says: 'A plan says what changes for whom, before it is applied', tests: [
    ['handlers/admin-policy.test.ts', 'says what would change for whom, over which version, and changes nothing'],
    ['core/plan.test.ts', 'what one direction gives, the other takes'],
    ['core/plan.test.ts', 'nothing that an entry says changes unsaid'],
    ['cli/apply.test.ts', 'and applied over that version, where the person says yes'],
  ] },
  { clause: '§9', says: 'An apply is compare-and-set: of any number of writers one wins', tests: [
    ['handlers/admin-policy.test.ts', 'of fifty at once over one version is made once, and nothing is lost of it'],
    ['handlers/admin-policy.test.ts', 'follows the version that it was planned over, or none'],
  ] },
  { clause: '§9', says: 'A version can be taken back, and every version that ran is known', tests: [
    ['handlers/admin-policy.test.ts', 'makes the earlier content run again under a new version'],
    ['handlers/admin-policy.test.ts', 'are told newest first, with who made them, and when, and what they brought back'],
    ['handlers/admin-policy.test.ts', 'to a version that is not kept, or of another format, is none'],
  ] },
  { clause: '§9', says: 'The running policy stays whatever is sent', tests: [
    ['handlers/admin-policy.test.ts', 'whatever is sent: it is refused, or it is a configuration, and none of it is a bug'],
  ] },
  { clause: '§2', says: 'A denial is explained to its caller without telling more than the denial', tests: [
    ['handlers/explain.test.ts', 'no more than that it may not, where a deny is'],
    ['handlers/explain.test.ts', 'that nothing is there, where something is hidden'],
  ] },
  { clause: '§2', says: 'An administrator is told the rule and the smallest change, by the same decision', tests: [
    ['handlers/explain.test.ts', 'an administrator is told the rule and the smallest change'],
    ['core/hypothetical.test.ts', 'a hypothetical party is decided on as the caller of a fresh token is'],
    ['core/hypothetical.test.ts', 'a hypothetical party opens nothing: it is no caller, and no cast makes it one'],
    ['core/explain.test.ts', 'every remedy that changes the configuration is one after which it is allowed'],
  ] },
  { clause: '§11', says: 'Each of these is recorded before it happens, or does not happen', tests: [
    ['handlers/admin-revocations.test.ts', 'without a record of it'],
    ['handlers/admin-policy.test.ts', 'that cannot be recorded: %s %s'],
    ['handlers/explain.test.ts', 'nothing is told without a record: %j'],
  ] },
  { clause: '§12', says: 'A token is never an argument of the command', tests: [
    ['cli/revoke.test.ts', 'comes from standard input, and is in no output'],
    ['cli/revoke.test.ts', 'is no argument'],
  ] },
] as const;
