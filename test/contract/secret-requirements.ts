/** What the contract asks of service accounts and of their secrets (§7, §9, §12, §13), and the tests that show it. */
// biome-ignore format: one requirement per entry
export const SECRET_REQUIREMENTS = [
  { clause: '§7', says: 'The secret is that of the verified client, or of the user where the entry says so', tests: [
    ['handlers/service-account.test.ts', "describe('whose secret it is'"],
    ['core/credential.test.ts', 'is another for every organisation, target, kind and id'],
    ['core/secret-key.test.ts', 'what is written of any id is read as that id, and is where the gateway looks'],
  ] },
  { clause: '§7', says: '`_default` stands in only where the entry says so', tests: [
    ['handlers/service-account.test.ts', 'a shared one stands in only where the entry says so'],
    ['handlers/service-account.test.ts', 'a shared one stands in for none that is %s'],
  ] },
  { clause: '§7', says: 'A credential of every type reaches its server', tests: [
    ['e2e/service-accounts.test.ts', '%s reaches the server that it is for, and its client never sees it'],
    ['core/credential.test.ts', "describe('a credential is put on'"],
  ] },
  { clause: '§7', says: 'A token by client credentials: by a secret or a signed assertion, kept, single flight, replaced when it is refused', tests: [
    ['core/oauth-token.test.ts', "describe('the request for a token'"],
    ['handlers/service-account.test.ts', 'is asked for once and serves until 60 s before its end'],
    ['handlers/service-account.test.ts', 'that the upstream refuses is replaced, however young, and that once in 5 s'],
    ['e2e/service-accounts.test.ts', 'one token of each client serves all its calls, and one that is revoked is replaced'],
  ] },
  { clause: '§7', says: 'A token endpoint is inside the perimeter, and what it answers is told to nobody', tests: [
    ['handlers/service-account.test.ts', 'from %s for a target with private: %s is asked for: %s'],
    ['handlers/service-account.test.ts', 'is asked for on the perimeter alone: the endpoint where it has %s: %s'],
    ['handlers/service-account.test.ts', 'where the endpoint %s: a denial that names no secret'],
  ] },
  { clause: '§7', says: 'A rotated secret is used within 60 s, and at once after an upstream 401; AWSPENDING during a rotation', tests: [
    ['contract/secret-store.test.ts', 'a value is held for 60 s, and a rotation shows then'],
    ['handlers/service-account.test.ts', 'is replaced by the one that is current by then, with the same body, once'],
    ['handlers/service-account.test.ts', 'is replaced by the one that a rotation has staged, where there is none newer'],
    ['handlers/service-account.test.ts', 'is replaced also where the staged one is promoted right before look %i'],
    ['contract/secret-store.test.ts', 'a rotation right after another is seen at once too'],
    ['handlers/service-account.test.ts', 'is asked for with the staged secret where the endpoint refuses the current one'],
    ['e2e/rotation.test.ts', 'no call of %s fails, in two steps and at once, by the AWS SDK, though the API takes one credential only'],
  ] },
  { clause: '§7', says: 'A bad agent cannot have Secrets Manager asked without end', tests: [
    ['contract/secret-store.test.ts', 'a version that is refused again and again is looked past at most every 5 s'],
    ['contract/secret-store.test.ts', '1,000 requests of 100 clients in a minute take 100 questions, one for each client'],
    ['contract/secret-store.test.ts', 'a hundred who ask at once make one question'],
  ] },
  { clause: '§7', says: 'An outage is bridged for 300 s, AccessDenied and deletion never', tests: [
    ['contract/secret-store.test.ts', 'an outage is bridged for 300 s and not longer'],
    ['contract/secret-store.test.ts', 'an outage is not bridged any longer where somebody has looked just before its end'],
    ['contract/secret-store.test.ts', 'an answer says when it was read, also where an outage is bridged'],
    ['aws/sealer.test.ts', 'serves on while its previous version is out of reach that was not there'],
    ['aws/sealer.test.ts', 'opens with its previous version for 300 s after that was read, and serves nobody then'],
    ['aws/sealer.test.ts', 'does not take what it knew before a rotation for the version before that'],
    ['aws/sealer.test.ts', 'says of nothing that it is not ours while its previous version is out of reach'],
    ['contract/secret-store.test.ts', 'a refusal and a deletion are never bridged'],
  ] },
  { clause: '§7', says: 'No secret byte is in an answer, a log, a record or a table', tests: [
    ['e2e/canaries.test.ts', '%s: no deed of a server shows it to the caller'],
    ['e2e/canaries.test.ts', '%s: no deed of an API shows it to the server'],
    ['e2e/canaries.test.ts', 'no log, no record and no table holds a secret'],
    ['e2e/canaries.test.ts', 'every mode that puts something on and every type of secret is among them'],
    ['e2e/service-accounts.test.ts', 'nothing of a secret is in a log, a record or a table'],
    ['handlers/admin-secrets.test.ts', 'that is %s is refused, unwritten and unrepeated'],
  ] },
  { clause: '§9', says: 'Secrets are written by whoever has `manage_secrets`, on all or by name, and never read', tests: [
    ['handlers/admin-secrets.test.ts', 'with the UI scope %s: %s %i'],
    ['handlers/admin-secrets.test.ts', '%s finds nothing there'],
    ['handlers/admin-secrets.test.ts', 'has names, stages and times of its own organisation, and no value'],
    ['infra/blast-radius.test.ts', 'only the gateway reads credentials'],
    ['infra/blast-radius.test.ts', 'nobody can delete one at once'],
  ] },
  { clause: '§7', says: 'A secret that could not be hidden is not stored, and one that was stored elsewhere is told of', tests: [
    ['core/credential.test.ts', "describe('a secret that is too short for an echo of it to be seen'"],
    ['handlers/admin-secrets.test.ts', 'that is %s is refused, unwritten and unrepeated'],
    ['handlers/service-account.test.ts', '%s is put on, and the operator is told once: %s'],
  ] },
  { clause: '§7', says: 'A secret without a current version is not a missing one', tests: [
    ['contract/secret-store.test.ts', 'what is there and has no current version is not missing'],
  ] },
  { clause: '§11', says: 'The record of a change is durable before it', tests: [
    ['handlers/admin-secrets.test.ts', 'that cannot be written: %s %s does nothing'],
  ] },
  { clause: '§12', says: 'A promotion that was half done is told as what it is, and can be done again', tests: [
    ['contract/secret-writer.test.ts', 'where %s: the version is the current one, and is said to be'],
    ['contract/secret-writer.test.ts', 'that left the version waiting is ended by another, and then there is nothing to promote'],
    ['contract/secret-writer.test.ts', 'whose move never arrives has changed nothing, and is said to be an outage'],
    ['contract/secret-writer.test.ts', 'that somebody else overtakes is told so'],
  ] },
  { clause: '§12', says: '`sallyport secret`, from standard input or a file, and the AWS tools', tests: [
    ['cli/secret.test.ts', 'stores a secret of the type %s from standard input'],
    ['cli/secret.test.ts', 'a rotation is staged, shown, and promoted'],
    ['docs/rotation.test.ts', 'the rotation function of the page makes a key, has it taken and tried, and makes it the current one'],
    ['docs/rotation.test.ts', 'gives its function the versions of that secret and of no other'],
    ['docs/rotation.test.ts', 'passes the AWS Solutions checks but for what CDK itself gives the function'],
    ['contract/secret-rotation.test.ts', 'four steps make a new value, have it taken and tried, and make it the current one'],
  ] },
] as const;
