/** One thing that the issuer must do, whoever says so, and the tests that fail when it does not: file, and a part of the title. */
export type IssuerRequirement = {
  /** Where it is written: a specification, or §3 ingress, §4 access tokens, §5 run tokens of our own contract. */
  readonly clause: string;
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What the issuer must do. What is not built (DPoP, mTLS) has no row. */
// biome-ignore format: one row per test
export const ISSUER_REQUIREMENTS: readonly IssuerRequirement[] = [
  // The authorization endpoint.
  { clause: 'RFC 9700 §4.1', says: 'A redirect URI is one that is registered, byte for byte; of http on loopback the port may differ', tests: [
    ['core/redirect-uri.test.ts', 'that matches goes to the host and the path of one that is registered'],
    ['handlers/authorize.test.ts', 'a redirect URI with a query'],
    ['conformance/authorization.test.ts', 'the public suite for authorization servers passes'],
  ] },
  { clause: 'RFC 6749 §4.1.2.1', says: 'Where the client or the redirect URI is wrong, the browser is led nowhere', tests: [
    ['handlers/authorize.test.ts', 'a request whose client and redirect URI do not belong together is shown a page and leads nowhere'],
    ['e2e/login.test.ts', 'a parameter that comes twice stays two'],
  ] },
  { clause: 'RFC 9700 §2.6', says: 'No redirect URI is http, but on loopback', tests: [
    ['core/redirect-uri.test.ts', "['http://app.example.com/cb', /http is for/]"],
    ['core/configuration/clients.test.ts', 'a redirect URI has the form of one'],
    ['handlers/registration-endpoint.test.ts', 'a redirect URI over http'],
    ['handlers/authorize.test.ts', 'what was registered and never may be'],
  ] },
  { clause: 'RFC 9700 §4.11', says: 'Nothing that a request brings makes the issuer a way to anywhere', tests: [
    ['handlers/oauth-attacks.test.ts', 'nobody is sent anywhere else'],
    ['handlers/authorize-login.test.ts', 'in another browser leads nowhere'],
    ['handlers/authorize.test.ts', 'leads nobody away by an error'],
  ] },
  { clause: 'RFC 6749 §3.1', says: 'A parameter of an authorization request comes once', tests: [
    ['handlers/authorize.test.ts', 'an unknown parameter twice'],
    ['handlers/authorize.test.ts', 'two redirect URIs'],
  ] },
  { clause: 'RFC 6749 §3.2', says: 'A parameter of the token endpoint comes once', tests: [
    ['handlers/oauth-attacks.test.ts', 'a parameter that is there %s is refused'],
    ['core/client-auth.test.ts', 'names a repeated parameter in characters that an error may have'],
  ] },
  { clause: 'RFC 6749 §3.1', says: 'Parameters that nobody knows are passed over', tests: [
    ['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows'],
    ['handlers/oauth-attacks.test.ts', 'what nobody knows is passed over'],
  ] },
  { clause: 'RFC 6749 §3.1.1', says: 'A response type that is missing or not built is told to the client', tests: [
    ['handlers/authorize.test.ts', 'no response type'],
    ['handlers/authorize.test.ts', 'a code and an id token'],
  ] },
  { clause: 'RFC 9700 §2.4', says: 'No password grant, no implicit one', tests: [
    ['handlers/issuer.test.ts', "['courier', 'password', 'unsupported_grant_type']"],
    ['handlers/authorize.test.ts', "['a token', authorizeUrl({ response_type: 'token' }), 'unsupported_response_type']"],
  ] },
  { clause: 'RFC 9700 §4.12', says: 'Browsers are sent on by 303', tests: [
    ['handlers/authorize.test.ts', 'by 303, kept by nobody'],
  ] },
  { clause: 'RFC 9700 §4.16', says: 'Nobody frames the pages', tests: [
    ['handlers/authorize.test.ts', 'can be framed by nobody, runs no script, loads nothing, is kept nowhere'],
    ['browser/login.test.ts', 'no other site can frame the page'],
    ['e2e/login.test.ts', 'a page keeps its headers and cookies'],
  ] },
  { clause: 'RFC 9101 §6', says: 'A request object is refused, and never fetched', tests: [
    ['handlers/authorize.test.ts', 'a request object'],
    ['handlers/authorize.test.ts', 'request_uri_not_supported'],
    ['handlers/oauth-attacks.test.ts', 'has nothing fetched that it names'],
  ] },
  { clause: 'RFC 9207 §2', says: 'Every answer to a client names its issuer, errors too, and the metadata says so', tests: [
    ['handlers/authorize.test.ts', 'another error is told to the client, with iss and its state'],
    ['e2e/login.test.ts', 'SDK 2.x'],
    ['handlers/authorize.test.ts', '/.well-known/openid-configuration'],
  ] },
  { clause: 'RFC 6749 §10.12', says: 'What was begun in a browser is finished in it: a state of ours, after consent, once, for ten minutes', tests: [
    ['handlers/authorize-login.test.ts', 'in another browser leads nowhere'],
    ['handlers/authorize-login.test.ts', 'is taken once, also when it comes ten times at the same moment'],
    ['handlers/authorize-login.test.ts', 'comes within ten minutes'],
    ['handlers/authorize-login.test.ts', 'with the ticket of a consent page as state leads nowhere'],
    ['browser/login.test.ts', 'an answer that was begun in another browser logs nobody in'],
  ] },
  { clause: 'RFC 9700 §4.7', says: 'A consent is given on our page, in this browser, once, for what was shown', tests: [
    ['handlers/authorize-login.test.ts', 'not with a ticket of another browser, nor one that was changed'],
    ['handlers/authorize-login.test.ts', 'once, however often it is sent at the same moment'],
    ['handlers/authorize-login.test.ts', 'spares the login, not the consent'],
    ['handlers/oauth-attacks.test.ts', 'by what stands beside the ticket of the consent page'],
  ] },
  { clause: 'RFC 9700 §4.4', says: 'An answer of one identity provider is never taken for one of another', tests: [
    ['handlers/authorize-login.test.ts', 'at the callback of another provider leads nowhere'],
    ['handlers/authorize-login.test.ts', 'an issuer that is another'],
    ['handlers/authorize-login.test.ts', 'of another provider logs nobody in'],
  ] },
  { clause: 'oauth-security-topics-update §3', says: 'Each provider has a redirect URI and an organisation of its own', tests: [
    ['handlers/authorize-login.test.ts', 'asks the provider with state, nonce and PKCE, and redeems its code with what belongs to them'],
    ['core/configuration/idps.test.ts', 'is to leave the organisation open where there are two'],
  ] },
  { clause: 'OpenID Connect Core §3.1.3.7', says: 'An id token is verified whole: key, issuer, audience, time, nonce', tests: [
    ['handlers/authorize-login.test.ts', "['another issuer', "],
    ['handlers/authorize-login.test.ts', 'several audiences and no azp'],
    ['handlers/authorize-login.test.ts', 'with a code of another login is not accepted'],
    ['core/foreign-token.test.ts', 'what is accepted, an independent verifier accepts too'],
  ] },
  { clause: 'OpenID Connect Core §3.1.3.4', says: 'A provider that answers late, wrongly, hugely or with an error logs nobody in', tests: [
    ['handlers/oauth-attacks.test.ts', 'is waited for six seconds, and the client is told that it may go better'],
    ['handlers/authorize-login.test.ts', 'more than 64 KB'],
    ['handlers/authorize-login.test.ts', 'two id tokens'],
    ['handlers/authorize-login.test.ts', 'an encoded answer'],
    ['handlers/authorize-login.test.ts', 'that is the error %j is told to the client in our own words'],
    ['e2e/login.test.ts', 'a provider that went away during the login'],
  ] },
  { clause: 'RFC 9700 §4.15', says: 'No client has the name of a user', tests: [
    ['core/configuration/idps.test.ts', 'in a name that would make a user a client is found'],
    ['handlers/registration-endpoint.test.ts', 'has an id that no other has, whatever it says'],
    ['core/client-id.test.ts', 'a client id names its class'],
    ['core/run-request.test.ts', 'a run id with a colon'],
  ] },
  { clause: 'RFC 9700 §4.13', says: 'What a proxy could say of a request, or a client of itself, is no identity', tests: [
    ['e2e/login.test.ts', 'a host or a proxy that a request names changes nothing that is written'],
    ['e2e/bad-tokens.test.ts', 'X-Client-Id of another client'],
    ['e2e/methods.test.ts', 'whatever a request says of where it went'],
  ] },

  { clause: 'contract §13', says: 'What is as long as it may be goes all the way, and what is longer is refused', tests: [
    ['e2e/oauth-attacks.test.ts', 'the longest request there may be goes all the way'],
    ['e2e/oauth-attacks.test.ts', 'a query of 11 KB is too much, and leads nowhere'],
    ['e2e/oauth-attacks.test.ts', '%s is too much'],
  ] },
  { clause: 'contract §2', says: 'The token endpoint has one spelling', tests: [
    ['e2e/oauth-attacks.test.ts', 'the token endpoint has one spelling'],
  ] },

  // PKCE.
  { clause: 'RFC 9700 §2.1.1', says: 'Every client uses PKCE', tests: [
    ['handlers/oauth-attacks.test.ts', 'without PKCE is refused, whether or not the client has a secret'],
    ['handlers/grants/authorization-code.test.ts', 'without a verifier'],
  ] },
  { clause: 'RFC 9700 §4.8', says: 'PKCE cannot be left out later: no code without a challenge, no verifier that nobody challenged', tests: [
    ['handlers/authorize.test.ts', 'no challenge'],
    ['handlers/grants/authorization-code.test.ts', 'where a plain challenge was recorded'],
  ] },
  { clause: 'RFC 7636 §4.2', says: 'S256 alone; none named stands for plain, and is refused', tests: [
    ['handlers/authorize.test.ts', 'the plain method'],
    ['handlers/authorize.test.ts', 'no challenge method'],
  ] },
  { clause: 'RFC 7636 §4.1', says: 'A verifier has 43 to 128 characters, all of them unreserved', tests: [
    ['handlers/grants/authorization-code.test.ts', 'with a verifier of 42 characters'],
    ['handlers/grants/authorization-code.test.ts', 'with a verifier of 129 characters'],
    ['handlers/grants/authorization-code.test.ts', 'with a verifier with a reserved character'],
  ] },
  { clause: 'RFC 7636 §4.6', says: 'Another verifier gets nothing', tests: [
    ['handlers/grants/authorization-code.test.ts', 'with a wrong verifier'],
  ] },

  // Codes and refresh tokens.
  { clause: 'RFC 6749 §4.1.2', says: 'A code is used once; a second time ends what the first gave', tests: [
    ['handlers/grants/authorization-code.test.ts', 'a code that comes a second time'],
    ['handlers/grants/authorization-code.test.ts', 'of twenty at once one is redeemed'],
    ['e2e/grants.test.ts', 'redeems a code once; the second time ends what the first one gave'],
    ['races/races.test.ts', 'of fifty attempts at once, from four processes, exactly one succeeds'],
  ] },
  { clause: 'RFC 6749 §4.1.3', says: 'A code is for its client and its redirect URI, for a minute', tests: [
    ['handlers/grants/authorization-code.test.ts', 'to another client'],
    ['handlers/grants/authorization-code.test.ts', 'with another redirect URI'],
    ['handlers/grants/authorization-code.test.ts', 'after 60 s'],
  ] },
  { clause: 'RFC 9700 §4.14', says: 'Refresh tokens rotate; one that was used ends the login', tests: [
    ['handlers/grants/refresh-token.test.ts', 'ends the login: its tokens, and the newest refresh token too'],
    ['handlers/grants/refresh-token.test.ts', 'of twenty at once, one is'],
    ['e2e/grants.test.ts', 'redeems a code, refreshes, and finds both tokens dead after the old one is used again'],
    ['e2e/sdk-oauth.test.ts', 'refreshes without its user, and goes on in the same session'],
  ] },
  { clause: 'RFC 6749 §6', says: 'A refresh gives no scope that was not granted, to nobody but its client, who authenticates', tests: [
    ['handlers/grants/refresh-token.test.ts', 'a scope that was not granted'],
    ['handlers/grants/refresh-token.test.ts', 'gives nothing to another client'],
    ['handlers/grants/refresh-token.test.ts', 'gives nothing to a client that does not authenticate'],
  ] },

  // The token endpoint.
  { clause: 'RFC 6749 §2.3', says: 'A client authenticates in one way, the one that is registered for it', tests: [
    ['handlers/oauth-attacks.test.ts', 'two ways to authenticate are one too many'],
    ['handlers/client-authentication.test.ts', 'a client authenticates in the one way that is registered for it'],
  ] },
  { clause: 'RFC 6749 §2.3.1', says: 'Nothing of a request to the token endpoint is read from its URL', tests: [
    ['handlers/oauth-attacks.test.ts', 'nothing is read from the URL'],
  ] },
  { clause: 'RFC 6749 §3.2', says: 'The endpoints that clients ask are asked by POST, with a form', tests: [
    ['handlers/oauth-attacks.test.ts', '%s is no request'],
    ['handlers/oauth-attacks.test.ts', '%s is no form'],
  ] },
  { clause: 'RFC 6749 §5.2', says: 'A client that is not let in is told how to authenticate', tests: [
    ['handlers/oauth-attacks.test.ts', 'who is not let in is told how: %s'],
  ] },
  { clause: 'RFC 6749 §2.3.1', says: 'Secrets cannot be guessed', tests: [
    ['handlers/client-authentication.test.ts', 'is answered 429 after twenty failures in a minute until it ends, and the right secret passes'],
    ['handlers/client-authentication.test.ts', 'is not decided while nothing can be counted'],
    ['handlers/client-authentication.test.ts', 'a failure is answered no sooner than 250 ms after it was asked'],
  ] },
  { clause: 'RFC 6749 §5.2', says: 'A client gets no grant that is not its own', tests: [
    ['handlers/issuer.test.ts', "['reader', 'client_credentials', 'unauthorized_client']"],
    ['handlers/authorize.test.ts', 'a client of another grant'],
  ] },
  { clause: 'RFC 6749 §3.3', says: 'Scopes that nobody has give nothing, and the answer says what was given', tests: [
    ['handlers/oauth-attacks.test.ts', 'that nobody has are left out, and the answer says what is left'],
    ['handlers/oauth-attacks.test.ts', 'of which none is left are refused'],
    ['handlers/authorize.test.ts', 'scopes that the client may not have'],
  ] },
  { clause: 'RFC 6749 §5.1', says: 'Nobody keeps an answer', tests: [
    ['handlers/oauth-attacks.test.ts', 'nobody keeps the answer to %s (%i)'],
    ['conformance/authorization.test.ts', 'the public suite for authorization servers passes'],
  ] },

  // Introspection and revocation.
  { clause: 'RFC 7662 §2.1', says: 'Who introspects authenticates', tests: [
    ['handlers/introspection-endpoint.test.ts', "['a public client', { token: 'x', client_id: 'public' }"],
    ['handlers/introspection-endpoint.test.ts', "['nobody', 'token=x'"],
  ] },
  { clause: 'RFC 7662 §2.2', says: 'A token that is not active, or does not concern who asks, is inactive and nothing more', tests: [
    ['handlers/introspection-endpoint.test.ts', 'it is inactive'],
    ['handlers/introspection-endpoint.test.ts', 'from the moment of its revocation on'],
  ] },
  { clause: 'RFC 7009 §2.1', says: 'A client revokes its own tokens and no other', tests: [
    ['handlers/revocation-endpoint.test.ts', 'of another client is left alone'],
    ['e2e/oauth.test.ts', 'a token of one client is not revoked by another, which learns nothing of it'],
    ['handlers/revocation-endpoint.test.ts', 'a run token is revoked by its coordinator alone'],
  ] },
  { clause: 'RFC 7009 §2.2', says: 'What is no token is revoked already, and a hint is a hint', tests: [
    ['handlers/issuer.test.ts', 'what is no token'],
    ['handlers/revocation-endpoint.test.ts', 'is revoked with its login, whatever the hint'],
  ] },
  { clause: 'RFC 7009 §2.1', says: 'With a refresh token its access tokens end', tests: [
    ['handlers/revocation-endpoint.test.ts', 'is revoked with its login'],
    ['e2e/grants.test.ts', 'introspects and revokes a refresh token, and the login is over'],
    ['e2e/sdk-oauth.test.ts', 'asks its user again where the login is over too'],
  ] },
  { clause: 'RFC 7009 §2.2.1', says: 'A kind of token that cannot be revoked is told to whom it is for', tests: [
    ['handlers/revocation-endpoint.test.ts', 'is a kind that cannot be revoked, which the server that it is for is told'],
  ] },
  { clause: 'OpenID Connect Core §3.1.2.1', says: 'A request for authorization may come by POST', tests: [
    ['handlers/posted-request.test.ts', 'a request in a form is led to the same request in a link'],
    ['handlers/oauth-attacks.test.ts', 'is judged as a GET'],
  ] },
  { clause: 'RFC 7009 §2.2.1', says: 'An outage says when to come back, and calls nothing revoked', tests: [
    ['handlers/revocation-endpoint.test.ts', 'an outage is 503, never a token that is called revoked'],
    ['handlers/oauth-attacks.test.ts', 'an outage says when to come back, and nothing of the request'],
  ] },

  // Metadata.
  { clause: 'RFC 8414 §3.3', says: 'The issuer of the metadata is the URL that it was asked at', tests: [
    ['conformance/authorization.test.ts', 'one document under both well-known names'],
    ['conformance/authorization.test.ts', 'the public suite for authorization servers passes'],
  ] },
  { clause: 'RFC 8414 §2', says: 'The metadata lists what can be done, and nothing else', tests: [
    ['e2e/clients.test.ts', 'what can be done is what the metadata lists'],
    ['handlers/client-metadata.test.ts', 'where nobody can log in, nothing is said of clients that act for users alone'],
    ['handlers/authorize.test.ts', 'one of a suspended organisation'],
  ] },
  { clause: 'RFC 9728 §3', says: 'The resource of a server’s metadata is its URL, whether or not there is such a server', tests: [
    ['e2e/oauth.test.ts', 'protected resource metadata is the same kind of answer for a server that exists and one that does not'],
    ['handlers/oauth-attacks.test.ts', 'the metadata of a resource names it as it was asked for'],
  ] },
  { clause: 'RFC 6750 §3.1', says: 'Without a token the challenge names no error', tests: [
    ['e2e/scope-challenge.test.ts', 'no token is 401 with a bare challenge'],
    ['e2e/bad-tokens.test.ts', 'no token is 401 without an error code'],
  ] },
  { clause: 'RFC 8414 §6.2', says: 'No URL comes from what a request says of its host', tests: [
    ['e2e/methods.test.ts', 'whatever a request says of where it went'],
    ['e2e/login.test.ts', 'a host or a proxy that a request names changes nothing that is written'],
  ] },

  // Token exchange and resources.
  { clause: 'RFC 8693 §2.1', says: 'A subject token and its type are there, an actor token has a type, and a type has an actor token', tests: [
    ['handlers/grants/token-exchange.test.ts', 'no subject token'],
    ['handlers/grants/token-exchange.test.ts', 'an actor without a type'],
    ['handlers/grants/token-exchange.test.ts', 'the type of no actor'],
  ] },
  { clause: 'RFC 8693 §2.2.2', says: 'A subject token that is not accepted is an invalid request', tests: [
    ['handlers/grants/token-exchange.test.ts', 'an expired token'],
    ['handlers/grants/token-exchange.test.ts', 'a forged token'],
  ] },
  { clause: 'RFC 8693 §2.2.2', says: 'A target that the client may not have is an invalid target', tests: [
    ['handlers/grants/token-exchange.test.ts', 'a server of another organisation'],
    ['handlers/grants/token-exchange.test.ts', 'elsewhere'],
  ] },
  { clause: 'RFC 8693 §2.2.1', says: 'The answer says what kind of token it is, and names those who act', tests: [
    ['handlers/grants/token-exchange.test.ts', 'gives a token about the same user, in which the client acts'],
    ['handlers/grants/token-exchange.test.ts', 'of an exchanged token makes the chain longer'],
  ] },
  { clause: 'contract §4', says: 'What is exchanged is never more: scopes, end, namespace and filters narrow', tests: [
    ['handlers/grants/token-exchange.test.ts', 'whatever is asked for, scopes and end are within the subject’s'],
    ['handlers/grants/token-exchange.test.ts', 'are narrowed by the client’s'],
    ['handlers/grants/token-exchange.test.ts', 'a token in its last second gives nothing that outlives it'],
  ] },
  { clause: 'RFC 8693 §5', says: 'Exchanging is a right of a pair of clients, and never of a public one', tests: [
    ['handlers/grants/token-exchange.test.ts', 'a client that is not listed'],
    ['handlers/grants/token-exchange.test.ts', 'a token of a client that is not listed'],
    ['handlers/grants/token-exchange.test.ts', 'a public client'],
    ['core/configuration/clients.test.ts', 'never uses %s'],
  ] },
  { clause: 'RFC 8707 §2', says: 'A resource is one of ours, exactly; unknown, foreign or wider ones are refused', tests: [
    ['core/grant.test.ts', 'names a server in one form alone'],
    ['core/grant.test.ts', "['a fragment', "],
    ['handlers/authorize.test.ts', 'a foreign resource'],
    ['handlers/grants/authorization-code.test.ts', 'for everything where one server was authorized'],
  ] },
  { clause: 'RFC 8707 §2.2', says: 'A resource is refused before a refresh token is used up', tests: [
    ['handlers/grants/refresh-token.test.ts', 'gives nothing for %s, and stays good'],
  ] },

  // Access tokens.
  { clause: 'RFC 8725 §3.1', says: 'One algorithm, and a key for one kind of token', tests: [
    ['core/token.test.ts', '`alg` in lower case'],
    ['core/token.test.ts', 'made by %s with the public key as the secret is refused'],
    ['core/token.test.ts', 'of an identity token signs no access token'],
    ['e2e/bad-tokens.test.ts', 'the identity key signs no access token'],
  ] },
  { clause: 'RFC 9068 §4', says: 'The type of an access token is said, and no other is taken', tests: [
    ['core/token.test.ts', '`typ` JWT'],
    ['e2e/bad-tokens.test.ts', "['no typ', { typ: undefined }]"],
  ] },
  { clause: 'RFC 9068 §4', says: 'Issuer and audience are equal, byte for byte, to one value each', tests: [
    ['core/token.test.ts', 'is meant for its audience alone, byte for byte'],
    ['e2e/bad-tokens.test.ts', 'our issuer with a slash'],
    ['e2e/bad-tokens.test.ts', 'a list of audiences'],
    ['handlers/idp-ingress.test.ts', 'a token with our own key and the issuer of an IdP is refused'],
  ] },
  { clause: 'RFC 9068 §2.2', says: 'Every claim is there and typed, and no life is longer than allowed', tests: [
    ['e2e/bad-tokens.test.ts', 'a token without %s is 401'],
    ['e2e/bad-tokens.test.ts', 'a token with %s of another type is 401'],
    ['core/token.test.ts', 'ten years'],
    ['core/token.test.ts', 'an early `nbf` does not excuse a future `iat`'],
  ] },
  { clause: 'RFC 7515 §4.1.11', says: 'What is critical and unknown is refused', tests: [
    ['core/token.test.ts', '`crit` empty'],
    ['e2e/bad-tokens.test.ts', "['crit', { crit: ['exp'] }]"],
  ] },
  { clause: 'RFC 8725 §3.10', says: 'No key comes from a token, and nothing that it names is fetched', tests: [
    ['e2e/bad-tokens.test.ts', 'jku at a host of the attacker'],
    ['core/token.test.ts', '`jwk`'],
    ['e2e/idp-tokens.test.ts', 'without a look anywhere, where nobody configured its issuer'],
  ] },
  { clause: 'RFC 8725bis §3.14', says: 'A token has one spelling, and is no JSON', tests: [
    ['core/token.test.ts', 'one token has one spelling'],
    ['e2e/bad-tokens.test.ts', 'JSON serialisation'],
    ['e2e/bad-tokens.test.ts', 'no other last character spells the same token'],
  ] },
  { clause: 'RFC 8725 §3.7', says: 'UTF-8 alone, and no member twice', tests: [
    ['core/token.test.ts', 'a duplicate by escape'],
    ['core/token.test.ts', 'bytes that are no UTF-8 are refused'],
    ['e2e/bad-tokens.test.ts', 'a repeated member'],
  ] },
  { clause: 'RFC 8725bis §3.13', says: 'Nothing encrypted is taken, so that nothing is decompressed', tests: [
    ['core/token.test.ts', 'five parts'],
    ['e2e/bad-tokens.test.ts', 'five parts, as JWE has'],
  ] },
  { clause: 'RFC 8725 §3.12', says: 'One kind of token is never taken for another', tests: [
    ['core/token.test.ts', 'is accepted as one, and never as an access token'],
    ['e2e/runs.test.ts', 'a run token opens nothing'],
    ['core/idp-token.test.ts', 'an id token by its capitals'],
    ['core/foreign-token.test.ts', 'oauth-id-jag+jwt'],
  ] },

  // Assertions.
  { clause: 'RFC 7523 §3', says: 'A client’s assertion is its own, about itself, and short', tests: [
    ['core/client-assertion.test.ts', 'of another client'],
    ['core/client-assertion.test.ts', 'without an end'],
    ['core/client-assertion.test.ts', 'that lives longer than 5 minutes'],
    ['handlers/client-authentication.test.ts', 'with the key of another'],
  ] },
  { clause: 'oauth-security-topics-update §2', says: 'A client’s assertion is for this issuer alone, never in a list', tests: [
    ['core/client-assertion.test.ts', 'for the issuer in a list'],
    ['handlers/client-authentication.test.ts', 'an audience in a list'],
  ] },
  { clause: 'RFC 7523 §3', says: 'A client’s assertion is used once', tests: [
    ['handlers/client-authentication.test.ts', 'uses an assertion once: of fifty at the same time one gets a token'],
    ['handlers/client-authentication.test.ts', 'the replay of an assertion is refused while it cannot be looked up'],
    ['e2e/clients.test.ts', 'an assertion gets one token, whichever of many environments it reaches'],
    ['races/kinds.ts', "name: 'client-assertions'"],
  ] },
  { clause: 'ID-JAG §4.4', says: 'An identity assertion is of its type, for us alone, for this client, of a provider of its organisation', tests: [
    ['handlers/grants/jwt-bearer.test.ts', 'of another type'],
    ['handlers/grants/jwt-bearer.test.ts', 'for several'],
    ['handlers/grants/jwt-bearer.test.ts', 'for another client'],
    ['handlers/grants/jwt-bearer.test.ts', 'of another organisation’s provider'],
  ] },
  { clause: 'ID-JAG §4.4', says: 'An identity assertion that is bound to a key, or that we made, is refused', tests: [
    ['handlers/grants/jwt-bearer.test.ts', 'bound to a key'],
    ['handlers/grants/jwt-bearer.test.ts', 'of ourselves'],
  ] },
  { clause: 'ID-JAG §4.4', says: 'An identity assertion is used once, by a client that authenticates, and gives no refresh token', tests: [
    ['handlers/grants/jwt-bearer.test.ts', 'gives a token about its user, and no refresh token'],
    ['handlers/grants/jwt-bearer.test.ts', 'of twenty at once, once'],
    ['handlers/grants/jwt-bearer.test.ts', 'from a client that may not, is public, or sends none'],
    ['e2e/grants.test.ts', 'the SDK connects a program of the office by an identity assertion alone'],
  ] },

  // Client ID metadata documents, registration.
  { clause: 'client-id-metadata-document §3', says: 'The URL of a document is https with a path, in one spelling', tests: [
    ['core/client-id.test.ts', 'a dot segment'],
    ['core/client-id.test.ts', 'a user and a password'],
    ['core/client-id.test.ts', 'an empty fragment'],
    ['handlers/client-metadata-document.test.ts', 'of a URL that is no client id, and nothing is fetched'],
  ] },
  { clause: 'client-id-metadata-document §4', says: 'Only an answer 200 is a document, and no redirect is followed', tests: [
    ['handlers/client-metadata-document.test.ts', '[301, 302, 303, 307, 308]'],
    ['handlers/client-metadata-document.test.ts', 'with status 203'],
  ] },
  { clause: 'client-id-metadata-document §4.1', says: 'The id in a document is its URL, character by character', tests: [
    ['handlers/client-metadata-document.test.ts', 'with its id percent-encoded'],
    ['handlers/client-metadata-document.test.ts', 'with its id in other letters'],
  ] },
  { clause: 'client-id-metadata-document §6.5', says: 'No document comes from an address that is not public', tests: [
    ['handlers/client-metadata-document.test.ts', 'at an address that is not public'],
    ['handlers/client-metadata-document.test.ts', 'at a link-local address, whatever is allowed'],
  ] },
  { clause: 'client-id-metadata-document §6.6', says: 'A document is small', tests: [
    ['handlers/client-metadata-document.test.ts', 'may be of 10 KB, and no more'],
  ] },
  { clause: 'client-id-metadata-document §4.4', says: 'What is no document is not kept, and what is one as long as it says', tests: [
    ['handlers/client-metadata-document.test.ts', 'the next one is asked for at once'],
    ['handlers/client-metadata-document.test.ts', 'how long a document serves'],
  ] },
  { clause: 'client-id-metadata-document §4.1', says: 'A document holds no secret, and no way to authenticate by one', tests: [
    ['core/client-metadata.test.ts', 'a method with a secret'],
    ['handlers/client-metadata-document.test.ts', 'with a secret'],
  ] },
  { clause: 'client-id-metadata-document §6.4', says: 'The user is shown the host of the document, and a redirect to this computer as what it is', tests: [
    ['handlers/authorize.test.ts', 'goes by its address, whatever it calls itself'],
    ['handlers/authorize.test.ts', 'a program on this computer (127.0.0.1:49152)'],
  ] },
  { clause: 'client-id-metadata-document §3', says: 'A client is one by its document from the URL of a server alone', tests: [
    ['e2e/clients.test.ts', 'the official client names its document, and is a client by that'],
    ['e2e/sdk-oauth.test.ts', 'by the document at its id'],
  ] },
  { clause: 'contract §4', says: 'Clients register themselves only where that is switched on', tests: [
    ['handlers/registration-endpoint.test.ts', 'where it is off, which it is unless somebody says otherwise'],
    ['e2e/clients.test.ts', 'the official client registers itself where it has no document'],
    ['e2e/sdk-oauth.test.ts', 'by registering'],
  ] },

  // Ingress.
  { clause: 'contract §3', says: 'One ingress token, in the header that goes first', tests: [
    ['core/ingress-token.test.ts', 'X-Authorization before Authorization'],
    ['core/ingress-token.test.ts', 'X-Service-Token before Authorization'],
    ['core/ingress-token.test.ts', 'X-Service-Token is no ingress elsewhere'],
  ] },
  { clause: 'contract §3', says: 'A token in the URL, two of one header or a malformed scheme is refused, and nothing is guessed', tests: [
    ['e2e/bad-tokens.test.ts', 'in the query as %s it is refused'],
    ['e2e/bad-tokens.test.ts', 'two Authorization headers, one bad'],
    ['core/ingress-token.test.ts', 'what is there and malformed is refused, and never falls through'],
  ] },
  { clause: 'contract §3', says: 'Selectors select, and never say who calls', tests: [
    ['e2e/idp-tokens.test.ts', 'that are right, all or some of them, change nothing'],
    ['handlers/idp-ingress.test.ts', 'of a user pool never agree with a token of ours'],
  ] },
  { clause: 'contract §3', says: 'Access tokens of an IdP are taken where it is configured, from listed clients', tests: [
    ['e2e/idp-tokens.test.ts', 'calls the tools of its scopes, with the secret of its client, at every door'],
    ['core/idp-token.test.ts', 'a client that is not listed'],
    ['core/idp-token.test.ts', "['an id token', { token_use: 'id' }"],
    ['handlers/idp-ingress.test.ts', 'where the IdP serves logins alone'],
  ] },
  { clause: 'contract §3', says: 'A scope that this client may obtain is challenged, for its user too; no other', tests: [
    ['e2e/sdk-oauth.test.ts', 'asks for what the 403 names and for what it had, and then calls the tool'],
    ['e2e/sdk-oauth.test.ts', 'is not sent to its user for what that user cannot give'],
    ['e2e/scope-challenge.test.ts', 'a scope that the client may obtain is challenged'],
  ] },
  { clause: 'contract §3', says: '`OPTIONS` needs no token', tests: [
    ['infra/preflight.test.ts', '$route needs no token, reaches no function and is 204'],
  ] },

  // Access tokens as we make them.
  { clause: 'contract §4', says: 'A token has the header and the claims of the contract, and no others', tests: [
    ['core/mint.test.ts', 'has exactly the header and the claims of the contract'],
    ['e2e/oauth.test.ts', 'gets a token for $clientId that jose verifies by the JWKS'],
  ] },
  { clause: 'contract §4', says: 'A token is for one server, or for all where its client is a gateway client', tests: [
    ['e2e/oauth.test.ts', 'only a gateway client has a token without naming a resource'],
    ['e2e/bad-tokens.test.ts', 'opens that server and nothing else'],
    ['e2e/bad-tokens.test.ts', 'with ORIGIN as its audience is refused where the client is no gateway client'],
  ] },
  { clause: 'contract §4', says: 'A token lives ten minutes, or what client and server say, and never above fifteen', tests: [
    ['e2e/oauth.test.ts', 'the lifetime for $clientId on $server is $seconds s'],
    ['core/grant.test.ts', '900 s at most'],
    ['core/grant.test.ts', 'a gateway token lives no longer than the strictest server that it opens allows'],
  ] },
  { clause: 'contract §4', says: 'Each key of ours signs its kind of token, by the function whose it is', tests: [
    ['infra/permissions.test.ts', 'kms:Sign {StorageIssuerKeySlotA.Arn}'],
    ['infra/blast-radius.test.ts', 'an account administrator can manage a key but neither sign with it'],
    ['core/token.test.ts', 'of an access token signs no identity token'],
  ] },
  { clause: 'contract §4', says: 'Keys are published by their thumbprints, with public members alone', tests: [
    ['e2e/oauth.test.ts', 'the JWKS has public members only'],
    ['conformance/authorization.test.ts', 'every key goes by its thumbprint, and the one of a token is among them'],
  ] },
  { clause: 'contract §4', says: 'A key is rotated without a denial, and refused once its overlap ends', tests: [
    ['core/key-rotation.test.ts', 'hands over to the key that stands by, and the other is accepted for the life of its tokens'],
    ['core/key-rotation.test.ts', 'whatever is done in whatever order: one key signs, what is retired stays so'],
    ['contract/key-ring.test.ts', 'whose keys do not sign any more is unavailable, and never signs with a key that is refused'],
  ] },
  { clause: 'contract §4', says: 'Every way to authenticate, driven by libraries of others', tests: [
    ['e2e/oauth.test.ts', 'openid-client gets a token for $clientId'],
    ['e2e/sdk-oauth.test.ts', 'SDK 1.x with a secret'],
    ['e2e/sdk-oauth.test.ts', 'SDK 1.x that signs'],
    ['e2e/sdk-oauth.test.ts', 'SDK 2.x with an assertion that somebody else signed for it'],
    ['handlers/client-authentication.test.ts', 'oauth4webapi speaks for a public client'],
  ] },
  { clause: 'contract §4', says: 'Every grant, driven by libraries of others', tests: [
    ['e2e/login.test.ts', 'gets a token for a user through %s'],
    ['e2e/grants.test.ts', 'redeems a code, refreshes'],
    ['e2e/grants.test.ts', 'exchanges a user’s token for one server'],
    ['e2e/grants.test.ts', 'the SDK connects a program of the office by an identity assertion alone'],
    ['e2e/oauth.test.ts', 'the SDK client finds everything from the 401 alone and calls a tool'],
  ] },
  { clause: 'contract §4', says: 'Two secrets of a client are live while it is rotated, and none is told', tests: [
    ['e2e/oauth.test.ts', 'a rotated client secret is accepted in its current and its previous version'],
    ['infra/blast-radius.test.ts', 'only the issuer reads client secrets'],
  ] },
  { clause: 'contract §4', says: 'Scopes only narrow: requested, allowed for the client, and mapped from the user’s groups', tests: [
    ['core/grant.test.ts', 'never widen: granted ⊆ requested ∩ allowed'],
    ['handlers/authorize-login.test.ts', 'and never more than was asked for'],
    ['handlers/grants/authorization-code.test.ts', 'gives what the groups are mapped to now, and the client may have'],
    ['core/caller.test.ts', 'scopes that the client has no more are dropped'],
  ] },
  { clause: 'contract §4', says: 'What was revoked by token, client, user, organisation, run or login is dead everywhere within 5 s', tests: [
    ['contract/revocation-store.test.ts', 'for a %s kills its tokens, and no other organisation’s'],
    ['contract/revocation-store.test.ts', 'for an organisation kills every token of it'],
    ['contract/revocation-store.test.ts', 'for a run kills the tokens of that run'],
    ['contract/revocation-store.test.ts', 'for %s %s kills what descends from it, nothing beside'],
    ['contract/revocation-store.test.ts', 'is forgotten within 5 s where it lets a token live'],
    ['e2e/bad-tokens.test.ts', 'dies on every door within 5 s of its revocation'],
  ] },
  { clause: 'contract §4', says: 'Revocations that cannot be read deny', tests: [
    ['contract/revocation-store.test.ts', 'what cannot be looked up is unavailable, never alive'],
  ] },
  { clause: 'contract §4', says: 'Nothing is issued that is not on record', tests: [
    ['handlers/issuer.test.ts', 'a token is issued, and recorded before'],
    ['handlers/authorize-login.test.ts', 'no record, no code'],
    ['e2e/faults.test.ts', 'AuditTable down by $mode: nothing goes out that no record tells of'],
  ] },

  // Run tokens.
  { clause: 'contract §5', says: 'A run is opened with `runs/issue`, for namespaces of its coordinator, and its token says what it sees', tests: [
    ['handlers/runs.test.ts', 'gives a token with the scope of every service'],
    ['handlers/runs.test.ts', 'for a namespace that is not the client’s'],
    ['handlers/runs.test.ts', 'without the scope'],
  ] },
  { clause: 'contract §5', says: 'One token for several services, or one for each that shows nothing of the others', tests: [
    ['handlers/runs.test.ts', 'gives a split run one token for each service, and no service sees another’s scope'],
    ['verifier/verifier.test.ts', 'opens its scope, as a header or bare, in either shape'],
  ] },
  { clause: 'contract §5', says: 'A run token lives an hour at most', tests: [
    ['core/run-request.test.ts', 'opens a run that may read and write for an hour'],
    ['verifier/verifier.test.ts', 'that lives for two hours'],
  ] },
  { clause: 'contract §5', says: 'A run that is open gives fresh tokens, one that is completed none, and its tokens are dead', tests: [
    ['handlers/runs.test.ts', 'that is open gives fresh tokens'],
    ['handlers/runs.test.ts', 'that is completed gives none, and those that are out are revoked'],
    ['e2e/runs.test.ts', 'is dead within 5 s, and with it every token that was refreshed'],
  ] },
  { clause: 'contract §5', says: 'A run is its own client’s alone', tests: [
    ['handlers/runs.test.ts', 'is seen by its own client alone'],
    ['e2e/runs.test.ts', 'takes nothing from a client of the same name'],
  ] },
  { clause: 'contract §5', says: 'A run reads, or reads and writes', tests: [
    ['e2e/runs.test.ts', 'a run that may only read, reads'],
    ['core/run-request.test.ts', 'writing without reading'],
  ] },
  { clause: 'contract §5', says: 'Without its service a token is 403; without filters it sees the namespace; with malformed ones it is 401', tests: [
    ['verifier/verifier.test.ts', "['for another service', "],
    ['verifier/verifier.test.ts', 'with filters that are a list'],
    ['core/visibility.test.ts', 'without filters is the whole namespace'],
    ['core/visibility.test.ts', 'is refused and never widened: %s'],
  ] },
  { clause: 'contract §5', says: 'The model neither sees nor sets a namespace or a filter', tests: [
    ['handlers/document-tools.test.ts', 'scope_filters: {} })).toContain('],
    ['handlers/document-tools.test.ts', 'not.toMatch(/namespace|scope_filters|org_id/)'],
  ] },
  { clause: 'contract §5', says: 'A service of others verifies run tokens with the module that ships', tests: [
    ['verifier/example-service.test.ts', 'a service of its own lets a run see exactly its namespace and filters'],
  ] },
];
