/** One thing that is asked of users' connections, and the tests that fail where it does not hold: file, and a part of the title. */
export type ConnectionRequirement = {
  readonly clause: 'providers' | 'vault' | 'refresh' | 'modes' | 'disconnecting';
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What is asked of connections (docs/connections.md), but for the pages and the asking, which have rows of their own. */
// biome-ignore format: one row per test
export const CONNECTION_REQUIREMENTS: readonly ConnectionRequirement[] = [
  { clause: 'providers', says: 'The file of the source system loads unmodified, with eleven entries, of which an app switches each on', tests: [
    ['core/configuration/providers.test.ts', 'has eleven entries, of which none is switched on'],
    ['core/configuration/providers.test.ts', 'has ten providers where users can connect, once apps are registered'],
  ] },
  { clause: 'providers', says: 'Each entry asks for what its provider documents', tests: [
    ['core/configuration/providers.test.ts', 'asks $name for what it documents'],
    ['core/granted-scopes.test.ts', '$what'],
  ] },
  { clause: 'providers', says: 'A server whose users could connect nowhere is refused with the remedy', tests: [
    ['core/configuration/egress.test.ts', 'is refused: %s: a provider %s'],
  ] },
  { clause: 'providers', says: 'Our secret at a provider is a reference, and a rotated one holds at once', tests: [
    ['core/configuration/providers.test.ts', 'a secret as it is'],
    ['handlers/connections/connections.test.ts', 'a secret that is not taken is read past the cache, once'],
    ['handlers/connections/connections.test.ts', 'a secret that is not taken any more stands back for the one that a rotation has staged'],
    ['handlers/connections/provider-answers.test.ts', 'a code is redeemed where the old one is refused by %s'],
  ] },
  { clause: 'providers', says: 'A provider that answers nonsense, too much, or elsewhere connects nobody', tests: [
    ['handlers/connections/connections.test.ts', 'a provider that %s connects nobody'],
  ] },
  { clause: 'vault', says: 'A connection opens for its organisation, subject and provider alone, and not once it was changed', tests: [
    ['handlers/connections/connections.test.ts', 'does not open where it was put in the place of another %s'],
    ['handlers/connections/connections.test.ts', 'is refused with %s changed'],
    ['handlers/connections/connections.test.ts', 'belongs to one organisation, subject and provider'],
    ['aws/data-keys.test.ts', 'is not given out for %j'],
    ['local/kms.test.ts', 'opens for the very same context, in any order, and for no other'],
  ] },
  { clause: 'vault', says: 'No token of a provider is readable in a table, a log or a record', tests: [
    ['handlers/connections/connections.test.ts', 'lays nothing readable into the table'],
    ['e2e/hybrid.test.ts', 'leaves no token of the carrier’s in records, logs or tables'],
  ] },
  { clause: 'vault', says: 'Another account never takes the place of the one that is connected', tests: [
    ['handlers/connections/connections.test.ts', 'another account in the place of the one that is connected is refused'],
    ['handlers/connections/provider-answers.test.ts', 'an account that was known and that nobody can name just now is not taken for another one'],
    ['handlers/connections/provider-answers.test.ts', 'of questions whose token it is, by %s, is an outage'],
  ] },
  { clause: 'refresh', says: 'A hundred calls at the end of a token refresh it once, in one process and in several', tests: [
    ['handlers/connections/refresh.test.ts', 'serves a hundred calls that find the token at its end'],
    ['handlers/connections/refresh-processes.test.ts', 'in four processes that find the token at its end refresh it once'],
    ['e2e/hybrid.test.ts', 'no refresh token is used twice'],
  ] },
  { clause: 'refresh', says: 'A holder that died is overtaken, and one that comes late undoes nothing', tests: [
    ['handlers/connections/refresh.test.ts', 'of a holder that died is made by another one after its time'],
    ['handlers/connections/refresh.test.ts', 'that comes late does not undo the one that came after it'],
    ['handlers/connections/refresh.test.ts', 'is not lost over the refusal of whoever came after it'],
    ['handlers/connections/refresh.test.ts', 'does not bring back what was forgotten'],
  ] },
  { clause: 'refresh', says: 'A new refresh token is stored before anybody uses the access token beside it', tests: [
    ['handlers/connections/refresh.test.ts', 'is stored before anybody uses it'],
    ['handlers/connections/refresh.test.ts', 'that cannot be stored is used by nobody'],
  ] },
  { clause: 'refresh', says: 'An outage ends no connection; a refresh token that is taken no more does, until it is made anew', tests: [
    ['handlers/connections/refresh.test.ts', '%s ends nothing'],
    ['handlers/connections/refresh.test.ts', '%s ends the connection until it is made anew'],
    ['e2e/hybrid.test.ts', 'asks again once the account’s holder has ended it at the carrier'],
  ] },
  { clause: 'refresh', says: 'A 401 of an upstream leads to one refresh, and to no more of them than one in 30 s', tests: [
    ['handlers/connections/refresh.test.ts', 'the token is refreshed once, and not again for one that refuses everything'],
    ['handlers/connections/provider-answers.test.ts', 'costs its provider, %s, one question in 30 s'],
  ] },
  { clause: 'refresh', says: 'A refusal in words of the provider’s own asks the user to connect, and loses no connection', tests: [
    ['handlers/connections/refresh.test.ts', 'has its user asked to connect, and is asked itself once a minute'],
    ['handlers/connections/refresh.test.ts', 'loses nobody a connection that it takes again'],
    ['handlers/connections/doubts.test.ts', 'is over once the provider takes it again, by the next call'],
    ['handlers/connections/doubts.test.ts', 'is found by who is sent to connect when an upstream refuses it and the provider %s'],
    ['handlers/connections/doubts.test.ts', 'sends nobody to connect where that could not be noted'],
  ] },
  { clause: 'refresh', says: 'No call waits for the refresh of a token that lives for a minute more', tests: [
    ['handlers/connections/refresh.test.ts', 'holds up no call while the token is still good, and lasts as long as it takes'],
    ['handlers/connections/doubts.test.ts', 'is waited for where the token is about to end'],
    ['handlers/egress.test.ts', 'gets the token of the user of the delegation, and the server never sees it'],
  ] },
  { clause: 'refresh', says: 'A lease whose answer was lost holds up nobody', tests: [
    ['handlers/connections/refresh.test.ts', 'goes on with a lease that was written and whose answer was lost'],
  ] },
  { clause: 'modes', says: '`user_oauth` and `hybrid` put on the calling user’s own token, and nothing where a part is missing', tests: [
    ['handlers/user-oauth.test.ts', 'puts on the token of the calling user’s own connection'],
    ['handlers/user-oauth.test.ts', 'sends nothing where there is no identity'],
    ['handlers/user-oauth.test.ts', 'without a connection that serves ($reason), and asks the user for one'],
    ['handlers/user-oauth.test.ts', 'for an agent, which has no connections'],
  ] },
  { clause: 'modes', says: 'An API behind `/egress` is called with the account of whoever called the server, which never sees the token', tests: [
    ['handlers/egress.test.ts', 'gets the token of the user of the delegation, and the server never sees it'],
    ['handlers/egress.test.ts', 'is not called without one: the server is told where its user connects'],
    ['handlers/egress.test.ts', 'is asked once more with a fresh token after a 401'],
  ] },
  { clause: 'modes', says: 'Internal identity and the user’s account are needed together, shown by an order server', tests: [
    ['e2e/hybrid.test.ts', 'asks for the account first, and after connecting the same call says where the order is'],
    ['e2e/hybrid.test.ts', 'shows nobody the order of somebody else'],
    ['e2e/hybrid.test.ts', 'gives each user the account that is theirs'],
  ] },
  { clause: 'modes', says: 'Calls at Atlassian name a site that the connection opens', tests: [
    ['handlers/connections/connections.test.ts', 'finds the sites at Atlassian'],
    ['handlers/user-oauth.test.ts', 'and sends nothing to one that the connection does not open'],
  ] },
  { clause: 'disconnecting', says: 'It revokes at the provider where there is a way, and forgets in any case', tests: [
    ['handlers/connections/connections.test.ts', 'revokes the refresh token at the provider, forgets, and says so'],
    ['handlers/connections/connections.test.ts', 'forgets also where the provider %s'],
    ['e2e/hybrid.test.ts', 'asks again after disconnecting, which the carrier hears of'],
    ['handlers/connections/provider-answers.test.ts', 'what is disconnected is revoked where it is refused by %s'],
  ] },
];
