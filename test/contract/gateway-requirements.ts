/** One promise of the gateway to its users, and the tests that fail when it is broken: file, and a part of the title. */
export type Requirement = {
  /** The part of the contract: 2 URLs, 3 ingress, 6 the gateway, 10 errors, 13 bounds. */
  readonly clause: 2 | 3 | 6 | 10 | 11 | 13;
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What the gateway promises. A promise without a test does not belong here, and one without a row is not kept track of. */
// biome-ignore format: one row per test
export const GATEWAY_REQUIREMENTS: readonly Requirement[] = [
  { clause: 2, says: 'A path in another spelling is no route, or malformed, and never another route', tests: [
    ['e2e/bad-requests.test.ts', '%s is nowhere'],
    ['e2e/bad-requests.test.ts', '%s is malformed'],
  ] },
  { clause: 2, says: 'ORIGIN comes from configuration alone', tests: [
    ['infra/api.test.ts', 'tells the functions the public origin'],
    ['e2e/methods.test.ts', 'whatever a request says of where it went, %s names the configured origin'],
  ] },
  { clause: 3, says: 'One ingress token, which is never forwarded', tests: [
    ['core/ingress-token.test.ts', '%s twice'],
    ['e2e/bad-requests.test.ts', 'is never the token of the gateway, in whichever header it comes'],
  ] },
  { clause: 3, says: 'No token is 401 with a bare challenge', tests: [
    ['e2e/scope-challenge.test.ts', 'no token is 401 with a bare challenge, on a server that exists and on one that does not'],
  ] },
  { clause: 3, says: 'A scope that the client may obtain is challenged, with all that is needed to obtain it', tests: [
    ['e2e/scope-challenge.test.ts', 'a scope that the client may obtain is challenged'],
    ['e2e/denials.test.ts', 'a client with a provider of credentials gets the scope that it is told of, and goes on'],
  ] },
  { clause: 6, says: 'Both eras on one endpoint, as without the gateway: the public conformance suite', tests: [
    ['conformance/conformance.test.ts', 'a server of both eras gives the same results through Sallyport'],
    ['conformance/conformance.test.ts', 'the reference server gives the same results through Sallyport'],
  ] },
  { clause: 6, says: 'Every official client agrees with every kind of server on the revision that it would have without the gateway', tests: [
    ['e2e/eras.test.ts', 'a client and a server agree on a revision through Sallyport as they do without it'],
  ] },
  { clause: 6, says: 'Tools, prompts, resources, templates, completions, progress are what they are without the gateway', tests: [
    ['e2e/eras.test.ts', '$label: tools, prompts, resources, completions'],
  ] },
  { clause: 6, says: 'Logging, sampling, elicitation, resumption, changes on the stream of a session', tests: [
    ['e2e/eras.test.ts', '$label: what the server says and asks while it serves, and a stream that is taken up again'],
    ['e2e/eras.test.ts', '$label: changes of lists and resources on the stream of the session'],
  ] },
  { clause: 6, says: 'Results that ask first pass untouched, and so do the state and the responses of the next round', tests: [
    ['e2e/eras.test.ts', 'SDK 2.x, 2026-07-28: results that ask first, over several rounds'],
    ['e2e/methods.test.ts', 'a question to the client passes byte for byte:'],
    ['e2e/methods.test.ts', 'passes as it was sent, and its answer as it came:'],
  ] },
  { clause: 6, says: '`server/discover`, `subscriptions/listen` and the methods of tasks pass, each where it is granted', tests: [
    ['e2e/eras.test.ts', 'SDK 2.x, 2026-07-28: listens, and hears what it asked for and nothing else'],
    ['e2e/methods.test.ts', 'passes as it was sent, and its answer as it came:'],
    ['e2e/methods.test.ts', 'is denied, in the one text, and reaches nobody:'],
  ] },
  { clause: 6, says: 'The body is parsed once, strictly, and bounded', tests: [
    ['core/json.test.ts', 'what is accepted, JSON.parse accepts with the same meaning, and writing it again changes nothing'],
    ['e2e/bad-requests.test.ts', '%s is a parse error'],
    ['e2e/bad-requests.test.ts', '%s are too much'],
  ] },
  { clause: 6, says: 'The bytes that were decided on are the bytes that are sent; numbers keep their digits', tests: [
    ['core/action.test.ts', 'what is accepted, every reader of the forwarded bytes takes for the same method and name'],
    ['e2e/bad-requests.test.ts', 'is every number as it was written'],
  ] },
  { clause: 6, says: 'Modern headers equal the body, or 400 with -32020; an unsupported version is 400 with -32022', tests: [
    ['e2e/bad-requests.test.ts', '%s disagrees with its body'],
    ['e2e/bad-requests.test.ts', 'have the version %s, as its body has, is not supported'],
  ] },
  { clause: 6, says: 'Every 400 for a modern request has a JSON-RPC error body', tests: [
    ['core/mcp-denial.test.ts', 'are 400 with a JSON-RPC body, their own code and the id where it is known'],
    ['e2e/methods.test.ts', 'what cannot be decided on is refused where the method is granted:'],
    ['e2e/upstream-failures.test.ts', 'with an error of the protocol, and nothing of its own'],
  ] },
  { clause: 6, says: 'A batch is refused', tests: [['e2e/bad-requests.test.ts', "['a batch', "]] },
  { clause: 6, says: 'A grant of `initialize` is one of `server/discover`; `ping` and notifications need any right on the server', tests: [
    ['e2e/methods.test.ts', 'passes as it was sent, and its answer as it came:'],
    ['e2e/methods.test.ts', 'what a client tells without asking passes with any right on the server:'],
  ] },
  { clause: 6, says: 'A completion is decided by what it completes, a subscription by what it watches', tests: [
    ['core/addressed.test.ts', 'a completion needs the right to what it completes:'],
    ['core/addressed.test.ts', 'to listen for changes of resources needs the right to read each:'],
    ['e2e/methods.test.ts', 'is denied, in the one text, and reaches nobody:'],
  ] },
  { clause: 6, says: 'Lists are pruned by the predicate that decides calls, on every page, as JSON and in events', tests: [
    ['core/prune.test.ts', 'what is listed may be called, and what may be called is listed'],
    ['e2e/lists.test.ts', '$label: shows what may be called, on every page, and comes to its end'],
    ['e2e/scopes.test.ts', '%s lists what it may call, and may call what it lists'],
  ] },
  { clause: 6, says: 'Lists, and whatever else clients remember, are `cacheScope: "private"`', tests: [
    ['core/prune.test.ts', 'is for this caller alone: %s'],
    ['e2e/lists.test.ts', 'whatever was read is for its reader alone, and so is what a server says of itself'],
  ] },
  { clause: 6, says: 'What is hidden and what does not exist get the same answer', tests: [
    ['e2e/lists.test.ts', 'what is hidden and what does not exist are told apart by nobody:'],
    ['e2e/bad-requests.test.ts', 'of another organisation’s server and of none are told apart by nobody (%s)'],
  ] },
  { clause: 6, says: 'A denied tool is a result that the model reads; another denied request is -31001 with status 200', tests: [
    ['e2e/denials.test.ts', 'a tool that nobody may call as a result that the model can read'],
    ['e2e/denials.test.ts', '%s as an error of the protocol, with the id to ask about'],
  ] },
  { clause: 6, says: 'Requests upstream are built from an empty list of headers', tests: [
    ['e2e/bad-requests.test.ts', 'is none of the caller’s headers but those of MCP and the listed ones'],
    ['core/forward.test.ts', 'travel the transport’s own headers and the gateway’s name, nothing else'],
  ] },
  { clause: 6, says: 'Redirects are refused', tests: [
    ['aws/upstream-guard.test.ts', 'with %i is refused, and leads nowhere'],
    ['e2e/upstream-failures.test.ts', 'with an error of the protocol, and nothing of its own'],
  ] },
  { clause: 6, says: 'The address is checked and pinned; private ones only for a private entry', tests: [
    ['core/perimeter.test.ts', 'never connected to, private entry or not'],
    ['aws/upstream-guard.test.ts', 'in the URL: %s (private: %s)'],
    ['aws/upstream-guard.test.ts', 'behind a name: %s (private: %s)'],
    ['aws/upstream-guard.test.ts', 'is looked up once, and the connection goes to the address that was checked'],
  ] },
  { clause: 6, says: 'TLS is verified for the name; no proxy; connections are never shared between callers', tests: [
    ['aws/upstream-guard.test.ts', 'is not with one whose certificate %s'],
    ['aws/upstream-guard.test.ts', 'no variable of the environment leads through a proxy'],
    ['aws/upstream-guard.test.ts', 'serves no other caller, no other right, and no other name for the same server'],
  ] },
  { clause: 6, says: 'A present Origin that is not listed is 403', tests: [
    ['e2e/bad-requests.test.ts', 'from a page of the origin %j is forbidden'],
    ['e2e/pages.test.ts', 'and no page of another origin: it is refused, and not told why'],
  ] },
  { clause: 6, says: 'CORS for listed origins alone, on every answer of the gateway and the context store, before either front', tests: [
    ['e2e/pages.test.ts', '$label ($status)'],
    ['handlers/cors.test.ts', 'can be read by a page of a listed origin'],
    ['infra/front.test.ts', 'answers CORS for the listed origins alone, on every answer, without credentials'],
    ['infra/gateway-responses.test.ts', 'name no browser origin unless exactly one is listed, and then that one'],
  ] },
  { clause: 6, says: 'Events are streamed one by one, and silence is filled', tests: [
    ['e2e/streaming.test.ts', 'an event reaches the client before the server sends the next one'],
    ['handlers/relay.test.ts', 'is filled before the first event, again and again'],
  ] },
  { clause: 6, says: 'A client that leaves ends the call behind, where the platform reports it', tests: [
    ['e2e/streaming.test.ts', 'a client that leaves ends the call behind'],
    ['e2e/methods.test.ts', 'what a client tells without asking passes with any right on the server:'],
  ] },
  { clause: 6, says: 'A session is its caller’s alone, on every method, and so is what is taken up again in it', tests: [
    ['e2e/streaming.test.ts', 'a session of one caller is unknown to another, on every method and on another server'],
    ['e2e/methods.test.ts', 'a stream is taken up where it broke off, in the session of its caller'],
  ] },
  { clause: 6, says: 'The stateless era knows no sessions, no GET and no DELETE', tests: [
    ['e2e/methods.test.ts', 'are nothing to a stateless request: what it says of them goes no further'],
    ['e2e/methods.test.ts', '%s in the stateless era is not allowed'],
  ] },
  { clause: 6, says: 'The standalone GET stream is there only where the entry says so', tests: [
    ['e2e/streaming.test.ts', 'the standalone GET stream is there only where the entry says so'],
  ] },
  { clause: 6, says: 'HTTP+SSE of 2024-11-05 is refused in words, as client and as server', tests: [
    ['e2e/old-transport.test.ts', 'reads what to use instead (%s)'],
    ['e2e/old-transport.test.ts', 'and is $name to POST: $label hears what is wrong with it'],
    ['e2e/old-transport.test.ts', 'is not listened to either: where it would tell where to POST, its stream ends'],
  ] },
  { clause: 10, says: 'A failed server is 502 or 504 with a JSON-RPC body, and nothing of its own', tests: [
    ['e2e/upstream-failures.test.ts', 'with an error of the protocol, and nothing of its own'],
    ['e2e/faults.test.ts', 'that is %s is a %i which shows nothing of it'],
    ['e2e/denials.test.ts', 'a server that is %s as %i, and does not take it for one of another era'],
  ] },
  { clause: 10, says: 'A dependency that is down is 503 and never an allow', tests: [
    ['e2e/faults.test.ts', "describe('DynamoDB'"],
    ['e2e/long-outage.test.ts', 'while revocations and policy cannot be read, a token in use dies within 5 s'],
  ] },
  { clause: 10, says: 'No answer shows a stack, a path, an ARN, a table or a secret', tests: [
    ['e2e/faults.test.ts', 'no answer, log or audit record holds a secret, and no answer shows what is inside'],
  ] },
  { clause: 11, says: 'A decision is recorded before and an outcome after, with the members that are promised and no others', tests: [
    ['e2e/audit.test.ts', 'has what the contract names, and nothing else'],
    ['e2e/audit.test.ts', 'of a call has a decision before and an outcome after'],
    ['e2e/audit.test.ts', 'of a token has who, which, what for, by which policy, and whose trace'],
    ['handlers/access.test.ts', 'a call whose client left is abandoned, and not %s'],
  ] },
  { clause: 11, says: 'No record and no log has arguments, bodies or secrets', tests: [
    ['e2e/audit.test.ts', 'no record and no log has one, nor a part of a token'],
  ] },
  { clause: 11, says: 'The audit table is put-only', tests: [
    ['infra/blast-radius.test.ts', 'audit records can be put, and read by two functions; nobody changes, deletes or scans'],
    ['infra/blast-radius.test.ts', 'only the issuer, which alone can sign one, puts a checkpoint'],
  ] },
  { clause: 11, says: 'A record that was removed or changed is found by `sallyport audit verify`', tests: [
    ['core/audit/verify.test.ts', 'record %i, whose hash was made to fit'],
    ['core/audit/verify.test.ts', 'record %i, removed'],
    ['core/audit/verify.test.ts', 'the end of a chain, cut off'],
    ['core/audit/verify.test.ts', 'holds when its writers fail, stop, overlap, and are answered late'],
    ['cli/audit.test.ts', 'finds what is wrong, here and not there, and exits with 1'],
    ['e2e/audit.test.ts', 'of which somebody changed a record does not'],
  ] },
  { clause: 11, says: 'The newest records are missed although the newest checkpoints were removed with them, at once and for ever', tests: [
    ['e2e/audit.test.ts', 'are missed at once'],
    ['e2e/audit.test.ts', 'are missed for ever once the issuer has sealed again, which says so and gives no number twice'],
    ['handlers/audit/witness.test.ts', 'that cannot be kept is told of, and kept by the next run'],
    ['handlers/audit/witness.test.ts', 'is made up for after checkpoints were written %s'],
    ['handlers/audit/witness.test.ts', 'issuers at once that take their steps in any order, and end at any of them, leave nothing to find'],
    ['handlers/audit/witness.test.ts', 'are told of still when they have been put back after the issuer had missed them'],
    ['handlers/audit/witness.test.ts', 'are logged by their own name, and missed for ever: %s'],
    ['handlers/audit/witness.test.ts', 'nothing is sealed as long as that number is far above theirs, and everything once it was removed'],
    ['contract/audit-reader.test.ts', 'of more than a page of the table are not all, however few they are, and the next page goes on'],
    ['contract/checkpoint-witness.test.ts', 'is the highest of those that are kept at once'],
    ['infra/blast-radius.test.ts', 'only the issuer keeps which checkpoint was its newest, and control reads it, in another table'],
  ] },
  { clause: 11, says: 'An organisation reads its own records alone', tests: [
    ['handlers/admin-audit.test.ts', 'is not there, as one that is none: %s'],
    ['handlers/admin-audit.test.ts', 'is not reached by a cursor either'],
  ] },
  { clause: 13, says: 'A request body is 4.5 MB at most, headers 10,240 bytes', tests: [
    ['e2e/bad-requests.test.ts', '%s are too much'],
    ['e2e/bad-requests.test.ts', 'with more than 10,240 bytes of headers is too large'],
  ] },
  { clause: 13, says: 'Upstream: connect, first byte, silence and the whole call are bounded, per server', tests: [
    ['core/configuration/compile.test.ts', 'first_byte: 56s'],
    ['core/configuration/compile.test.ts', 'call: 841s'],
    ['aws/upstream-guard.test.ts', 'by %s is over with the bound on the first byte'],
    ['aws/upstream-guard.test.ts', 'by %s is over with the bound on the call, and never looks complete'],
    ['e2e/upstream-failures.test.ts', 'an answer that never ends ends at the bound of the call, and never looks whole'],
  ] },
  { clause: 13, says: 'A revocation holds within 5 s, a policy within 15 s', tests: [
    ['e2e/bad-tokens.test.ts', 'dies on every door within 5 s of its revocation'],
    ['e2e/bad-tokens.test.ts', 'dies on every door within 15 s of an apply'],
  ] },
];
