/** One thing that is asked of the way out, and the tests that fail when it does not hold: file, and a part of the title. */
export type EgressRequirement = {
  /** What it is about. */
  readonly clause: 'modes' | 'egress gateway' | 'passthrough' | 'perimeter' | 'network' | 'bad answers';
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What is asked of calls to servers and APIs, and of what is put on them (docs/egress.md). */
// biome-ignore format: one row per test
export const EGRESS_REQUIREMENTS: readonly EgressRequirement[] = [
  { clause: 'modes', says: 'A header of the caller’s chooses nobody’s secret: the verified claims do', tests: [
    ['e2e/egress-attacks.test.ts', 'under the name of the client'],
    ['e2e/egress-attacks.test.ts', 'never sees one client’s key in another client’s call, however they mix'],
    ['core/credential.test.ts', 'is another for every organisation, target, kind and id'],
    ['handlers/egress-credential.test.ts', 'that is by %s, for %j: the one %s'],
    ['handlers/egress-credential.test.ts', 'that is by %s and missing for %j: nobody else’s'],
  ] },
  { clause: 'modes', says: 'A shared key stands in where the entry says so, and nowhere else', tests: [
    ['handlers/service-account.test.ts', 'a shared one stands in only where the entry says so'],
    ['handlers/service-account.test.ts', 'a shared one stands in for none that is %s'],
    ['e2e/egress-attacks.test.ts', 'for a client that has no key is refused, and only the log says which secret is missing'],
  ] },
  { clause: 'modes', says: 'A key in a query is there once, comes back nowhere and is in no log', tests: [
    ['e2e/egress-attacks.test.ts', 'gets its key in the query only once, whatever the caller puts there'],
    ['e2e/egress-attacks.test.ts', 'of %s that echoes what it got shows the server no key'],
    ['core/redact.test.ts', '%s within another is taken out wherever the chunks are cut'],
    ['handlers/upstream-call.test.ts', 'an answer with the headers %j is encoded %s, and no word of it is recorded'],
    ['handlers/upstream-call.test.ts', 'what a call failed of is recorded without its credential, wherever that was said'],
    ['e2e/egress-attacks.test.ts', 'no log and no audit record holds a key or a delegation'],
  ] },
  { clause: 'egress gateway', says: 'A path in another spelling reaches nothing, and what was matched is what is sent', tests: [
    ['core/path-pattern.test.ts', 'what matches stays inside the pattern’s fixed beginning, however it is read afterwards'],
    ['core/service-url.test.ts', 'below the URL of the service, with or without a slash at its end'],
    ['e2e/egress-attacks.test.ts', '%j arrives as it was written'],
  ] },
  { clause: 'egress gateway', says: 'Parameters arrive with their names and values, always written alike', tests: [
    ['core/query.test.ts', 'what is written is read as it was, by readers of forms and of URLs, and is what a URL keeps'],
    ['e2e/egress-http.test.ts', '%s arrive as %s'],
  ] },
  { clause: 'egress gateway', says: 'Ranges, conditions, statuses and validators are what they are without the gate', tests: [
    ['e2e/egress-http.test.ts', 'asked for %s'],
    ['e2e/egress-http.test.ts', 'is replaced %s: %i'],
    ['e2e/egress-http.test.ts', 'is described to HEAD without its content'],
    ['handlers/egress.test.ts', 'to %s with %i has no body: what comes is let go, and the end is recorded'],
  ] },
  { clause: 'egress gateway', says: 'A body is any bytes, 4.5 MB of them to the API, and comes back as it is made', tests: [
    ['e2e/egress-http.test.ts', 'of any bytes arrives as it was sent, and comes back so'],
    ['e2e/egress-http.test.ts', 'may have 4.5 MB and not a byte more'],
    ['e2e/egress-http.test.ts', 'of an answer comes as it is made, piece by piece'],
  ] },
  { clause: 'egress gateway', says: 'Only methods that a rule names; no tunnel, no other protocol, no trace', tests: [
    ['e2e/egress-http.test.ts', 'that no rule can name is no route: %s'],
    ['e2e/egress-http.test.ts', 'that would open a tunnel opens none'],
    ['e2e/egress-http.test.ts', 'with a switch of protocols is served as it would be without'],
    ['core/configuration/servers.test.ts', 'may not be %j, which never arrives'],
  ] },
  { clause: 'egress gateway', says: 'Listed headers alone travel, and none that says who calls or makes it another request', tests: [
    ['e2e/egress-http.test.ts', 'are those of content, conditions, preferences and the listed ones, and nothing else'],
    ['core/configuration/servers.test.ts', 'that says who calls, selects at the gate or makes it another request: %s'],
    ['core/forward.test.ts', 'to a service travel content, conditions and ranges'],
  ] },
  { clause: 'egress gateway', says: 'A redirect is not followed and not told; what is made is named by a way through the gate', tests: [
    ['e2e/egress-http.test.ts', 'lead nowhere with %i'],
    ['e2e/egress-http.test.ts', 'is made below another, and where it is leads through the gate'],
    ['e2e/egress-http.test.ts', 'never name a place outside the service: %s'],
    ['core/service-url.test.ts', 'that is given back leads to where it led, and nothing else is given back'],
  ] },
  { clause: 'passthrough', says: 'Clients that are configured as the auth guide has it reach the server with the provider’s token alone', tests: [
    ['e2e/passthrough.test.ts', 'calls the server with the provider’s token, and with nothing of the gate'],
    ['e2e/passthrough.test.ts', 'carries the headers of the provider that are listed, and no others'],
  ] },
  { clause: 'passthrough', says: 'Without a token of the caller’s own nothing is sent, and the gate’s token never is', tests: [
    ['e2e/passthrough.test.ts', 'with %s sends nothing to the server'],
    ['e2e/bad-requests.test.ts', 'is never the token of the gateway, in whichever header it comes'],
    ['core/upstream-token.test.ts', 'is not %s'],
    ['core/configuration/servers.test.ts', 'is refused for services: who calls them has no token of the caller’s'],
  ] },
  { clause: 'passthrough', says: 'The caller’s own token is in no log, no record and no answer', tests: [
    ['e2e/passthrough.test.ts', 'shows nobody the token that the server echoes'],
    ['e2e/passthrough.test.ts', 'no log and no audit record holds a token'],
  ] },
  { clause: 'passthrough', says: 'A token that the server refuses is said to be that, and not the gate’s', tests: [
    ['e2e/passthrough.test.ts', 'whose token the server refuses says which token, and not that the gate’s is bad'],
  ] },
  { clause: 'perimeter', says: 'Addresses of machines, clouds and tunnels are refused in every way of writing them, and behind names', tests: [
    ['core/perimeter.test.ts', 'never connected to, private entry or not'],
    ['aws/upstream-guard.test.ts', 'in any way of writing it: %s'],
    ['aws/upstream-guard.test.ts', 'behind a name: %s (private: %s)'],
    ['aws/upstream-guard.test.ts', 'is looked up once, and the connection goes to the address that was checked'],
  ] },
  { clause: 'perimeter', says: 'The same holds for token endpoints, key sets and client documents', tests: [
    ['handlers/foreign-keys.test.ts', '169.254'],
    ['handlers/client-metadata-document.test.ts', '169.254'],
    ['handlers/service-account.test.ts', '169.254'],
  ] },
  { clause: 'perimeter', says: 'Where a perimeter is written, no entry leads out of it, and no call', tests: [
    ['core/configuration/servers.test.ts', 'refuses %s, and says what may be behind the gate'],
    ['handlers/upstream-call.test.ts', 'is looked at once more when a call is made'],
    ['aws/upstream-guard.test.ts', 'where private addresses may be in some networks alone, and this one is in none of them'],
    ['core/perimeter-list.test.ts', 'outside it is'],
  ] },
  { clause: 'perimeter', says: 'Functions that know no perimeter do not decide by a policy that has one', tests: [
    ['core/configuration/servers.test.ts', 'is stored as it is written, and keeps functions that do not know it from deciding'],
  ] },
  { clause: 'network', says: 'No function is in a VPC unless it is asked for; then those that are named, under a group that lets nothing in', tests: [
    ['infra/network.test.ts', 'no function is in one, and nothing of a network is made'],
    ['infra/network.test.ts', 'is the gateway, in the subnets that are named, and nobody else'],
    ['infra/network.test.ts', 'nothing comes in, and what goes out is HTTPS'],
  ] },
  { clause: 'network', says: 'Without a way to the Internet there are endpoints for all of AWS that is called, for this account alone', tests: [
    ['infra/network.test.ts', '%s: there are endpoints for all of AWS that is called'],
    ['infra/network.test.ts', 'nothing is made that leads there: no NAT, no gateway, no route, no address'],
    ['infra/network.test.ts', 'they take no credentials of another account'],
  ] },
  { clause: 'bad answers', says: 'An answer that is slow, endless, huge, broken or of another protocol ends, and never looks whole', tests: [
    ['aws/upstream-guard.test.ts', 'by %s is over with the bound on the first byte'],
    ['aws/upstream-guard.test.ts', 'by %s is over with the bound on the call, and never looks complete'],
    ['aws/upstream-guard.test.ts', 'or that two would read differently is no answer: %s'],
    ['aws/upstream-guard.test.ts', 'and %s never looks complete'],
    ['e2e/egress-http.test.ts', '%s is %i, with nothing of its own'],
    ['e2e/egress-http.test.ts', '%s is cut, and never looks whole'],
  ] },
  { clause: 'bad answers', says: 'Nothing is decompressed; what is compressed unasked is no answer', tests: [
    ['aws/upstream-guard.test.ts', 'once it is unpacked stays packed: nothing is decompressed here'],
    ['e2e/egress-attacks.test.ts', 'is not passed on in an encoding that nobody asked for and nobody can look into'],
  ] },
];
