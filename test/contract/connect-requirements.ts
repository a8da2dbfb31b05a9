/** One thing that is asked of connecting in the browser, and the tests that fail where it does not hold: file, and a part of the title. */
export type ConnectRequirement = {
  readonly clause: 'contract §2' | 'contract §6' | 'contract §12' | 'formats §4.5' | 'security §2.14';
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What is asked of signing in for a page, connecting, and asking for a connection at the right moment. */
// biome-ignore format: one row per test
export const CONNECT_REQUIREMENTS: readonly ConnectRequirement[] = [
  { clause: 'contract §2', says: 'The connect pages need our browser session, and a sign-in leads back to them', tests: [
    ['handlers/connect.test.ts', 'who is not signed in is asked to, and comes back to the very page'],
    ['handlers/page-login.test.ts', 'asks where, goes there, begins a session and leads back; nothing is issued'],
    ['browser/connect.test.ts', 'a connection ends on its page, and with it the session by signing out'],
  ] },
  { clause: 'contract §2', says: 'A sign-in leads to pages of ours and nowhere else', tests: [
    ['core/own-page.test.ts', 'whatever is read is a path below /connect of this origin'],
    ['handlers/page-login.test.ts', 'is on a sign-in page: %s'],
    ['handlers/page-login.test.ts', 'can be put into the form'],
  ] },
  { clause: 'contract §2', says: 'A user sees, makes and ends its own connections, and nobody else’s', tests: [
    ['handlers/connect.test.ts', 'a user’s own connections are listed, without a token'],
    ['handlers/connect.test.ts', '%s %s of %j is %i'],
    ['handlers/connect.test.ts', 'who acts for a user by another token ends nothing'],
    ['e2e/connect.test.ts', 'are nobody else’s: the link of one user connects nothing for another'],
    ['handlers/connect.test.ts', 'ends one whose provider is gone, or another organisation’s, and can do nothing else with it'],
    ['handlers/connect.test.ts', 'ends it, and connects nothing, once no group stands for anything'],
    ['handlers/connections/connections.test.ts', 'forgets by its name what was connected at a provider that is gone'],
  ] },
  { clause: 'contract §6', says: 'A connection is missing: in the initialize era the protocol’s own error, in the stateless era a request for input, else an error with the URL', tests: [
    ['core/mcp-denial.test.ts', 'is the protocol’s own error in the `initialize` era: %s'],
    ['core/mcp-denial.test.ts', 'is asked for where the client can be asked, with our state'],
    ['core/mcp-denial.test.ts', 'is an error of ours with the URL in the stateless era'],
    ['handlers/connect-egress.test.ts', 'is told where the user makes one'],
  ] },
  { clause: 'contract §6', says: 'The official clients are asked, and their calls succeed once the user has connected', tests: [
    ['e2e/connect.test.ts', 'SDK 2.x in the stateless era: asked within the call, which waits for the user'],
    ['e2e/connect.test.ts', 'SDK 2.x in the initialize era: tools are there, and a call is an error with the URL'],
    ['e2e/connect.test.ts', 'SDK 1.x: the same'],
    ['browser/connect.test.ts', 'a call asks, its user signs in, connects at a third party, and the call succeeds'],
  ] },
  { clause: 'contract §6', says: 'What only prepares calls goes without a connection, and a call never does', tests: [
    ['core/preparation.test.ts', '%s acts, with an id and without'],
    ['handlers/user-oauth.test.ts', 'goes without a connection that is missing, and says so'],
    ['handlers/upstream-call.test.ts', 'a call that went without its connection is answered %i: %s'],
  ] },
  { clause: 'contract §6', says: 'Our state is sealed for the caller and the request, is taken out before the request goes on, and leaves a server’s own alone', tests: [
    ['handlers/asking-backend.test.ts', '%s is refused, and nothing is sent'],
    ['handlers/asking-backend.test.ts', 'goes on without our state and without the answer to what we asked'],
    ['handlers/asking-backend.test.ts', 'travels untouched, with the answers to what it asked: %j'],
  ] },
  { clause: 'contract §6', says: 'A server’s own questions go on after ours, and no server behind speaks in the gateway’s name', tests: [
    ['handlers/asking-backend.test.ts', 'comes back with the answers to it where ours came between, also twice'],
    ['core/impersonation.test.ts', 'a server speaks in the name of the gateway'],
    ['handlers/own-voice.test.ts', 'with %s, in the %s: the client gets an error in its place'],
    ['handlers/own-voice.test.ts', 'with %s on a stream, in the %s: the stream ends there'],
    ['core/impersonation.test.ts', 'or could, %s: nobody can say what is said'],
    ['core/impersonation.test.ts', 'any JSON is followed to its end, the same in any pieces, and whatever white space there is'],
    ['handlers/own-voice.test.ts', 'however large what it says is, none of that arrives'],
    ['handlers/own-voice.test.ts', 'nor what only some readers find: they break lines at more than others do'],
    ['handlers/line-feeds.test.ts', 'what a reader of line feeds alone could find is looked at as it finds it'],
    ['handlers/own-voice.test.ts', 'what is large leaves before its end has come, as %s'],
    ['handlers/own-voice.test.ts', 'what a server asks its own users for passes byte for byte'],
  ] },
  { clause: 'contract §6', says: 'A server that needs more of a connection than there is has its user asked for it, and a server that calls an API is told where its user connects', tests: [
    ['e2e/connect-upgrade.test.ts', 'in the stateless era: the user is asked within the call, agrees, and the call succeeds'],
    ['e2e/connect-upgrade.test.ts', 'in the initialize era: the call is an error with the URL, and succeeds afterwards'],
    ['e2e/connect-upgrade.test.ts', 'is told where its user makes one, and gets through then'],
    ['core/connect-scopes.test.ts', 'at %s, for a server that needs little: what tells whose account it is'],
  ] },
  { clause: 'contract §6', says: 'One user begins so many waits at a time and no more', tests: [
    ['handlers/asking-backend.test.ts', 'waits ten times in half a minute for one user, whatever state it comes with'],
    ['handlers/asking-backend.test.ts', 'does not wait where that cannot be counted'],
  ] },
  { clause: 'contract §6', says: 'A refresh and a connect end in time, and one refresh token is spent once', tests: [
    ['core/refresh-due.test.ts', 'whoever holds a lease has asked long before it ends, with time to store what came of it'],
    ['handlers/connections/deadline.test.ts', 'that takes as long as it may is made once, whoever else comes by then'],
    ['handlers/connections/deadline.test.ts', 'ends while its function is there, and leaves nothing half stored'],
    ['core/refresh-due.test.ts', 'storing is over before the lease is, however long each write takes, and is tried twice at least'],
    ['handlers/connections/deadline.test.ts', 'in a table that fails after %i ms each time is over before another holder can begin'],
  ] },
  { clause: 'contract §6', says: 'Without a data key no refresh token is spent and no code is redeemed', tests: [
    ['handlers/connections/deadline.test.ts', 'the refresh of a token %s spends nothing, and is made afterwards'],
    ['handlers/connections/deadline.test.ts', 'which is lost between the two, what a refresh has brought is stored all the same'],
    ['handlers/connections/deadline.test.ts', 'no code is redeemed'],
  ] },
  { clause: 'contract §6', says: 'A call that waits for its user is sent only while its caller may call', tests: [
    ['handlers/asking-backend.test.ts', 'waits no longer than its caller may call'],
  ] },
  { clause: 'contract §6', says: 'The URL is ours, the same for the same need, and without a secret', tests: [
    ['handlers/connect.test.ts', 'is the same for the same need, and no secret is in it'],
    ['core/seal.test.ts', 'tells by `sealSame` that two are equal, and nothing else'],
  ] },
  { clause: 'contract §12', says: 'The command connects, lists and ends connections', tests: [
    ['e2e/connect.test.ts', 'a user logs in, connects, sees it, and ends it'],
    ['cli/connect.test.ts', 'waits until the account is connected'],
    ['cli/connect.test.ts', 'ends where it is stopped, and says that nothing was connected'],
  ] },
  { clause: 'formats §4.5', says: 'No. 36: what A began B cannot finish; a state is used once, for 600 s, and an error of the provider connects nothing', tests: [
    ['handlers/connect.test.ts', 'to what another browser began is none: the finisher is the starter'],
    ['handlers/connect.test.ts', 'is used once'],
    ['handlers/connect.test.ts', 'is used in time'],
    ['handlers/connect.test.ts', 'that says no is told without its words: %j'],
    ['browser/connect.test.ts', 'an answer that was begun in another browser connects nothing'],
  ] },
  { clause: 'formats §4.5', says: 'No. 37: a state that is not ours ends it', tests: [
    ['handlers/connect.test.ts', "['without a state', "],
    ['handlers/connect.test.ts', 'does not take the state for a ticket, nor the ticket for a state'],
  ] },
  { clause: 'formats §4.5', says: 'No. 41: another principal’s connection is not there', tests: [
    ['handlers/connect.test.ts', "['DELETE', '/connections/track', {}, 404]"],
  ] },
  { clause: 'security §2.14', says: 'A redirect URI of its own for each provider, and `iss` where there is one: an answer of another provider is none', tests: [
    ['handlers/connect.test.ts', 'at another provider’s callback is none'],
    ['handlers/connect.test.ts', 'of a provider that names itself names it, whatever it says'],
  ] },
  { clause: 'security §2.14', says: 'A link for another user connects nothing, and another site neither frames nor answers a page', tests: [
    ['handlers/connect.test.ts', 'of another user asks nobody anything, and says so'],
    ['handlers/connect.test.ts', 'of another site is not taken, with a ticket either: %j'],
    ['browser/connect.test.ts', 'neither frames the question nor answers it'],
  ] },
  { clause: 'security §2.14', says: 'A connection is changed only after its record is durable', tests: [
    ['handlers/connect.test.ts', 'of the audit log redeems nothing and ends nothing'],
  ] },
];
