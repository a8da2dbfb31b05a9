/** Nos. 31–45 of the deny paths that were seen to be missing elsewhere (formats §4.5), but for those of connecting, and what Secrets Manager may do. */
// biome-ignore format: one requirement per entry
export const LEAK_REQUIREMENTS = [
  { clause: 'formats §4.5', says: 'No. 31: a forged `x-client-id` obtains nobody else’s key', tests: [
    ['e2e/egress-attacks.test.ts', 'under the name of the client'],
    ['e2e/egress-attacks.test.ts', 'never sees one client’s key in another client’s call, however they mix'],
  ] },
  { clause: 'formats §4.5', says: 'No. 32: no silent fallback to a shared key', tests: [
    ['handlers/service-account.test.ts', 'a shared one stands in only where the entry says so'],
    ['handlers/service-account.test.ts', 'a shared one stands in for none that is %s'],
  ] },
  { clause: 'formats §4.5', says: 'No. 33: a key in a query comes back nowhere, no path leads elsewhere, nobody lists other clients', tests: [
    ['e2e/egress-attacks.test.ts', 'gets its key in the query only once, whatever the caller puts there'],
    ['e2e/egress-attacks.test.ts', "describe('the path'"],
    ['e2e/egress-attacks.test.ts', 'no log and no audit record holds a key or a delegation'],
    ['handlers/admin-secrets.test.ts', 'of another organisation is not there'],
    ['e2e/canaries.test.ts', '%s: no deed of an API shows it to the server'],
  ] },
  { clause: 'formats §4.5', says: 'No. 34: the ingress token reaches no upstream', tests: [
    ['e2e/egress-attacks.test.ts', 'sees the key of the calling client, and no token of anybody'],
    ['e2e/bad-requests.test.ts', 'is never the token of the gateway, in whichever header it comes'],
  ] },
  { clause: 'formats §4.5', says: 'No. 35: `X-User`, `X-Scopes` and hop-by-hop headers reach no upstream', tests: [
    ['e2e/egress-http.test.ts', 'are those of content, conditions, preferences and the listed ones, and nothing else'],
    ['core/configuration/servers.test.ts', 'that says who calls, selects at the gate or makes it another request: %s'],
  ] },
  { clause: 'formats §4.5', says: 'No. 38: nobody of the same name elsewhere opens a vault', tests: [
    ['handlers/connections/connections.test.ts', 'belongs to one organisation, subject and provider'],
    ['handlers/user-oauth.test.ts', 'for an agent, which has no connections'],
  ] },
  { clause: 'formats §4.5', says: 'No. 39: concurrent refreshes are one, and no write is lost', tests: [
    ['handlers/connections/refresh-processes.test.ts', 'in four processes that find the token at its end refresh it once'],
    ['handlers/connections/refresh.test.ts', 'that comes late does not undo the one that came after it'],
  ] },
  { clause: 'formats §4.5', says: 'No. 40: a refresh token that is taken no more asks for a new connection, without a loop', tests: [
    ['handlers/connections/refresh.test.ts', '%s ends the connection until it is made anew'],
    ['e2e/hybrid.test.ts', 'asks again once the account’s holder has ended it at the carrier, and connects again'],
  ] },
  { clause: 'formats §4.5', says: 'No. 42: no way of asking gives a secret', tests: [
    ['handlers/admin-secrets.test.ts', 'has names, stages and times of its own organisation, and no value'],
    ['infra/blast-radius.test.ts', 'only the gateway reads credentials'],
  ] },
  { clause: 'formats §4.5', says: 'No. 43: no address of a machine, a cloud or a tunnel is called, in whatever spelling, behind whatever name, by whatever URL', tests: [
    ['core/perimeter.test.ts', 'never connected to, private entry or not'],
    ['aws/upstream-guard.test.ts', 'in any way of writing it: %s'],
    ['aws/upstream-guard.test.ts', 'behind a name: %s (private: %s)'],
    ['aws/upstream-guard.test.ts', 'is looked up once, and the connection goes to the address that was checked'],
    ['handlers/foreign-keys.test.ts', '169.254'],
    ['handlers/service-account.test.ts', '169.254'],
  ] },
  { clause: 'formats §4.5', says: 'No. 44: what is outside the perimeter is refused when it is configured and when it is called', tests: [
    ['core/configuration/servers.test.ts', 'refuses %s, and says what may be behind the gate'],
    ['handlers/upstream-call.test.ts', 'is looked at once more when a call is made'],
  ] },
  { clause: 'formats §4.5', says: 'No. 45: no redirect is followed, with credentials or without', tests: [
    ['e2e/egress-http.test.ts', 'lead nowhere with %i'],
    ['e2e/canaries.test.ts', 'nothing was sent to where an upstream redirects'],
  ] },
  { clause: 'Secrets Manager', says: 'Slow, throttled, failing: bridged, asked again after a while, never an allow', tests: [
    ['contract/secret-store.test.ts', 'an outage is bridged for 300 s and not longer'],
    ['contract/secret-store.test.ts', 'what the service answers with %s is asked for once in 5 s'],
    ['contract/secret-store.test.ts', 'while Secrets Manager %s, what is held serves, and what is not is an outage'],
  ] },
  { clause: 'Secrets Manager', says: 'Denied, deleted, without a version: a denial, and nothing stands in', tests: [
    ['contract/secret-store.test.ts', 'a refusal and a deletion are never bridged'],
    ['contract/secret-store.test.ts', 'what is there and has no current version is not missing'],
    ['contract/secret-store.test.ts', 'what is there and cannot be read is not missing'],
  ] },
  { clause: 'Secrets Manager', says: 'A value that is no credential is a denial that repeats nothing of it', tests: [
    ['core/credential.test.ts', "describe('a value that is refused, with an error that does not repeat it'"],
  ] },
] as const;
